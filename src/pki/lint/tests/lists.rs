//! Defects of revocation lists.

use super::*;

/// Where a defect of a revocation list is planted.
enum ListDefect {
    Asked(fn(&mut CrlRequest<'_>)),
    Field(fn(&mut TbsCertList<Raw>)),
    Outside(Algorithm),
    Finished(fn(&mut Vec<u8>)),
    /// In the issuer's certificate.
    Issuer(fn(&mut Tbs)),
}

fn list_rules_broken(defect: &ListDefect) -> Vec<&'static str> {
    let signer = key(ALGORITHM, 7);
    let mut issuer = issue(&request(Realm::Production, ALGORITHM), &signer);
    if let ListDefect::Issuer(change) = defect {
        let mut fields = tbs::of(&request(Realm::Production, ALGORITHM)).unwrap();
        change(&mut fields);
        let octets = fields.to_der().unwrap();
        let der = signed::assemble("certificate", &octets, ALGORITHM, &signer.sign(&octets).unwrap()).unwrap();
        issuer = crate::pki::Certificate::parse(&der).unwrap();
    }
    let mut request = crl_request(&issuer, two_revoked());
    if let ListDefect::Asked(change) = defect {
        change(&mut request);
    }
    let mut fields = crl::tbs_of(&request).unwrap();
    if let ListDefect::Field(change) = defect {
        change(&mut fields);
    }
    let octets = fields.to_der().unwrap();
    let outside = if let ListDefect::Outside(algorithm) = defect { *algorithm } else { ALGORITHM };
    let mut der = signed::assemble("list", &octets, outside, &signer.sign(&octets).unwrap()).unwrap();
    if let ListDefect::Finished(change) = defect {
        change(&mut der);
    }
    names(lint_crl(&der, &request, &root_device()).map(|_| ()))
}

fn list_extensions(fields: &mut TbsCertList<Raw>) -> &mut Vec<Extension> {
    fields.crl_extensions.as_mut().unwrap()
}

fn entries(fields: &mut TbsCertList<Raw>) -> &mut Vec<x509_cert::crl::RevokedCert<Raw>> {
    fields.revoked_certificates.as_mut().unwrap()
}

fn reason(code: CrlReason, criticality: Criticality) -> Option<Vec<Extension>> {
    Some(vec![tbs::extension(oids::REASON_CODE, criticality, &code).unwrap()])
}

fn general_time(text: &str) -> Time {
    Time::GeneralTime(GeneralizedTime::from_date_time(instants::to_time(at(text)).unwrap().to_date_time()))
}

/// `critical FALSE` written out, which DER leaves out: 01 01 00 after the identifier of the last extension.
fn with_default_written(der: &mut Vec<u8>) {
    let mut list =
        crl::tbs_of(&crl_request(&issue(&request(Realm::Production, ALGORITHM), &key(ALGORITHM, 7)), vec![]));
    let octets = list.as_mut().unwrap().to_der().unwrap();
    let number = [0x06, 0x03, 0x55, 0x1d, 0x14];
    let at = octets.windows(5).position(|window| window == number).unwrap();
    // Four lengths enclose it, all below 128 or of the form 81 xx: rebuilt from the inside out.
    let inner = [&octets[at..at + 5], &[0x01, 0x01, 0x00], &octets[at + 5..]].concat();
    let wrap = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        let header = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [&header[..], content].concat()
    };
    let number = wrap(0x30, &inner);
    let authority = &octets[at - 2 - 33..at - 2];
    let extensions = wrap(0xa0, &wrap(0x30, &[authority, &number].concat()));
    let content = any(&octets).value().to_vec();
    let before = &content[..content.len() - (octets.len() - (at - 2 - 33)) - 4];
    let tbs = wrap(0x30, &[before, &extensions].concat());
    let signature = key(ALGORITHM, 7).sign(&tbs).unwrap();
    *der = signed::assemble("list", &tbs, ALGORITHM, &signature).unwrap();
}

