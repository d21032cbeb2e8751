//! What a script has to do with ceremonies before it, and what its authorities sign beside their own certificates.

use super::Resolver;
use crate::basics::{Instant, Realm};
use crate::pki::Reason;
use crate::pki::name::{Attribute, Subject, marked};
use crate::pki::profile::{Presence, Profile};
use crate::plan::standing::factory::Withdrawn;
use crate::plan::{Authority, CertifiedKey, Plan, PlannedCertificate, PlannedRevocation, Standing};
use crate::script::problem::Problems;
use crate::script::syntax::{CertificateSource, Certified, RevocationSource};
use crate::script::{Certifying, Fact, Located, Lookup, NameOf, Param};
use std::collections::BTreeSet;

impl Lookup for Resolver<'_> {
    fn quorum_of(&self, authority: &str) -> Option<String> {
        self.script.authorities.iter().find(|a| a.name.value == authority).map(|a| a.quorum.value.clone())
    }

    fn stands(&self, authority: &str) -> bool {
        self.script.authorities.iter().any(|a| a.name.value == authority && a.standing)
    }

    fn makes_quorum(&self, authority: &str) -> bool {
        let quorum =
            |name: &str| self.script.authorities.iter().find(|a| a.name.value == name).map(|a| &a.quorum.value);
        let Some(own) = quorum(authority) else { return true };
        let standing = self.script.quorums.iter().any(|q| q.name.value == *own && q.standing);
        let mut made = self.script.steps().filter(|step| step.kind.value == "make-key").filter_map(|step| {
            match step.params.get("authority").map(|param| &param.value) {
                Some(Param::Text(name)) => Some(name.as_str()),
                _ => None,
            }
        });
        !standing && made.find(|name| quorum(name) == Some(own)).is_none_or(|first| first == authority)
    }

    fn enrols(&self, factory: &str) -> bool {
        self.script.factories.iter().any(|source| source.name.value == factory)
    }

    fn certified(&self, certificate: &str) -> Option<Certifying> {
        let source = self.script.certificates.iter().find(|c| c.name.value == certificate)?;
        let name = |wanted: &Located<String>| Some(wanted.value.clone());
        let (authority, request, cross) = match &source.of {
            Certified::Authority(of) => (name(of), None, None),
            Certified::Request(of) => (None, name(of), None),
            Certified::Cross(of) => (None, None, name(of)),
            Certified::Renewal { request, .. } => (None, request.as_ref().and_then(name), None),
        };
        let delegated = self.is_delegated(certificate);
        Some(Certifying { issuer: source.issuer.value.clone(), authority, request, cross, delegated })
    }
}

