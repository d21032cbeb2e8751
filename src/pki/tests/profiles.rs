//! Profiles: those that come with the tool are sound, and what can be wrong with one is said.

use super::chains::profile;
use crate::basics::Realm;
use crate::keys::Algorithm;
use crate::pki::additions::Policy;
use crate::pki::general_name::{AltKind, Subtree};
use crate::pki::name::Attribute;
use crate::pki::profile::{
    self, Extra, KeyUsage, NameConstraints, Policies, PolicyRule, Presence, Profile, Purpose, Shape, Source,
};

#[test]
fn every_built_in_profile_is_named_as_its_file_and_has_no_problems() {
    for (name, text) in profile::BUILT_IN {
        let profile: Profile = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&profile.name, name);
        assert_eq!(profile.check(), Vec::<String>::new(), "{name}");
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile, "{name}");
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ceremony-scripts/profiles");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension() == Some("toml".as_ref()));
    assert_eq!(files.count(), profile::BUILT_IN.len(), "each file is built in");
}

#[test]
fn what_is_wrong_with_a_profile_is_said() {
    type Change = fn(&mut Profile);
    let cases: [(&str, &str, Change); 39] = [
        ("source.url", "root-cabf", |p| p.source = Some(Source { url: "http://x".into(), clause: "1".into() })),
        ("source.clause", "root-cabf", |p| p.source = Some(Source { url: "https://x/".into(), clause: " ".into() })),
        ("max_years: expected max_years, max_days or never_ends", "root-device", |p| p.max_years = None),
        ("never_ends: expected no max_years", "idevid", |p| p.max_years = Some(3)),
        ("may_never_end: expected never_ends = true or this", "idevid", |p| p.may_never_end = true),
        ("max_days", "ocsp-signer", |p| p.max_days = Some(9_133)),
        ("min_days", "ocsp-signer", |p| p.min_days = Some(91)),
        ("request_keys: expected ecdsa-p521 or rsa", "subca-device", |p| p.request_keys.push("rsa-1024".into())),
        ("request_keys: expected at most", "subca-device", |p| p.request_keys.push("rsa-4096".into())),
        ("request_keys, issuer_algorithms: expected none for a root", "root-device", |p| {
            p.request_keys.push("rsa-4096".into());
        }),
        ("key_usages: expected key-agreement with elliptic curves", "ldevid", |p| {
            p.key_usages.push(KeyUsage::KeyAgreement)
        }),
        ("key_usages: expected some for an end entity", "idevid", |p| p.key_usages.push(KeyUsage::KeyCertSign)),
        ("key_usages: expected some for an end entity", "idevid", |p| p.key_usages.clear()),
        ("key_usages: expected key-cert-sign and crl-sign", "subca-device", |p| p.key_usages.truncate(1)),
        ("extended_key_usages: expected any alone", "tls-client", |p| {
            p.extended_key_usages.push(Purpose::named("any").unwrap());
        }),
        ("extended_key_usages: expected none for a root", "root-device", |p| {
            p.extended_key_usages.push(Purpose::named("client-auth").unwrap());
        }),
        ("path_len: expected none for an end entity", "idevid", |p| p.path_len = Some(0)),
        ("crl: expected max_days", "subca-device", |p| p.crl = None),
        ("crl: expected none for an end entity", "idevid", |p| p.crl = Some(profile::CrlProfile { max_days: 3 })),
        ("delegated: expected a subordinate", "tls-client", |p| p.delegated = true),
        ("delegated: expected max_days of at most 92", "subca-factory", |p| p.max_days = Some(93)),
        ("delegated: expected path_len 0", "subca-factory", |p| p.path_len = None),
        ("delegated: expected name_constraints", "subca-factory", |p| p.name_constraints = None),
        ("delegated: expected extended_key_usages other than any", "subca-factory", |p| {
            p.extended_key_usages = vec![Purpose::named("any").unwrap()];
        }),
        ("subject: expected at most", "root-device", |p| p.subject.optional.push(Attribute::CommonName)),
        ("subject.required: expected organization or common_name", "idevid", |p| {
            p.subject.required.retain(|attribute| *attribute != Attribute::Organization);
        }),
        ("alternative_names: expected none for a root", "root-device", |p| {
            p.alternative_names.optional.push(AltKind::Dns)
        }),
        ("policies: expected \"none\"", "subca-device", |p| p.policies = Policies::Listed(vec![])),
        ("policies: expected an object identifier", "subca-device", |p| {
            p.policies = Policies::Listed(vec![PolicyRule { oid: ".x".into(), cps: None }]);
        }),
        ("policies: expected anyPolicy alone", "subca-device", |p| {
            let rule = |oid: &str| PolicyRule { oid: oid.into(), cps: None };
            p.policies = Policies::Listed(vec![rule("2.5.29.32.0"), rule(".1")]);
        }),
        ("policies.cps", "subca-device", |p| {
            p.policies = Policies::Listed(vec![PolicyRule { oid: ".1".into(), cps: Some("ftp://x/".into()) }]);
        }),
        ("crl_distribution.urls", "subca-device", |p| p.crl_distribution.urls.push("http://a b/".into())),
        ("authority_info.ocsp: expected none where the presence is never", "ocsp-signer", |p| {
            p.authority_info.ocsp.push("http://ocsp.example/".into());
        }),
        ("crl_distribution, authority_info: expected never for a root", "root-device", |p| {
            p.crl_distribution.presence = Presence::Optional;
        }),
        ("max_octets", "matter-dac", |p| p.max_octets = Some(100)),
        ("name_constraints: expected 1 to", "subca-device", |p| p.name_constraints = Some(NameConstraints::default())),
        ("name constraint ip: expected address/bits", "subca-device", |p| {
            let permitted = vec![Subtree::Ip("192.0.2.1/24".into())];
            p.name_constraints = Some(NameConstraints { permitted, excluded: vec![] });
        }),
        ("extensions: expected ocsp-no-check with", "tls-client", |p| p.extensions.push(Extra::OcspNoCheck)),
        ("lineage: expected never for a root", "root-device", |p| p.lineage = Presence::Optional),
    ];
    for (says, name, change) in cases {
        let mut bad = profile(name);
        change(&mut bad);
        let problems = bad.check();
        assert!(problems.iter().any(|problem| problem.starts_with(says)), "{name}, {says}: {problems:?}");
    }
}