fn list_defects() -> Vec<(&'static str, ListDefect)> {
    use ListDefect::{Asked, Field, Finished, Issuer, Outside};
    vec![
        ("crl.der.readable", Finished(|der| der.truncate(100))),
        ("crl.der.readable", Finished(|der| der.push(0))),
        ("crl.der.one-spelling", Finished(with_default_written)),
        ("crl.version.two", Field(|t| t.version = Version::V1)),
        ("crl.algorithm.inside-as-outside", Field(|t| t.signature = oids::signature_identifier(Algorithm::Ed25519))),
        ("crl.algorithm.of-issuer-key", Outside(Algorithm::EcdsaP256)),
        ("crl.algorithm.no-parameters", Field(|t| t.signature.parameters = Some(Any::null()))),
        ("crl.signature.verifies", Finished(|der| *der.last_mut().unwrap() ^= 1)),
        (
            "crl.issuer.equals-subject-of-issuer",
            Field(|t| t.issuer = x509_cert::name::Name::from_der(&other_name().to_der().unwrap()).unwrap()),
        ),
        ("crl.issuer.may-sign-lists", Issuer(|t| set_value(t, oids::KEY_USAGE, &[3, 2, 2, 0x04]))),
        ("crl.issuer.may-sign-lists", Issuer(|t| remove(t, oids::KEY_USAGE))),
        ("crl.times.as-requested", Field(|t| t.this_update = instants::to_time(at("2026-11-22T14:00:01Z")).unwrap())),
        ("crl.times.as-requested", Field(|t| t.next_update = None)),
        ("crl.times.in-order", Asked(|r| r.next_update = r.this_update)),
        ("crl.times.in-order", Field(|t| t.next_update = None)),
        ("crl.times.within-profile", Asked(|r| r.next_update = instants::days_after(r.this_update, 367))),
        ("crl.times.within-issuer", Asked(|r| r.this_update = at("2026-11-22T13:59:59Z"))),
        ("crl.times.within-issuer", Asked(|r| r.next_update = at("2051-11-22T14:00:01Z"))),
        ("crl.times.types", Field(|t| t.this_update = general_time("2026-11-22T14:00:00Z"))),
        ("crl.times.types", Field(|t| entries(t)[0].revocation_date = general_time("2026-11-21T09:30:00Z"))),
        (
            "crl.extensions.once",
            Field(|t| {
                let again = list_extensions(t)[1].clone();
                list_extensions(t).push(again);
            }),
        ),
        (
            "crl.extensions.known",
            Field(|t| {
                let partial = ObjectIdentifier::new_unwrap("2.5.29.28");
                list_extensions(t).push(tbs::extension(partial, Criticality::Critical, &Vec::<Any>::new()).unwrap());
            }),
        ),
        ("crl.authority-key-identifier.not-critical", Field(|t| list_extensions(t)[0].critical = true)),
        ("crl.authority-key-identifier.of-issuer", Field(|t| drop(list_extensions(t).remove(0)))),
        (
            "crl.authority-key-identifier.of-issuer",
            Field(|t| {
                let other = [&[0x30, 22, 0x80, 20][..], &[0x11; 20]].concat();
                list_extensions(t)[0].extn_value = OctetString::new(other).unwrap();
            }),
        ),
        ("crl.number.not-critical", Field(|t| list_extensions(t)[1].critical = true)),
        ("crl.number.as-requested", Field(|t| drop(list_extensions(t).remove(1)))),
        (
            "crl.number.as-requested",
            Field(|t| list_extensions(t)[1].extn_value = OctetString::new([2, 1, 2].as_slice()).unwrap()),
        ),
        ("crl.entries.absent-when-empty", Field(|t| t.revoked_certificates = Some(vec![]))),
        ("crl.entries.as-requested", Field(|t| t.revoked_certificates = None)),
        ("crl.entries.as-requested", Field(|t| entries(t).reverse())),
        (
            "crl.entries.serials-positive",
            Field(|t| entries(t)[0].serial_number = SerialNumber::from_der(&[2, 1, 0x80]).unwrap()),
        ),
        (
            "crl.entries.once",
            Field(|t| {
                let again = entries(t)[0].clone();
                entries(t).push(again);
            }),
        ),
        (
            "crl.entries.dates",
            Field(|t| entries(t)[0].revocation_date = instants::to_time(at("2026-11-21T09:30:01Z")).unwrap()),
        ),
        ("crl.entries.dates", Asked(|r| r.revoked[0].date = at("2026-11-22T14:00:01Z"))),
        (
            "crl.entries.reasons",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::CertificateHold, Criticality::Optional)),
        ),
        (
            "crl.entries.reasons",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::Superseded, Criticality::Optional)),
        ),
        ("crl.entries.reasons", Field(|t| entries(t)[0].crl_entry_extensions = None)),
        (
            "crl.entries.extensions",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::KeyCompromise, Criticality::Critical)),
        ),
    ]
}

#[test]
fn every_rule_for_revocation_lists_finds_the_defect_planted_for_it() {
    let defects = list_defects();
    for (index, (rule, defect)) in defects.iter().enumerate() {
        let broken = list_rules_broken(defect);
        assert!(broken.contains(rule), "defect {index} for {rule}: found {broken:?}");
    }
    let planted: BTreeSet<&str> = defects.iter().map(|(rule, _)| *rule).collect();
    let rules: BTreeSet<&str> = crl_rules::RULES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules.difference(&planted).collect::<Vec<_>>(), Vec::<&&str>::new(), "rules without a defect");
    assert_eq!(rules.len(), crl_rules::RULES.len(), "a name stands for one rule");
}

#[test]
fn a_sound_revocation_list_breaks_no_rule() {
    assert_eq!(list_rules_broken(&ListDefect::Field(|_| ())), Vec::<&str>::new());
    assert_eq!(list_rules_broken(&ListDefect::Asked(|r| r.revoked.clear())), Vec::<&str>::new());
    assert_eq!(list_rules_broken(&ListDefect::Asked(|r| r.number = u64::MAX)), Vec::<&str>::new());
}
