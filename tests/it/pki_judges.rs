//! What must hold for any octets whatever that should be a request, a certificate, a list, a profile, a script or an order. The slice in
//! `pki_fuzz.rs` runs them over the corpora and what grows from them; the targets in `fuzz/` run them under libFuzzer.

use anchorite::ceremony::steps;
use anchorite::pki::request::{Known, Rules, der_of_file, judge};
use anchorite::pki::{Certificate, CertificateList, Profile};
use anchorite::script::order::SignedOrder;
use anchorite::script::parse;
use der::{Decode, Encode};

/// A request: judged without a panic, with a reason or acceptable; what is acceptable is written again by another writer.
pub fn csr(octets: &[u8]) {
    let judgement = judge(octets, &Rules::default(), &Known::default());
    assert_eq!(judgement.acceptable.is_some(), judgement.reasons.is_empty());
    if let Some(acceptable) = &judgement.acceptable {
        assert_eq!(acceptable.der(), octets);
        let parsed = x509_cert::request::CertReq::from_der(octets).unwrap();
        assert_eq!(parsed.to_der().unwrap(), octets);
        assert_eq!(parsed.info.public_key.to_der().unwrap(), acceptable.key().spki_der());
        assert_eq!(parsed.info.subject.to_der().unwrap(), acceptable.subject_der());
    }
    if let Ok(der) = der_of_file(octets) {
        assert!(der.len() <= octets.len());
    }
}

/// A certificate: what is read is what is there.
pub fn certificate(octets: &[u8]) {
    if let Ok(certificate) = Certificate::parse(octets) {
        assert_eq!(certificate.der(), octets);
        let _ = certificate.verify_self_signed();
        assert_eq!(x509_cert::Certificate::from_der(octets).unwrap().to_der().unwrap(), octets);
    }
}

/// A revocation list: likewise.
pub fn crl(octets: &[u8]) {
    if let Ok(list) = CertificateList::parse(octets) {
        assert_eq!(list.der(), octets);
    }
}

/// A profile: read and checked without a panic; what is read is the same when it is written as JSON and read again.
pub fn profile(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(profile) = toml::from_str::<Profile>(text) {
        let _ = profile.check();
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
    }
    let _ = Rules::from_toml(text);
}

/// A script: read, with every problem in its place; an order: read as written.
pub fn script(octets: &[u8]) {
    let kinds = steps::kinds();
    match parse::script("script.toml", octets, &kinds) {
        Ok(_) => {}
        Err(problems) => assert!(!problems.is_empty()),
    }
    if let Ok(signed) = SignedOrder::parse(octets) {
        assert!(octets.starts_with(&signed.order.to_octets().unwrap()));
    }
}
