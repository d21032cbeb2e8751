//! What a certificate is made from, and everything that keeps it from being made.

use crate::basics::digest::hex_encode;
use crate::basics::{Instant, Realm};
use crate::keys::{PublicKey, SubjectKey};
use crate::pki::additions::Additions;
use crate::pki::certificate::{Certificate, key_identifier};
use crate::pki::name::{Attribute, REHEARSAL_MARK, Subject, SubjectName};
use crate::pki::profile::presence::url_problem;
use crate::pki::profile::{Kind, Presence, Profile};
use crate::pki::{PkiError, instants, oids};
use const_oid::ObjectIdentifier;

/// Everything a certificate is made from: equal requests give equal octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    pub realm: Realm,
    pub issuer: Issuer<'a>,
    /// As it will be written: in a rehearsal the result of [`crate::pki::name::marked`].
    pub subject: SubjectName,
    pub key: SubjectKey,
    /// Where it is not the one of [`key_identifier`]: cross-certificates take over the one the authority has.
    pub ski: Option<Vec<u8>>,
    pub not_before: Instant,
    pub not_after: Instant,
    /// 20 octets, the first from 40 to 7f: always positive, always minimal DER.
    pub serial: [u8; 20],
    pub additions: Additions,
    pub profile: Profile,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer<'a> {
    /// The key that is certified.
    SelfSigned,
    By(&'a Certificate),
}

impl<'a> CertificateRequest<'a> {
    /// A cross-certificate for an authority that has a certificate already: its name, key and key identifier octet for
    /// octet, under another authority.
    #[must_use]
    pub fn cross(
        realm: Realm,
        issuer: &'a Certificate,
        of: &Certificate,
        (not_before, not_after): (Instant, Instant),
        serial: [u8; 20],
        profile: Profile,
    ) -> Self {
        Self {
            realm,
            issuer: Issuer::By(issuer),
            subject: SubjectName::Copy(of.subject_der().to_vec()),
            key: of.subject_key().clone(),
            ski: Some(of.ski().to_vec()),
            not_before,
            not_after,
            serial,
            additions: Additions::default(),
            profile,
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.profile.kind {
            Kind::Root => "root certificate",
            Kind::Subordinate => "subordinate certificate",
            Kind::Cross => "cross-certificate",
            Kind::EndEntity => "end-entity certificate",
        }
    }

    /// The key that signs; nothing where the issuer's is of a kind that signs nothing here.
    #[must_use]
    pub fn signer(&self) -> Option<&PublicKey> {
        match self.issuer {
            Issuer::SelfSigned => self.key.as_public_key(),
            Issuer::By(issuer) => issuer.public_key(),
        }
    }

    /// The key identifier of the subject.
    #[must_use]
    pub fn key_identifier(&self) -> Vec<u8> {
        self.ski.clone().unwrap_or_else(|| key_identifier(&self.key))
    }

    /// The key identifier of the issuer.
    #[must_use]
    pub fn issuer_key_identifier(&self) -> Vec<u8> {
        match self.issuer {
            Issuer::SelfSigned => self.key_identifier(),
            Issuer::By(issuer) => issuer.ski().to_vec(),
        }
    }

    /// The issuer's name, octet for octet.
    ///
    /// # Errors
    /// Where it is the subject's, and that cannot be written.
    pub fn issuer_der(&self) -> Result<Vec<u8>, PkiError> {
        match self.issuer {
            Issuer::SelfSigned => self.subject.to_der(),
            Issuer::By(issuer) => Ok(issuer.subject_der().to_vec()),
        }
    }

    /// Everything that keeps this request from being built; empty where it can be.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = Problems(self.profile.check().into_iter().map(|p| format!("profile {p}")).collect());
        self.check_subject(&mut problems);
        self.check_validity(&mut problems);
        self.check_key(&mut problems);
        self.check_issuer(&mut problems);
        self.check_additions(&mut problems);
        problems.0
    }