#[test]
fn a_shape_is_kept_or_its_broken_clause_named() {
    let shaped: [(&str, Shape); 7] = [
        ("root-cabf", Shape::CabfRoot),
        ("subca-nontls-cabf", Shape::CabfSubordinateNonTls),
        ("subca-codesign", Shape::CodeSigningSubordinate),
        ("ocsp-signer", Shape::OcspResponder),
        ("matter-paa", Shape::MatterPaa),
        ("matter-pai", Shape::MatterPai),
        ("matter-dac", Shape::MatterDac),
    ];
    for (name, shape) in shaped {
        assert!(profile(name).conforms_to.contains(&shape), "{name}");
        for (other, _) in profile::BUILT_IN.iter().filter(|(other, _)| *other != name) {
            let mut claims = profile(other);
            claims.conforms_to = vec![shape];
            let broken = claims.check();
            // A code signing authority is technically no TLS issuer either.
            if (*other, shape) == ("subca-codesign", Shape::CabfSubordinateNonTls) {
                assert_eq!(broken, Vec::<String>::new());
                continue;
            }
            assert!(broken.iter().any(|problem| problem.contains(shape.word())), "{other} is no {}", shape.word());
        }
    }
    let mut tls = profile("subca-nontls-cabf");
    tls.extended_key_usages.push(Purpose::named("server-auth").unwrap());
    assert!(tls.check().join("; ").contains("without server-auth and any (7.1.2.3.3)"));
    let mut browser = profile("root-cabf");
    browser.algorithms.push(Algorithm::Ed25519);
    assert!(browser.check().join("; ").contains("keys on P-256 or P-384 (6.1.5)"));
}

#[test]
fn policies_follow_the_arc_and_never_leave_a_rehearsal() {
    let rule = |oid: &str| PolicyRule { oid: oid.into(), cps: None };
    let listed = Policies::Listed(vec![rule(".1.1"), rule("2.23.133.11.1.1")]);
    let mark = "1.3.6.1.4.1.32473.1.1";
    let oids = |realm, arc| -> Vec<String> {
        listed.in_realm(realm, arc, mark).into_iter().map(|policy: Policy| policy.oid).collect()
    };
    assert_eq!(oids(Realm::Production, "1.3.6.1.4.1.99999"), ["1.3.6.1.4.1.99999.1.1", "2.23.133.11.1.1"]);
    assert_eq!(oids(Realm::Rehearsal, "1.3.6.1.4.1.99999"), ["1.3.6.1.4.1.32473.2.1.1"]);
    assert_eq!(oids(Realm::Rehearsal, "1.3.6.1.4.1.32473.5"), ["1.3.6.1.4.1.32473.5.1.1"]);
    let whole = Policies::Listed(vec![rule("2.23.133.11.1.1")]);
    assert_eq!(whole.in_realm(Realm::Rehearsal, "", mark), [Policy::plain(mark)]);
    for policies in [&listed, &whole, &Policies::None, &Policies::RehearsalMark] {
        for realm in [Realm::Production, Realm::Rehearsal] {
            let given = policies.in_realm(realm, "1.3.6.1.4.1.99999", mark);
            assert_eq!(policies.problems(realm, &given), Vec::<String>::new());
        }
    }
}

#[test]
fn an_unknown_word_is_refused_by_name() {
    let text = |from: &str, to: &str| {
        let changed = profile::ROOT_DEVICE.replace(from, to);
        toml::from_str::<Profile>(&changed).map(|_| ()).unwrap_err().message().to_owned()
    };
    assert!(text("\"rehearsal-mark\"", "\"x\"").contains("expected \"none\", \"rehearsal-mark\" or a list"));
    assert!(text("kind = \"root\"", "kind = \"roots\"").contains("subordinate"));
    assert!(text("kind = ", "extended_key_usages = [\"x\"]\nkind = ").contains("expected an extended key usage"));
}
