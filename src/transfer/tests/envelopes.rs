//! Envelopes: the strict form, and every way it can be wrong.

use crate::basics::{Digest, Realm, limits};
use crate::transfer::envelope::is_name;
use crate::transfer::{Envelope, EnvelopeError, Kind};
use proptest::prelude::*;

fn hello() -> Envelope {
    Envelope::new(Kind::Certificate, Realm::Production, "root.crt", b"hello".to_vec()).unwrap()
}

#[test]
fn the_example_of_the_specification_is_what_is_written() {
    let line = "AE1 certificate production root.crt 5 \
                2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(hello().header(), line);
    assert_eq!(hello().to_octets(), format!("{line}\nhello").into_bytes());
    assert_eq!(hello().digest(), Digest::of(format!("{line}\nhello").as_bytes()));
}

#[test]
fn the_digest_covers_kind_realm_name_and_content() {
    let with = |kind, realm, name, octets: &[u8]| Envelope::new(kind, realm, name, octets.to_vec()).unwrap().digest();
    let all = [
        with(Kind::Csr, Realm::Production, "a", b"x"),
        with(Kind::Crl, Realm::Production, "a", b"x"),
        with(Kind::Csr, Realm::Rehearsal, "a", b"x"),
        with(Kind::Csr, Realm::Production, "b", b"x"),
        with(Kind::Csr, Realm::Production, "a", b"y"),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn every_kind_and_realm_comes_back() {
    for kind in Kind::ALL {
        for realm in [Realm::Production, Realm::Rehearsal] {
            let envelope = Envelope::new(kind, realm, "a", vec![0, b'\n', 255]).unwrap();
            assert_eq!(Envelope::parse(&envelope.to_octets()).unwrap(), envelope);
            assert_eq!(Kind::parse(kind.word()), Some(kind));
        }
    }
}

#[test]
fn the_longest_header_line_is_within_its_bound() {
    let name = "n".repeat(limits::ENVELOPE_NAME_CHARS);
    let most = limits::ENVELOPE_OCTETS - limits::ENVELOPE_HEADER_OCTETS;
    let envelope = Envelope::new(Kind::BundleManifest, Realm::Production, &name, vec![7; most]).unwrap();
    assert!(envelope.header().len() < limits::ENVELOPE_HEADER_OCTETS);
    assert_eq!(Envelope::parse(&envelope.to_octets()).unwrap(), envelope);
    let long = Envelope::new(Kind::Csr, Realm::Production, "a", vec![7; most + 1]);
    assert_eq!(long.unwrap_err(), EnvelopeError::Size { most, found: most + 1 });
}

#[test]
fn names_that_hide_or_lead_elsewhere_are_refused() {
    let long = "n".repeat(limits::ENVELOPE_NAME_CHARS + 1);
    for name in
        ["", ".", "..", ".x", "-rf", "a/b", "a\\b", "a b", "a\n", "a\u{202e}b", "é", "x.", "a:b", "nul\0", "*", &long]
    {
        assert!(!is_name(name), "{name:?}");
        let error = Envelope::new(Kind::Csr, Realm::Production, name, vec![1]).unwrap_err();
        assert!(matches!(&error, EnvelopeError::Name(_)), "{name:?}");
        assert!(!error.to_string().contains(['\u{202e}', '\n', '\0']), "{error}");
    }
    for name in ["a", "root.crt", "Issuing-CA_2.csr", "0"] {
        assert!(is_name(name), "{name:?}");
    }
}

#[test]
fn everything_that_is_wrong_with_an_envelope_has_its_name() {
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let other = digest.replace('2', "3");
    let cases = [
        (String::new(), "open with AE1"),
        (format!("AE2 csr production a 5 {digest}\nhello"), "open with AE1, found AE2"),
        (format!("AE1\tcsr production a 5 {digest}\nhello"), "open with AE1, found AE1<U+0009>"),
        (format!("AE1  csr production a 5 {digest}\nhello"), "six words"),
        (format!("AE1 csr production a 5 {digest}"), "six words"),
        (format!("AE1 csr production a 5 {digest} \nhello"), "six words"),
        (format!("AE1 {} production a 5 {digest}\nhello", "k".repeat(300)), "six words"),
        (format!("AE1 CSR production a 5 {digest}\nhello"), "a kind such as csr"),
        (format!("AE1 share production a 5 {digest}\nhello"), "a kind such as csr"),
        (format!("AE1 csr Production a 5 {digest}\nhello"), "production or rehearsal"),
        (format!("AE1 csr production ../a 5 {digest}\nhello"), "name of the envelope"),
        (format!("AE1 csr production a 05 {digest}\nhello"), "without leading zeros"),
        (format!("AE1 csr production a +5 {digest}\nhello"), "without leading zeros"),
        (format!("AE1 csr production a 0 {digest}\n"), "without leading zeros"),
        (format!("AE1 csr production a 99999999999999999999 {digest}\nhello"), "without leading zeros"),
        (format!("AE1 csr production a 4194305 {digest}\nhello"), "without leading zeros"),
        (format!("AE1 csr production a 5 {}\nhello", digest.to_uppercase()), "lower-case hexadecimal"),
        (format!("AE1 csr production a 5 {other}\nhello"), "does not have the SHA-256"),
        (format!("AE1 csr production a 5 {digest}\nhell"), "expected 5 octets of content, found 4"),
        (format!("AE1 csr production a 5 {digest}\nhello\n"), "expected 5 octets of content, found 6"),
        (format!("AE1 csr production a 5 {digest}\r\nhello"), "lower-case hexadecimal"),
        (format!("\u{feff}AE1 csr production a 5 {digest}\nhello"), "open with AE1"),
    ];
    assert!(Envelope::parse(format!("AE1 csr production a 5 {digest}\nhello").as_bytes()).is_ok());
    for (text, expected) in cases {
        let error = Envelope::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

proptest! {
    #[test]
    fn what_parses_is_written_back_octet_for_octet(
        kind in 0..12_usize, name in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}[a-z]", octets in prop::collection::vec(any::<u8>(), 1..300),
        flip in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let envelope = Envelope::new(Kind::ALL[kind], Realm::Rehearsal, &name, octets).unwrap();
        let mut written = envelope.to_octets();
        prop_assert_eq!(Envelope::parse(&written).unwrap(), envelope.clone());
        let place = flip.index(written.len());
        written[place] ^= 1 << bit;
        if let Ok(parsed) = Envelope::parse(&written) {
            prop_assert_ne!(parsed.digest(), envelope.digest());
            prop_assert_eq!(parsed.to_octets(), written);
        }
    }

    #[test]
    fn no_octets_are_an_envelope_by_accident(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Envelope::parse(&octets).is_err());
    }
}