    fn check_subject(&self, problems: &mut Problems) {
        let octets = match self.subject.to_der() {
            Ok(octets) => octets,
            Err(error) => return problems.add(error.to_string()),
        };
        // A copied name may have attributes that we never write; what it says about the realm is looked at all the same.
        let subject = match (Subject::from_der(&octets), &self.subject) {
            (Ok(subject), _) => subject,
            (Err(error), SubjectName::Fields(_)) => return problems.add(error.to_string()),
            (Err(error), SubjectName::Copy(_)) => {
                return problems.add(format!("subject of the other certificate: {error}"));
            }
        };
        let attributes: Vec<Attribute> = subject.values().map(|(attribute, _)| attribute).collect();
        problems.0.extend(self.profile.subject.problems(&attributes));
        let marked = |value: &str| value.starts_with(REHEARSAL_MARK);
        let mut names =
            subject.values().filter(|(attribute, _)| attribute.is_marked()).map(|(_, value)| value).peekable();
        match self.realm {
            Realm::Rehearsal => {
                let some = names.peek().is_some();
                problems.expect(some && names.all(marked), "subject: expected the rehearsal's mark, found none");
            }
            Realm::Production => {
                problems.expect(!names.any(marked), "subject: expected no rehearsal's mark, found one");
            }
        }
        let copied = matches!(self.subject, SubjectName::Copy(_)) && self.ski.is_some();
        if self.profile.kind == Kind::Cross {
            problems.expect(copied, "subject: expected name and key identifier of the other certificate, found others");
        } else {
            let written = matches!(self.subject, SubjectName::Fields(_));
            problems.expect(written, "subject: expected one that is written here, found a copy");
            problems.expect(self.ski.is_none(), "key identifier: expected the one of the key, found another");
        }
        if let Some(ski) = &self.ski {
            problems.expect(
                (1..=MOST_SKI_OCTETS).contains(&ski.len()),
                format!("key identifier: expected 1 to {MOST_SKI_OCTETS} octets, found {}", ski.len()),
            );
        }
    }

    fn check_validity(&self, problems: &mut Problems) {
        let (from, until) = (instants::whole_second(self.not_before), instants::whole_second(self.not_after));
        problems.expect(from < until, format!("validity: expected an end after {from}, found {until}"));
        problems.0.extend(self.profile.validity_problems(from, until));
        let first = self.serial[0];
        problems.expect(
            first & 0xc0 == 0x40,
            format!("serial: expected 20 octets of which the first is 40 to 7f, found {first:02x}"),
        );
    }

    fn check_key(&self, problems: &mut Problems) {
        problems.expect(
            self.profile.allows_key(&self.key),
            format!("key: expected an algorithm of profile {}, found {}", self.profile.name, self.key.word()),
        );
    }

    fn check_issuer(&self, problems: &mut Problems) {
        let kind = self.profile.kind;
        let issuer = match self.issuer {
            Issuer::SelfSigned => {
                let word = kind.word();
                return problems
                    .expect(kind == Kind::Root, format!("issuer: expected another for a {word}, found itself"));
            }
            Issuer::By(issuer) => issuer,
        };
        problems.expect(kind != Kind::Root, "issuer: expected a root to sign itself, found another issuer");
        problems.expect(issuer.is_authority(), "issuer: expected an authority with keyCertSign, found none");
        let path_len = issuer.path_len();
        if let (true, Some(limit)) = (kind.is_authority(), path_len) {
            match (limit.checked_sub(1), self.profile.path_len) {
                (None, _) => {
                    problems.add("path length: expected none below this issuer, found an authority; it is exhausted")
                }
                (Some(_), Some(own)) if own < limit => {}
                (Some(most), own) => {
                    let own = own.map_or_else(|| "no limit".to_owned(), |own| own.to_string());
                    problems.add(format!("path length: expected at most {most} below this issuer, found {own}"));
                }
            }
        }
        let (from, until) = (instants::whole_second(self.not_before), instants::whole_second(self.not_after));
        let (begins, ends) = (issuer.not_before(), issuer.not_after());
        problems
            .expect(from <= ends, format!("issuer: expected one that is valid at {from}, found one that ended {ends}"));
        problems.expect(
            from >= begins,
            format!("validity: expected a begin not before the issuer's {begins}, found {from}"),
        );
        let within = until <= ends || self.profile.may_outlive_issuer(until);
        problems.expect(within, format!("validity: expected an end not after the issuer's {ends}, found {until}"));
        problems.expect(
            self.key.spki_der() != issuer.subject_key().spki_der(),
            "key: expected another than the issuer's, found it",
        );
        let same_name = self.subject.to_der().is_ok_and(|octets| octets == issuer.subject_der());
        problems.expect(kind == Kind::Cross || !same_name, "subject: expected another than the issuer's, found it");
        let allowed = &self.profile.issuer_algorithms;
        match issuer.public_key() {
            None => {
                problems.add(format!("issuer: expected a key that signs here, found {}", issuer.subject_key().word()))
            }
            Some(key) => problems.expect(
                allowed.is_empty() || allowed.contains(&key.algorithm()),
                format!("issuer: expected a key that profile {} allows, found {}", self.profile.name, key.algorithm()),
            ),
        }
        self.check_matter(issuer, problems);
    }

