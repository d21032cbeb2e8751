//! Published shapes a profile can claim to keep to. Only what a profile can say is looked at here: names, dates and keys
//! of one certificate are looked at when it is made. Sources: CA/Browser Forum Baseline Requirements 2.x (BR), Code Signing
//! Baseline Requirements (CS-BR), RFC 6960, Matter Core 6.2 as `PKI-RULES.md` gives it. IEEE 802.1AR-2018 is known to us
//! from other texts only: a profile that follows it is "802.1AR-style".

use super::{Extra, KeyUsage, Kind, Policies, Presence, Profile};
use crate::keys::Algorithm;
use crate::pki::name::Attribute;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// BR 7.1.2.1: root authority.
    CabfRoot,
    /// BR 7.1.2.3: subordinate authority that is technically no TLS issuer.
    CabfSubordinateNonTls,
    /// CS-BR 7.1: subordinate authority for code signing.
    CodeSigningSubordinate,
    /// RFC 6960 4.2.2.2: delegated OCSP responder.
    OcspResponder,
    /// Matter Core 6.2.2: product attestation authority.
    MatterPaa,
    /// Product attestation intermediate.
    MatterPai,
    /// Device attestation certificate.
    MatterDac,
}

type Rule = (&'static str, fn(&Profile) -> bool);

impl Shape {
    pub const ALL: [Shape; 7] = [
        Shape::CabfRoot,
        Shape::CabfSubordinateNonTls,
        Shape::CodeSigningSubordinate,
        Shape::OcspResponder,
        Shape::MatterPaa,
        Shape::MatterPai,
        Shape::MatterDac,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Shape::CabfRoot => "cabf-root",
            Shape::CabfSubordinateNonTls => "cabf-subordinate-non-tls",
            Shape::CodeSigningSubordinate => "code-signing-subordinate",
            Shape::OcspResponder => "ocsp-responder",
            Shape::MatterPaa => "matter-paa",
            Shape::MatterPai => "matter-pai",
            Shape::MatterDac => "matter-dac",
        }
    }

    /// Where a profile does not keep to the shape.
    pub(super) fn problems(self, profile: &Profile) -> Vec<String> {
        let broken = self.rules().iter().filter(|(_, holds)| !holds(profile));
        broken.map(|(rule, _)| format!("conforms_to {}: expected {rule}, found otherwise", self.word())).collect()
    }

    const fn rules(self) -> &'static [Rule] {
        match self {
            Shape::CabfRoot => CABF_ROOT,
            Shape::CabfSubordinateNonTls => CABF_SUBORDINATE_NON_TLS,
            Shape::CodeSigningSubordinate => CODE_SIGNING_SUBORDINATE,
            Shape::OcspResponder => OCSP_RESPONDER,
            Shape::MatterPaa => MATTER_PAA,
            Shape::MatterPai => MATTER_PAI,
            Shape::MatterDac => MATTER_DAC,
        }
    }
}

const CABF_ROOT: &[Rule] = &[
    ("kind root (7.1.2.1)", |p| p.kind == Kind::Root),
    ("2922 to 9132 days (7.1.2.1.1)", |p| p.min_days == Some(2922) && p.max_days == Some(9132)),
    ("country, organization and common name required (7.1.2.10.2)", cabf_subject),
    ("no organizational unit (7.1.2.10.2)", no_unit),
    ("keys on P-256 or P-384 (6.1.5)", cabf_keys),
    ("key-cert-sign and crl-sign only (7.1.2.10.7)", signs_only),
    ("no path length (7.1.2.1.4)", |p| p.path_len.is_none()),
    ("no policies in production (7.1.2.1.2)", |p| matches!(p.policies, Policies::None | Policies::RehearsalMark)),
];

const CABF_SUBORDINATE_NON_TLS: &[Rule] = &[
    ("kind subordinate (7.1.2.3)", |p| p.kind == Kind::Subordinate),
    ("country, organization and common name required (7.1.2.10.2)", cabf_subject),
    ("no organizational unit (7.1.2.10.2)", no_unit),
    ("keys on P-256, P-384 or P-521, or RSA (6.1.5)", cabf_keys),
    ("key-cert-sign and crl-sign only (7.1.2.10.7)", signs_only),
    ("crl_distribution required (7.1.2.11.2)", |p| p.crl_distribution.presence == Presence::Required),
    ("authority_info not never (7.1.2.10.3)", |p| p.authority_info.presence != Presence::Never),
    ("an extended key usage, without server-auth and any (7.1.2.3.3)", |p| {
        let wrong = |p: &super::Purpose| p.is("server-auth") || p.is("any");
        !p.extended_key_usages.is_empty() && !p.extended_key_usages.iter().any(wrong)
    }),
    ("lists for at most 366 days (4.9.7)", |p| p.crl.as_ref().is_some_and(|crl| crl.max_days <= 366)),
];

