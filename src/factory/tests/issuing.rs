//! Who issued a bundle, and its list, at one moment and at another. Chains of more than one, and what is inside certificates, are tried with bundles made by
//! others: `tests/py/station_tampering.py`.

use super::manifest;
use crate::basics::{Instant, Realm};
use crate::factory::{Class, Issuing, Manifest, Refusal};
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use crate::pki::name::marked;
use crate::pki::{Certificate, CertificateRequest, CrlRequest, Issuer, Profile, Reason, Revoked, Subject};
use crate::pki::{certificate, crl, oids, profile};

const SERIAL: [u8; 20] = [0x41; 20];

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_material(Algorithm::EcdsaP384, &vec![7; Algorithm::EcdsaP384.material_octets()]).unwrap()
}

/// A root that issues devices itself: then its list is also that of its own certificate.
fn root() -> Certificate {
    let profile: Profile = toml::from_str(profile::ROOT_DEVICE).unwrap();
    let request = CertificateRequest {
        realm: Realm::Rehearsal,
        issuer: Issuer::SelfSigned,
        subject: marked(Realm::Rehearsal, &Subject::authority(Some("SE"), "Exempel AB", "Device Root 1")).into(),
        key: SubjectKey::from(key().public_key()),
        ski: None,
        not_before: at("2026-11-22T14:00:00Z"),
        not_after: at("2051-11-22T14:00:00Z"),
        serial: SERIAL,
        additions: profile.additions(Realm::Rehearsal, "", oids::REHEARSAL_POLICY),
        profile,
    };
    let tbs = certificate::build_tbs(&request).unwrap();
    Certificate::parse(&certificate::assemble(&tbs, Algorithm::EcdsaP384, &key().sign(&tbs).unwrap()).unwrap()).unwrap()
}

/// Number, from, until, and serial numbers on it.
fn list(root: &Certificate, number: u64, from: &str, until: &str, revoked: &[&[u8]]) -> String {
    let (this_update, next_update) = (at(from), at(until));
    let entry = |serial: &&[u8]| Revoked { serial: serial.to_vec(), date: this_update, reason: Reason::KeyCompromise };
    let revoked = revoked.iter().map(entry).collect();
    let tbs = crl::build_tbs(&CrlRequest { issuer: root, number, this_update, next_update, revoked }).unwrap();
    let der = crl::assemble(&tbs, Algorithm::EcdsaP384, &key().sign(&tbs).unwrap()).unwrap();
    crate::pki::CertificateList::parse(&der).unwrap().to_pem().unwrap()
}

fn what(root: &Certificate) -> Manifest {
    Manifest { issuer: root.digest(), issued: at("2026-11-26T10:00:00Z"), ..manifest(3) }
}

fn read(root: &Certificate, list: &str, now: &str) -> Result<Issuing, Refusal> {
    Issuing::read(&what(root), &root.to_pem().unwrap(), list, Some(root), at(now))
}

#[test]
fn a_list_is_one_when_the_bundle_was_made_and_has_nobody_of_the_chain_on_it() {
    let root = root();
    let good = list(&root, 4, "2026-11-23T00:00:00Z", "2026-12-23T00:00:00Z", &[&[0x55; 20]]);
    let issuing = read(&root, &good, "2026-11-27T00:00:00Z").unwrap();
    assert!(issuing.has_revoked(&[0x55; 20]) && !issuing.has_revoked(&[0x56; 20]));
    assert_eq!(issuing.is_current(at("2026-12-22T23:59:59Z")), Ok(()));
    assert_eq!(issuing.is_current(at("2026-12-23T00:00:00Z")).unwrap_err().class, Class::Expired);
    for (name, list, now, class) in [
        (
            "itself on it",
            list(&root, 4, "2026-11-23T00:00:00Z", "2026-12-23T00:00:00Z", &[&SERIAL]),
            "2026-11-27T00:00:00Z",
            Class::Revoked,
        ),
        (
            "over before the bundle",
            list(&root, 4, "2026-11-23T00:00:00Z", "2026-11-26T10:00:00Z", &[]),
            "2026-11-27T00:00:00Z",
            Class::Expired,
        ),
        (
            "begun long after it",
            list(&root, 4, "2026-11-27T10:00:01Z", "2026-12-23T00:00:00Z", &[]),
            "2026-12-01T00:00:00Z",
            Class::Chain,
        ),
        (
            "not begun",
            list(&root, 4, "2026-11-24T00:00:01Z", "2026-12-23T00:00:00Z", &[]),
            "2026-11-23T00:00:00Z",
            Class::Chain,
        ),
        ("the bundle of tomorrow", good.clone(), "2026-11-25T09:59:59Z", Class::Malformed),
        ("the root not valid yet", good.clone(), "2026-11-22T13:59:59Z", Class::Chain),
        ("the root not valid any more", good.clone(), "2051-11-22T14:00:00Z", Class::Chain),
        ("no list", root.to_pem().unwrap(), "2026-11-27T00:00:00Z", Class::Malformed),
    ] {
        assert_eq!(read(&root, &list, now).err().map(|refusal| refusal.class), Some(class), "{name}");
    }
    let other = Manifest { issuer: crate::basics::Digest::of(b"other"), ..what(&root) };
    let refused = Issuing::read(&other, &root.to_pem().unwrap(), &good, None, at("2026-11-27T00:00:00Z"));
    assert_eq!(refused.unwrap_err().class, Class::Chain);
}

#[test]
fn a_newer_list_takes_its_place_and_an_older_one_does_not() {
    let root = root();
    let now = at("2027-01-10T00:00:00Z");
    let old = list(&root, 4, "2026-11-23T00:00:00Z", "2026-12-23T00:00:00Z", &[]);
    let mut issuing = read(&root, &old, "2027-01-10T00:00:00Z").unwrap();
    let older = list(&root, 3, "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", &[]);
    assert_eq!(issuing.renew("newer.pem", &older, &what(&root), now).unwrap_err().class, Class::Sequence);
    let newer = list(&root, 5, "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", &[&[0x55; 20]]);
    issuing.renew("newer.pem", &newer, &what(&root), now).unwrap();
    assert!(issuing.is_current(now).is_ok() && issuing.has_revoked(&[0x55; 20]));
    // What revokes the authority itself is heeded in a newer list too.
    let itself = list(&root, 6, "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", &[&SERIAL]);
    assert_eq!(issuing.renew("newer.pem", &itself, &what(&root), now).unwrap_err().class, Class::Revoked);
}