    /// Matter Core 6.2: a vendor stays the same down a chain, and a product where its intermediate names one.
    fn check_matter(&self, issuer: &Certificate, problems: &mut Problems) {
        let Ok(above) = issuer.subject() else { return };
        let Ok(own) = self.subject.to_der().and_then(|octets| Subject::from_der(&octets)) else { return };
        for attribute in [Attribute::MatterVid, Attribute::MatterPid] {
            if let (Some(expected), Some(found)) = (above.get(attribute), own.get(attribute)) {
                let title = attribute.title();
                problems.expect(expected == found, format!("{title}: expected the issuer's {expected}, found {found}"));
            }
        }
    }

    fn check_additions(&self, problems: &mut Problems) {
        let (profile, additions) = (&self.profile, &self.additions);
        problems.0.extend(profile.policies.problems(self.realm, &additions.policies));
        let info = additions.issuer_urls.len() + additions.ocsp_urls.len();
        problems.0.extend(profile.crl_distribution.presence.problem("CRL addresses", additions.crl_urls.len()));
        problems.0.extend(profile.authority_info.presence.problem("authority information", info));
        for (what, urls) in [
            ("CRL address", &additions.crl_urls),
            ("issuer's address", &additions.issuer_urls),
            ("OCSP address", &additions.ocsp_urls),
        ] {
            problems.0.extend(urls.iter().filter_map(|url| url_problem(what, url)));
            let few = urls.len() <= MOST_URLS && !repeats(urls);
            problems.expect(few, format!("{what}: expected at most {MOST_URLS}, each once, found otherwise"));
        }
        self.check_alternative_names(problems);
        problems.0.extend(profile.lineage.problem("lineage", usize::from(additions.lineage.is_some())));
        if let Some(lineage) = &additions.lineage {
            let known = ObjectIdentifier::new(&lineage.oid).is_ok_and(|oid| !oids::EXTENSIONS.contains(&oid));
            let found = lineage.oid.escape_default();
            problems.expect(known, format!("lineage: expected a private object identifier, found \"{found}\""));
            problems.expect(
                oids::is_rehearsal_policy(&lineage.oid) || !self.realm.is_rehearsal(),
                format!("lineage: expected one under {} in a rehearsal, found {found}", oids::REHEARSAL_ARC),
            );
        }
    }

    fn check_alternative_names(&self, problems: &mut Problems) {
        let (rules, names) = (&self.profile.alternative_names, &self.additions.alternative_names);
        problems.0.extend(names.iter().filter_map(crate::pki::general_name::AltName::problem));
        let few = names.len() <= MOST_ALT_NAMES && !repeats(names);
        problems
            .expect(few, format!("alternative names: expected at most {MOST_ALT_NAMES}, each once, found otherwise"));
        for kind in &rules.required {
            let found = usize::from(names.iter().any(|name| name.kind() == *kind));
            problems.0.extend(Presence::Required.problem(&format!("alternative name {}", kind.word()), found));
        }
        for name in names {
            let known = rules.required.contains(&name.kind()) || rules.optional.contains(&name.kind());
            problems.expect(known, format!("alternative name {}: expected none, found one", name.kind().word()));
        }
    }

    /// The serial number as it is written: lower-case hexadecimal digits.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex_encode(&self.serial)
    }
}

/// Octets of a key identifier taken over from another certificate.
const MOST_SKI_OCTETS: usize = 64;
const MOST_URLS: usize = 8;
const MOST_ALT_NAMES: usize = 64;

fn repeats<T: Ord>(values: &[T]) -> bool {
    let mut sorted: Vec<&T> = values.iter().collect();
    sorted.sort();
    sorted.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    fn expect(&mut self, holds: bool, problem: impl Into<String>) {
        if !holds {
            self.add(problem);
        }
    }
}
