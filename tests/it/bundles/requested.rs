//! Keys that devices made: the strongroom certifies the accepted requests whose digests were approved, and nothing else.

use super::fixture::{self, Kind, REALM, issuing, profile};
use super::{open, records};
use anchorite::basics::Secret;
use anchorite::factory::record::DeviceKey;
use anchorite::factory::requests::Accepted;
use anchorite::factory::{BatchTerms, DeviceId, merkle};
use anchorite::keys::{Algorithm, SigningKey};
use anchorite::pki::Certificate;
use anchorite::pki::certificate::build_tbs;
use anchorite::pki::serial;
use anchorite::strongroom::Strongroom;
use anchorite::strongroom::protocol::{Request, Response};
use std::collections::BTreeMap;

fn accepted(count: u8, algorithm: Algorithm) -> Vec<Accepted> {
    let one = |n: u8| Accepted {
        device: DeviceId::parse(&format!("LAMP-{n:0width$}", width = if n < 4 { 8 } else { 9 })).unwrap(),
        attested: n.is_multiple_of(2),
        spki: SigningKey::from_material(algorithm, &[n; 64]).unwrap().public_key().spki_der().to_vec(),
        hardware: if n == 3 { BTreeMap::new() } else { BTreeMap::from([("soc".to_owned(), format!("9f{n:02}"))]) },
    };
    (1..=count).map(one).collect()
}

fn kind(algorithm: Algorithm, issuer: Algorithm) -> Kind {
    Kind {
        profile: "device-key",
        shard_records: 4,
        device: algorithm,
        issuer,
        requested: Some(accepted(10, algorithm)),
        ..Kind::default()
    }
}

#[test]
fn every_key_gets_its_certificate_with_the_policy_it_earned() {
    for (algorithm, issuer) in [
        (Algorithm::EcdsaP256, Algorithm::EcdsaP256),
        (Algorithm::Ed25519, Algorithm::EcdsaP256),
        (Algorithm::EcdsaP256, Algorithm::EcdsaP384),
    ] {
        let kind = kind(algorithm, issuer);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle");
        let mut room = issuing(Strongroom::in_process(), &kind);
        let written = room.write(&out).unwrap();
        assert_eq!(
            (written.manifest.count, written.manifest.shards()),
            (10, 3),
            "as many as were accepted, not ordered"
        );
        let attested = room.terms.for_attested().unwrap();
        let leaves = std::fs::read(out.join("leaves.bin")).unwrap();
        for (n, (record, asked)) in records(&out, &written.manifest).iter().zip(kind.requested.unwrap()).enumerate() {
            assert!(matches!(record.key, DeviceKey::None));
            assert_eq!((&record.device, &record.lineage.hardware), (&asked.device, &asked.hardware));
            let certificate = Certificate::parse(&record.certificate).unwrap();
            certificate.verify(&room.issuer).unwrap();
            assert_eq!(certificate.subject_key().spki_der(), asked.spki);
            let terms: &BatchTerms = if asked.attested { &attested } else { &room.terms };
            let request = terms.request(
                &room.issuer,
                &profile("device-key"),
                asked.device.as_str(),
                certificate.subject_key().clone(),
                serial::of(&room.terms.serial_seed, record.index).unwrap(),
                Some(record.lineage.digest()),
            );
            assert_eq!(certificate.tbs_der(), build_tbs(&request).unwrap(), "the template says what the builder says");
            assert_eq!(merkle::leaf(record.digest(REALM).octets()).octets(), &leaves[n * 32..][..32]);
        }
        let first = |terms: &BatchTerms| terms.additions.policies[0].oid.clone();
        assert_ne!(first(&room.terms), first(&attested));
        anchorite::bundles::check(&out, None, 0).unwrap();
        assert!(!open(&out, 0).windows(11).any(|octets| octets == b"PRIVATE KEY"));
    }
}

#[test]
fn other_requests_than_the_approved_ones_are_refused() {
    let opened = |kind: &Kind| {
        let mut room = issuing(Strongroom::in_process(), kind);
        let request = Request::OpenBatch {
            authority: "issuing".to_owned(),
            issuer: fixture::hex(room.issuer.der()),
            terms: Box::new(room.terms.clone()),
            digest: room.terms.digest().unwrap(),
        };
        assert!(matches!(room.strongroom.ask(request, None).unwrap().0, Response::BatchOpened { .. }));
        room
    };
    let refused = |room: &mut fixture::Issuing, shard, octets: Option<Vec<u8>>| {
        let asked = Request::IssueShards { first: shard, count: 1, devices: Vec::new() };
        match room.strongroom.ask(asked, octets.map(Secret::take)).unwrap().0 {
            Response::Refused { reason } => reason,
            other => panic!("{other:?}"),
        }
    };
    let kind = kind(Algorithm::EcdsaP256, Algorithm::EcdsaP256);
    let mut room = opened(&kind);
    assert!(refused(&mut room, 0, None).contains("requests of shard 0"), "none");
    let other = room.requested[1].clone();
    assert!(refused(&mut room, 0, Some(other)).contains("requests of shard 0"), "those of another shard");
    for at in [0, 3, 20, 60, room.requested[0].len() - 1] {
        let mut changed = room.requested[0].clone();
        changed[at] ^= 1;
        assert!(refused(&mut room, 0, Some(changed)).contains("requests of shard 0"), "octet {at}");
    }
    // One that is attested in what is brought, and was not in what was approved.
    let mut claimed = kind.requested.clone().unwrap();
    claimed[0].attested = true;
    let claimed = fixture::octets_of(&claimed, 4).remove(0);
    assert!(refused(&mut room, 0, Some(claimed)).contains("requests of shard 0"));
    let right = room.requested[0].clone();
    let asked = Request::IssueShards { first: 0, count: 1, devices: Vec::new() };
    let answer = room.strongroom.ask(asked, Some(Secret::take(right.clone()))).unwrap().0;
    assert!(matches!(answer, Response::ShardIssued { shard: 0 }));
    assert!(refused(&mut room, 0, Some(right)).contains("expected shard 1"), "each once");

    // A key of another algorithm than the order's, though the digest was approved.
    let mut wrong = Kind { requested: Some(accepted(2, Algorithm::Ed25519)), ..kind };
    wrong.shard_records = 2;
    let mut room = opened(&wrong);
    let octets = room.requested[0].clone();
    assert!(refused(&mut room, 0, Some(octets)).contains("expected one of ecdsa-p256"));

    // Requests have no place where keys are made here.
    let mut room = opened(&Kind { count: 2, ..Kind::default() });
    let octets = fixture::octets_of(&accepted(2, Algorithm::EcdsaP256), 2).remove(0);
    assert!(refused(&mut room, 0, Some(octets)).contains("where keys are made here"));
}
