//! NIST's PKITS (public domain; here from PyPI `cryptography_vectors`): every certificate and list is read without a panic, and
//! where our checks of one step apply they say what PKITS says. Paths of several steps, policies along them, revocation and
//! dates against a clock are a verifier's and are not looked at; DSA is not verified.

use crate::pki::inspect;
use crate::pki::{Certificate, CertificateList};
use std::path::PathBuf;

/// The folder, where the judges are installed.
fn folder() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/.judges/venv/lib");
    let python = std::fs::read_dir(root).ok()?.next()?.ok()?.path();
    let folder = python.join("site-packages/cryptography_vectors/x509/PKITS_data");
    folder.is_dir().then_some(folder)
}

/// Certificate, issuer, rules about the issuer or the certificate that must be among the findings.
const CERTIFICATES: &[(&str, &str, &[&str])] = &[
    ("GoodCACert", "TrustAnchorRootCertificate", &[]),
    ("ValidCertificatePathTest1EE", "GoodCACert", &[]),
    ("BadSignedCACert", "TrustAnchorRootCertificate", &["issuer.signature"]),
    ("InvalidEESignatureTest3EE", "GoodCACert", &["issuer.signature"]),
    ("InvalidNameChainingTest1EE", "GoodCACert", &["issuer.name"]),
    ("InvalidMissingbasicConstraintsTest1EE", "MissingbasicConstraintsCACert", &["issuer.authority"]),
    ("InvalidcAFalseTest2EE", "basicConstraintsCriticalcAFalseCACert", &["issuer.authority"]),
    ("InvalidcAFalseTest3EE", "basicConstraintsNotCriticalcAFalseCACert", &["issuer.authority"]),
    ("InvalidkeyUsageCriticalkeyCertSignFalseTest1EE", "keyUsageCriticalkeyCertSignFalseCACert", &["issuer.authority"]),
    (
        "InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE",
        "keyUsageNotCriticalkeyCertSignFalseCACert",
        &["issuer.authority"],
    ),
    ("pathLenConstraint0subCACert", "pathLenConstraint0CACert", &["issuer.path-length"]),
    ("pathLenConstraint0SelfIssuedCACert", "pathLenConstraint0CACert", &[]),
    ("InvalidNegativeSerialNumberTest15EE", "NegativeSerialNumberCACert", &["cert.serial.positive"]),
    ("ValidLongSerialNumberTest16EE", "LongSerialNumberCACert", &[]),
    ("InvalidUnknownCriticalCertificateExtensionTest2EE", "TrustAnchorRootCertificate", &["extensions.critical-known"]),
    ("ValidUnknownNotCriticalCertificateExtensionTest1EE", "TrustAnchorRootCertificate", &[]),
    ("ValidGeneralizedTimenotBeforeDateTest4EE", "GoodCACert", &["cert.not-before.form", "issuer.validity"]),
];

/// List, issuer, rules.
const LISTS: &[(&str, &str, &[&str])] = &[
    ("GoodCACRL", "GoodCACert", &[]),
    ("TrustAnchorRootCRL", "TrustAnchorRootCertificate", &[]),
    ("BadCRLSignatureCACRL", "BadCRLSignatureCACert", &["issuer.signature"]),
    ("BadCRLIssuerNameCACRL", "BadCRLIssuerNameCACert", &["issuer.name"]),
    ("keyUsageCriticalcRLSignFalseCACRL", "keyUsageCriticalcRLSignFalseCACert", &["issuer.signs-lists"]),
    ("keyUsageNotCriticalcRLSignFalseCACRL", "keyUsageNotCriticalcRLSignFalseCACert", &["issuer.signs-lists"]),
    ("UnknownCRLEntryExtensionCACRL", "UnknownCRLEntryExtensionCACert", &["crl.entry.critical"]),
    ("UnknownCRLExtensionCACRL", "UnknownCRLExtensionCACert", &["extensions.critical-known"]),
    ("GeneralizedTimeCRLnextUpdateCACRL", "GeneralizedTimeCRLnextUpdateCACert", &[]),
    ("NegativeSerialNumberCACRL", "NegativeSerialNumberCACert", &["crl.entry.serial-positive"]),
];

#[test]
fn pkits_is_read_and_judged_where_one_step_decides() {
    let Some(folder) = folder() else {
        eprintln!("skipped: cryptography_vectors is not in tests/.judges/venv; tests/all puts it there");
        return;
    };
    let certificate = |name: &str| std::fs::read(folder.join("certs").join(format!("{name}.crt"))).unwrap();
    let list = |name: &str| std::fs::read(folder.join("crls").join(format!("{name}.crl"))).unwrap();
    let mut counts = [0_usize; 2];
    for (place, kind) in ["certs", "crls"].into_iter().enumerate() {
        for file in std::fs::read_dir(folder.join(kind)).unwrap() {
            let octets = std::fs::read(file.unwrap().path()).unwrap();
            let _ = (Certificate::parse(&octets).is_ok(), CertificateList::parse(&octets).is_ok());
            if kind == "certs" {
                assert!(inspect::certificate(&octets, None, None).0.is_some());
            } else {
                assert!(inspect::revocation_list(&octets, None, None).0.is_some());
            }
            counts[place] += 1;
        }
    }
    assert!(counts[0] >= 400 && counts[1] >= 170, "{counts:?}");
    let relevant = |rule: &str| rule.starts_with("issuer.");
    for (name, issuer, rules) in CERTIFICATES {
        let (_, findings) = inspect::certificate(&certificate(name), Some(&certificate(issuer)), None);
        let found: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        assert!(rules.iter().all(|rule| found.contains(rule)), "{name}: expected {rules:?}, found {found:?}");
        assert!(found.iter().all(|rule| !relevant(rule) || rules.contains(rule)), "{name}: {found:?}");
    }
    for (name, issuer, rules) in LISTS {
        let (_, findings) = inspect::revocation_list(&list(name), Some(&certificate(issuer)), None);
        let found: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        assert!(rules.iter().all(|rule| found.contains(rule)), "{name}: expected {rules:?}, found {found:?}");
        assert!(found.iter().all(|rule| !relevant(rule) || rules.contains(rule)), "{name}: {found:?}");
    }
}
