//! What an answer with an object must agree with.

use super::*;
use crate::transfer::envelope::Kind;

const DER: &[u8] = &[0x30, 3, 2, 1, 7];

fn sent(octets: &[u8]) -> Answer {
    answer(&Envelope::new(Kind::Csr, Realm::Rehearsal, "their-name.csr", octets.to_vec()).unwrap(), Via::Camera)
}

#[test]
fn an_answer_of_one_piece_is_taken_apart() {
    let found = arrived(Realm::Rehearsal, "csr", 100, &sent(DER)).unwrap();
    assert_eq!((found.octets.as_slice(), found.name.as_str(), found.via), (DER, "their-name.csr", Via::Camera));
    assert_eq!(found.sha256, Digest::of(DER));
}

#[test]
fn what_does_not_agree_is_refused_and_named() {
    let refuse = |realm, kind, most, change: &dyn Fn(&mut Answer)| {
        let mut answer = sent(DER);
        change(&mut answer);
        arrived(realm, kind, most, &answer).unwrap_err()
    };
    let same = |_: &mut Answer| {};
    assert!(refuse(Realm::Rehearsal, "crl", 100, &same).contains("expected a crl, found a csr"));
    assert!(refuse(Realm::Rehearsal, "csr", 4, &same).contains("at most 4 octets, found 5"));
    // An envelope of the other realm has another digest: that is how its realm is in the record.
    assert!(refuse(Realm::Production, "csr", 100, &same).contains("does not have the digest it came with"));
    let change = |what: &'static str| {
        move |answer: &mut Answer| {
            let Answer::Object { octets, name, sha256, .. } = answer else { panic!("no object") };
            match what {
                "octets" => *octets = "3003020108".to_owned(),
                "upper" => *octets = "30030201AA".to_owned(),
                "name" => *name = "other.csr".to_owned(),
                "path" => *name = "../x".to_owned(),
                _ => *sha256 = Digest::of(b"other"),
            }
        }
    };
    for (what, said) in [
        ("octets", "does not have the digest it came with"),
        ("upper", "lower-case hexadecimal"),
        ("name", "does not have the digest it came with"),
        ("path", "name of the envelope"),
        ("sha256", "does not have the SHA-256 it came with"),
    ] {
        let refusal = refuse(Realm::Rehearsal, "csr", 100, &change(what));
        assert!(refusal.contains(said), "{what}: {refusal}");
    }
    assert!(arrived(Realm::Rehearsal, "csr", 100, &Answer::No).is_err());
}

#[test]
fn pem_and_der_of_one_object_have_the_same_inside() {
    let text = pem::to_pem("CERTIFICATE REQUEST", DER).unwrap();
    assert_eq!(inner(Kind::Csr, DER).unwrap(), DER);
    assert_eq!(inner(Kind::Csr, text.as_bytes()).unwrap(), DER);
    assert_eq!(inner(Kind::Csr, text.replace('\n', "\r\n").as_bytes()).unwrap(), DER);
    assert_eq!(inner(Kind::Csr, pem::to_pem("NEW CERTIFICATE REQUEST", DER).unwrap().as_bytes()).unwrap(), DER);
    assert_eq!(inner(Kind::Order, b"{}").unwrap(), b"{}", "what is no DER stays as it is");
}

#[test]
fn what_is_no_single_object_is_refused() {
    let certificate = pem::to_pem("CERTIFICATE", DER).unwrap();
    let two = pem::to_pem("CERTIFICATE REQUEST", DER).unwrap().repeat(2);
    let words = format!("hello\n{}", pem::to_pem("CERTIFICATE REQUEST", DER).unwrap());
    for (name, octets) in [
        ("another label", certificate.as_bytes()),
        ("two blocks", two.as_bytes()),
        ("words before it", words.as_bytes()),
        ("nothing", b""),
        ("no sequence", &[4, 1, 7]),
        ("octets after it", &[0x30, 1, 7, 0]),
        ("too short", &[0x30, 9, 7]),
        ("indefinite length", &[0x30, 0x80, 0, 0]),
        ("a longer length than needed", &[0x30, 0x81, 1, 7]),
    ] {
        assert!(inner(Kind::Csr, octets).is_err(), "{name}");
    }
}