impl Resolver<'_> {
    /// A script with anything standing says which ceremony made it, and in production with which head that ended.
    pub(super) fn follows(&self, p: &mut Problems) {
        let s = self.script;
        let standing = s.quorums.iter().filter(|q| q.standing).map(|q| &q.name);
        let standing = standing.chain(s.authorities.iter().filter(|a| a.standing).map(|a| &a.name));
        let standing: Vec<_> = standing.collect();
        match (&s.ceremony.follows, standing.first()) {
            (None, Some(first)) => p.add(
                first.span.clone(),
                format!("`{}` stands from an earlier ceremony, and the script does not say which", first.value),
                "add `follows = \"...\"` to [ceremony]: the id of the ceremony whose evidence this one goes on from",
            ),
            (Some(follows), _) if self.realm == Realm::Production && s.ceremony.previous_head.is_none() => p.add(
                follows.span.clone(),
                "a production run that follows another needs `previous_head`",
                "copy the last head of that ceremony from a signed attestation or your own note",
            ),
            _ => {}
        }
        for authority in s.authorities.iter().filter(|a| a.standing) {
            let quorum = s.quorums.iter().find(|q| q.name.value == authority.quorum.value);
            if quorum.is_some_and(|quorum| !quorum.standing) {
                p.add(
                    authority.quorum.span.clone(),
                    format!("{} stands, and quorum {} is made here", authority.name.value, authority.quorum.value),
                    "a standing authority is sealed to a standing quorum",
                );
            }
        }
    }

    /// What stands is joined to the plan, where script and record say the same.
    pub(super) fn attach(&self, plan: &mut Plan, standing: Standing, p: &mut Problems) {
        let Some(follows) = &self.script.ceremony.follows else {
            p.add(0..0, "this script follows no ceremony, and was given what stands after one", "leave it out");
            return;
        };
        for problem in standing.disagreements(plan, &follows.value) {
            p.add(follows.span.clone(), problem, "script and record must say the same of what stands");
        }
        plan.standing = Some(standing);
    }

    /// What is true before the first step.
    pub(super) fn stands_before(&self) -> BTreeSet<Fact> {
        let mut facts = BTreeSet::new();
        for quorum in self.script.quorums.iter().filter(|q| q.standing).map(|q| &q.name.value) {
            facts.insert(Fact::QuorumMade(quorum.clone()));
            facts.insert(Fact::SharesProven(quorum.clone()));
            facts.insert(Fact::SharesConsistent(quorum.clone()));
        }
        for authority in self.script.authorities.iter().filter(|a| a.standing).map(|a| &a.name.value) {
            facts.insert(Fact::KeyMade(authority.clone()));
            facts.insert(Fact::AuthorityCertified(authority.clone()));
        }
        facts
    }

    pub(super) fn certificates(&self, authorities: &[Authority], p: &mut Problems) -> Vec<PlannedCertificate> {
        let mut planned = Vec::new();
        for source in &self.script.certificates {
            self.known(NameOf::Authority, std::slice::from_ref(&source.issuer), p);
            let authority = self.whose(source, authorities, p);
            let name = &source.name.value;
            if authority.is_none() && authorities.iter().any(|a| a.name == *name) {
                p.add(
                    source.name.span.clone(),
                    format!("certificate {name} has the name of an authority"),
                    "a name is one thing: the file is called after it",
                );
            }
            self.requested_once(source, p);
            self.certificate_profile(source, p);
            if let Some(authority) = authority {
                self.addresses(source, &authority.profile, p);
            }
            self.certificate_dates(source, authorities, p);
            let subject = source.subject.as_ref().map(|subject| marked(self.realm, &subject.value));
            if let (Some(source), Some(Err(error))) = (&source.subject, subject.as_ref().map(Subject::to_der)) {
                p.add(source.span.clone(), format!("subject of {name}: {error}"), "");
            }
            if let Some(subject) = &source.subject {
                self.own_subject(subject, p);
            }
            let date = |own: &Option<Located<crate::basics::Instant>>, of: Option<crate::basics::Instant>| {
                own.as_ref().map(|d| d.value).or(of).unwrap_or(crate::basics::Instant(0))
            };
            let text = |own: &Option<Located<String>>| own.as_ref().map(|t| t.value.clone()).unwrap_or_default();
            planned.push(PlannedCertificate {
                name: name.clone(),
                issuer: source.issuer.value.clone(),
                of: key_of(&source.of),
                profile: source
                    .profile
                    .as_ref()
                    .map(|t| t.value.clone())
                    .or(authority.map(|a| a.profile.clone()))
                    .unwrap_or_default(),
                subject: subject.or(authority.map(|a| a.subject.clone())),
                not_before: date(&source.not_before, authority.map(|a| a.not_before)),
                not_after: date(&source.not_after, authority.map(|a| a.not_after)),
                crl_url: text(&source.crl_url),
                issuer_url: text(&source.issuer_url),
            });
        }
        self.requests_come_in(p);
        planned
    }

    /// Rules for a request that no step takes in are a mistake in its name.
    fn requests_come_in(&self, p: &mut Problems) {
        let taken = |name: &str| {
            self.script.steps().any(|step| {
                step.kind.value == "take-request"
                    && step.params.get("name").is_some_and(|param| param.value == Param::Text(name.to_owned()))
            })
        };
        for request in self.script.requests.iter().filter(|request| !taken(&request.name.value)) {
            p.add(
                request.name.span.clone(),
                format!("no step takes in the request {}", request.name.value),
                "add a step of kind `take-request` with this name",
            );
        }
        for source in self.script.certificates.iter().filter(|source| source.subject_of_request) {
            let Certified::Request(name) = &source.of else { continue };
            if !self.script.requests.iter().any(|request| request.name.value == name.value) {
                p.add(
                    source.span.clone(),
                    format!(
                        "certificate {}: what request {} may call itself is not said",
                        source.name.value, name.value
                    ),
                    "add a [[request]] with `rules = { subject = { required = [...], fixed = {...} } }`",
                );
            }
        }
    }

    /// The authority whose own certificate this is; its file is named after it.
    fn whose<'a>(&self, source: &CertificateSource, all: &'a [Authority], p: &mut Problems) -> Option<&'a Authority> {
        let Certified::Authority(of) = &source.of else { return None };
        self.known(NameOf::Authority, std::slice::from_ref(of), p);
        if of.value != source.name.value {
            p.add(
                source.name.span.clone(),
                format!("the certificate of authority {} is named as it, found `{}`", of.value, source.name.value),
                "",
            );
        }
        if of.value == source.issuer.value {
            p.add(
                source.issuer.span.clone(),
                format!("{} does not certify itself here", of.value),
                "a self-signed certificate is a step of kind `issue-root`",
            );
        }
        all.iter().find(|a| a.name == of.value)
    }

    /// A key is certified once: two certificates of one request would be the same key twice.
    fn requested_once(&self, source: &CertificateSource, p: &mut Problems) {
        let Some(request) = new_key(&source.of) else { return };
        let before = self.script.certificates.iter().take_while(|other| other.name.value != source.name.value);
        if let Some(other) =
            before.into_iter().find(|other| new_key(&other.of).is_some_and(|r| r.value == request.value))
        {
            p.add(
                request.span.clone(),
                format!("request {} is certified by {} already", request.value, other.name.value),
                "a key is certified once: a second certificate of it is one that `renews` the first",
            );
        }
    }

    /// Whether a step hands the authority with this certificate an order.
    fn is_delegated(&self, certificate: &str) -> bool {
        let named = Param::Text(certificate.to_owned());
        let mut steps = self.script.steps().filter(|step| step.kind.value == "delegate");
        steps.any(|step| step.params.get("certificate").is_some_and(|param| param.value == named))
    }

    fn certificate_profile(&self, source: &CertificateSource, p: &mut Problems) {
        let Some(profile) = &source.profile else { return };
        match self.profiles.get(&profile.value) {
            Some(Ok(file)) => {
                if file.profile.delegated && !self.is_delegated(&source.name.value) {
                    p.add(
                        profile.span.clone(),
                        format!(
                            "certificate {}: profile {} is of authorities in factories' own modules, and no step hands this one an order: nothing would bound what it issues, and its logs could not come in",
                            source.name.value, profile.value
                        ),
                        "add a step of kind `delegate` with this certificate, before it is issued",
                    );
                }
                for problem in does_not_suit(source, &file.profile) {
                    p.add(
                        profile.span.clone(),
                        format!("certificate {}: {problem}", source.name.value),
                        format!("profile {}", profile.value),
                    );
                }
            }
            Some(Err(error)) => p.add(profile.span.clone(), format!("profile {}: {error}", profile.value), ""),
            None if profile.value.is_empty() => {}
            None => p.add(
                profile.span.clone(),
                format!("there is no profile {}", profile.value),
                "put it into `profiles/` beside the script's folder or inside it",
            ),
        }
    }

    fn addresses(&self, source: &CertificateSource, name: &str, p: &mut Problems) {
        let Some(Ok(file)) = self.profiles.get(name) else { return };
        for problem in addresses_that_do_not_suit(source, &file.profile) {
            p.add(
                source.span.clone(),
                format!("certificate {}: {problem}", source.name.value),
                format!("profile {name}"),
            );
        }
    }

    /// A certificate begins before it ends, and never outlives its issuer.
    fn certificate_dates(&self, source: &CertificateSource, authorities: &[Authority], p: &mut Problems) {
        let issuer = authorities.iter().find(|a| a.name == source.issuer.value);
        let (from, until) = match (&source.of, &source.not_before, &source.not_after) {
            (_, Some(from), Some(until)) => (from.value, until.clone()),
            (Certified::Authority(of), ..) => match authorities.iter().find(|a| a.name == of.value) {
                Some(own) => (own.not_before, Located::new(own.not_after, source.span.clone())),
                None => return,
            },
            _ => return,
        };
        if p.at(&until.span) {
            return;
        }
        let name = &source.name.value;
        if until.value <= from {
            p.add(
                until.span.clone(),
                format!("certificate {name}: it ends at {} and begins at {from}", until.value),
                "",
            );
        } else if let Some(issuer) = issuer
            && until.value > issuer.not_after
        {
            p.add(
                until.span.clone(),
                format!("certificate {name}: it ends at {}, after {} ends", until.value, issuer.name),
                format!("{} is valid until {}: no subordinate outlives its issuer", issuer.name, issuer.not_after),
            );
        } else if let Some(issuer) = issuer
            && from < issuer.not_before
        {
            p.add(
                until.span,
                format!("certificate {name}: it begins at {from}, before {} does", issuer.name),
                format!("{} is valid from {}", issuer.name, issuer.not_before),
            );
        }
    }

    /// What is revoked has been issued in an earlier ceremony, and is revoked by the time the list says.
    fn revocation_makes_sense(&self, source: &RevocationSource, p: &mut Problems) {
        if let Some(of) = &source.certificate
            && self.script.certificates.iter().any(|certificate| certificate.name.value == of.value)
        {
            p.add(
                of.span.clone(),
                format!("certificate {} is issued in this ceremony, and cannot be revoked in it", of.value),
                "leave one of the two out",
            );
        }
        for step in self.script.steps().filter(|step| step.kind.value == "issue-crl") {
            let text = |key: &str| match step.params.get(key).map(|param| &param.value) {
                Some(Param::Text(text)) => text.as_str(),
                _ => "",
            };
            let this = Instant::parse(text("this_update")).filter(|this| source.reported_at.value > *this);
            if let (true, Some(this)) = (text("authority") == source.authority.value, this) {
                p.add_once(
                    source.reported_at.span.clone(),
                    format!("`reported_at` {} is after the list begins, {this}", source.reported_at.value),
                    "a list says what was revoked before it: RFC 5280 5.1.2.6",
                );
            }
        }
    }

    pub(super) fn revocations(&self, p: &mut Problems) -> Vec<PlannedRevocation> {
        let mut planned: Vec<PlannedRevocation> = Vec::new();
        for source in &self.script.revocations {
            self.known(NameOf::Authority, std::slice::from_ref(&source.authority), p);
            let reason = Reason::ALL.into_iter().find(|reason| reason.word() == source.reason.value);
            if reason.is_none() && !source.reason.value.is_empty() {
                let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
                p.add(
                    source.reason.span.clone(),
                    format!("expected a reason, one of {}", known.join(", ")),
                    "RFC 5280 5.3.1",
                );
            }
            let serial = source.serial.as_ref().map(|s| s.value.to_lowercase().replace(':', "")).unwrap_or_default();
            if let Some(given) = &source.serial
                && crate::basics::digest::hex_decode(&serial).is_none_or(|octets| !is_serial(&octets))
            {
                p.add(
                    given.span.clone(),
                    "`serial`: expected a positive number of 1 to 20 octets, none too many, as hexadecimal digits",
                    "copy it from the certificate",
                );
            }
            let state = source.state.as_ref().and_then(|text| {
                let found = Withdrawn::ALL.into_iter().find(|state| state.word() == text.value);
                if found.is_none() {
                    let known: Vec<&str> = Withdrawn::ALL.iter().map(|state| state.word()).collect();
                    let expected = format!("`state`: expected one of {}", known.join(", "));
                    p.add(text.span.clone(), expected, "which identities of the bundle are withdrawn");
                }
                found
            });
            let revocation = PlannedRevocation {
                bundle: source.bundle.as_ref().map(|b| b.value.clone()).unwrap_or_default(),
                state,
                authority: source.authority.value.clone(),
                certificate: source.certificate.as_ref().map(|c| c.value.clone()).unwrap_or_default(),
                serial,
                reason: reason.unwrap_or(Reason::Superseded),
                reported_at: source.reported_at.value,
            };
            let same = |other: &PlannedRevocation| {
                other.authority == revocation.authority
                    && other.certificate == revocation.certificate
                    && other.serial == revocation.serial
                    && other.bundle == revocation.bundle
                    && other.state == revocation.state
            };
            self.revocation_makes_sense(source, p);
            if planned.iter().any(same) {
                p.add(
                    source.span.clone(),
                    "this certificate is revoked twice",
                    "a certificate is revoked once, for one reason",
                );
            }
            planned.push(revocation);
        }
        for authority in planned.iter().map(|r| &r.authority).collect::<BTreeSet<_>>() {
            let issues = self.script.steps().any(|step| {
                let of = step.params.get("authority").map(|param| &param.value);
                step.kind.value == "issue-crl" && of == Some(&Param::Text(authority.clone()))
            });
            if !issues && let Some(first) = self.script.revocations.iter().find(|r| r.authority.value == *authority) {
                p.add(
                    first.span.clone(),
                    format!("{authority} revokes a certificate and issues no list"),
                    "add a step of kind `issue-crl` for it",
                );
            }
        }
        planned
    }
}