const CODE_SIGNING_SUBORDINATE: &[Rule] = &[
    ("kind subordinate", |p| p.kind == Kind::Subordinate),
    ("country, organization and common name required", cabf_subject),
    ("extended key usage code-signing alone", |p| only(p, "code-signing")),
    ("crl_distribution required", |p| p.crl_distribution.presence == Presence::Required),
    ("authority_info not never", |p| p.authority_info.presence != Presence::Never),
    ("keys on P-256, P-384 or P-521, or RSA of 4096 bits", |p| {
        cabf_keys(p) && p.request_keys.iter().all(|word| word == "ecdsa-p521" || word == "rsa-4096")
    }),
];

const OCSP_RESPONDER: &[Rule] = &[
    ("kind end-entity", |p| p.kind == Kind::EndEntity),
    ("key usage digital-signature alone", |p| p.key_usages == [KeyUsage::DigitalSignature]),
    ("extended key usage ocsp-signing alone (4.2.2.2)", |p| only(p, "ocsp-signing")),
    ("ocsp-no-check, or an address of a revocation list (4.2.2.2.1)", |p| {
        p.extensions.contains(&Extra::OcspNoCheck) || p.crl_distribution.presence == Presence::Required
    }),
];

const MATTER_PAA: &[Rule] = &[
    ("kind root", |p| p.kind == Kind::Root),
    ("ecdsa-p256 alone", matter_keys),
    ("at most 600 octets", matter_size),
    ("common_name required, matter_vid optional or required, no matter_pid", |p| {
        requires(p, Attribute::CommonName) && allows(p, Attribute::MatterVid) && !allows(p, Attribute::MatterPid)
    }),
    ("path_len 1 or none", |p| p.path_len.is_none_or(|length| length == 1)),
];

const MATTER_PAI: &[Rule] = &[
    ("kind subordinate", |p| p.kind == Kind::Subordinate),
    ("ecdsa-p256 alone, of the issuer too", |p| matter_keys(p) && p.issuer_algorithms == [Algorithm::EcdsaP256]),
    ("at most 600 octets", matter_size),
    ("common_name and matter_vid required, matter_pid optional", |p| {
        requires(p, Attribute::CommonName) && requires(p, Attribute::MatterVid) && allows(p, Attribute::MatterPid)
    }),
    ("path_len 0", |p| p.path_len == Some(0)),
];

const MATTER_DAC: &[Rule] = &[
    ("kind end-entity", |p| p.kind == Kind::EndEntity),
    ("ecdsa-p256 alone, of the issuer too", |p| matter_keys(p) && p.issuer_algorithms == [Algorithm::EcdsaP256]),
    ("at most 600 octets", matter_size),
    ("common_name, matter_vid and matter_pid required", |p| {
        [Attribute::CommonName, Attribute::MatterVid, Attribute::MatterPid]
            .into_iter()
            .all(|wanted| requires(p, wanted))
    }),
    ("key usage digital-signature alone", |p| p.key_usages == [KeyUsage::DigitalSignature]),
    ("no extended key usage", |p| p.extended_key_usages.is_empty()),
];

fn requires(profile: &Profile, attribute: Attribute) -> bool {
    profile.subject.required.contains(&attribute)
}

fn allows(profile: &Profile, attribute: Attribute) -> bool {
    requires(profile, attribute) || profile.subject.optional.contains(&attribute)
}

fn cabf_subject(profile: &Profile) -> bool {
    [Attribute::Country, Attribute::Organization, Attribute::CommonName].into_iter().all(|a| requires(profile, a))
}

fn no_unit(profile: &Profile) -> bool {
    !allows(profile, Attribute::OrganizationalUnit)
}

/// The browsers' rules know no Ed25519 and nothing post-quantum.
fn cabf_keys(profile: &Profile) -> bool {
    profile.algorithms.iter().all(|key| matches!(key, Algorithm::EcdsaP256 | Algorithm::EcdsaP384))
}

fn signs_only(profile: &Profile) -> bool {
    profile.key_usages.iter().all(|usage| matches!(usage, KeyUsage::KeyCertSign | KeyUsage::CrlSign))
}

fn only(profile: &Profile, word: &str) -> bool {
    matches!(profile.extended_key_usages.as_slice(), [one] if one.is(word))
}

fn matter_keys(profile: &Profile) -> bool {
    profile.algorithms == [Algorithm::EcdsaP256] && profile.request_keys.is_empty()
}

fn matter_size(profile: &Profile) -> bool {
    profile.max_octets.is_some_and(|most| most <= 600)
}