/// The request whose key is certified for the first time.
fn new_key(of: &Certified) -> Option<&Located<String>> {
    match of {
        Certified::Request(request) => Some(request),
        Certified::Renewal { request: Some(request), key, .. } if key.value == "new" => Some(request),
        _ => None,
    }
}

/// The content of a positive INTEGER in its one spelling.
fn is_serial(octets: &[u8]) -> bool {
    let minimal = match octets {
        [] | [0] => false,
        [0, second, ..] => second & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
    };
    minimal && octets.len() <= 20
}

fn key_of(of: &Certified) -> CertifiedKey {
    match of {
        Certified::Authority(name) => CertifiedKey::Authority(name.value.clone()),
        Certified::Request(name) => CertifiedKey::Request(name.value.clone()),
        Certified::Cross(name) => CertifiedKey::Cross(name.value.clone()),
        Certified::Renewal { of, key, request } => {
            let certificate = of.value.clone();
            let request = request.as_ref().map(|r| r.value.clone()).unwrap_or_default();
            if key.value == "same" {
                CertifiedKey::SameKey { certificate, request }
            } else {
                CertifiedKey::NewKey { certificate, request }
            }
        }
    }
}

/// What the profile of a certificate does not allow about it, by what the script says alone.
fn does_not_suit(source: &CertificateSource, profile: &Profile) -> Vec<String> {
    let mut problems = profile.check();
    let expected = if matches!(source.of, Certified::Cross(_)) { "cross" } else { "subordinate or end-entity" };
    if !expected.contains(profile.kind.word()) {
        problems.push(format!("expected a profile of kind {expected}, found {}", profile.kind.word()));
    }
    if let (Some(from), Some(until)) = (&source.not_before, &source.not_after) {
        problems.extend(profile.validity_problems(from.value, until.value));
    }
    if let Some(subject) = &source.subject {
        let found: Vec<Attribute> = subject.value.values().map(|(attribute, _)| attribute).collect();
        problems.extend(profile.subject.problems(&found));
    }
    problems.extend(addresses_that_do_not_suit(source, profile));
    problems
}

/// Whether lists and certificates of the issuer are to be found where the profile wants it said, and only there.
fn addresses_that_do_not_suit(source: &CertificateSource, profile: &Profile) -> Vec<String> {
    let (lists, certificates) = (&profile.crl_distribution, &profile.authority_info);
    let mut problems = Vec::new();
    if lists.presence == Presence::Required && lists.urls.is_empty() && source.crl_url.is_none() {
        problems.push("expected `crl_url`, where its issuer's list is published, found none".to_owned());
    }
    if lists.presence == Presence::Never && source.crl_url.is_some() {
        problems.push("expected no `crl_url`, found one".to_owned());
    }
    if certificates.presence == Presence::Never && source.issuer_url.is_some() {
        problems.push("expected no `issuer_url`, found one".to_owned());
    }
    problems
}
