//! Script -> [`Plan`]: every name looked up, every rule of the room checked, all problems reported at once.

use crate::basics::{Digest, Realm, SafeText};
use crate::keys::Algorithm;
use crate::pki::name::{Attribute, Subject, marked};
use crate::pki::oids;
use crate::pki::profile::Profile;
use crate::plan::{Authority, Material, Plan, Standing};
use crate::script::problem::{Problems, nearest};
use crate::script::{Located, NameOf, Script, StepKind};
use std::collections::{BTreeMap, BTreeSet};

mod chain;
mod examples;
mod factories;
mod people;
mod sealing;
mod steps;
mod unlocks;
mod validity;

/// A profile file the script names, already read.
#[derive(Clone, Debug)]
pub struct ProfileFile {
    pub profile: Profile,
    pub digest: Digest,
}

/// Reads script and profiles into a plan. `profiles` holds what was found beside the script, by name; `standing` is what the
/// ceremony that this one follows left, once it is to be run.
///
/// # Errors
/// All problems of syntax, names and order, each with its place and a hint.
pub fn plan(
    file: &str,
    octets: &[u8],
    profiles: &BTreeMap<String, Result<ProfileFile, String>>,
    kinds: &[&dyn StepKind],
    realm: Realm,
    standing: Option<Standing>,
) -> Result<Plan, Problems> {
    let (script, mut problems) = crate::script::parse::script(file, octets, kinds)?;
    let resolver = Resolver { script: &script, kinds, profiles, realm };
    let mut resolved = resolver.resolve(Digest::of(octets), &mut problems);
    if let Some(standing) = standing {
        resolver.attach(&mut resolved, standing, &mut problems);
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

/// The profile names a script asks for, for whoever reads the files.
#[must_use]
pub fn profile_names(octets: &[u8], kinds: &[&dyn StepKind]) -> BTreeSet<String> {
    match crate::script::parse::script("script.toml", octets, kinds) {
        Ok((script, _)) => {
            let own = script.certificates.iter().filter_map(|c| c.profile.as_ref());
            let names = script.authorities.iter().map(|a| &a.profile).chain(own).map(|name| name.value.clone());
            let names = names.chain(factories::profiles(&script).map(|name| name.value));
            names.filter(|name| is_name(name)).collect()
        }
        Err(_) => BTreeSet::new(),
    }
}

/// The ceremony's id, where the text is a script at all.
#[must_use]
pub fn ceremony_id(octets: &[u8], kinds: &[&dyn StepKind]) -> Option<String> {
    crate::script::parse::script("script.toml", octets, kinds).ok().map(|(script, _)| script.ceremony.id.value)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

struct Resolver<'s> {
    script: &'s Script,
    kinds: &'s [&'s dyn StepKind],
    profiles: &'s BTreeMap<String, Result<ProfileFile, String>>,
    realm: Realm,
}

impl Resolver<'_> {
    fn resolve(&self, script_digest: Digest, p: &mut Problems) -> Plan {
        self.unique(p);
        let people = self.people(p);
        self.roles(p);
        let quorums = self.quorums(p);
        let authorities = self.authorities(p);
        let certificates = self.certificates(&authorities, p);
        let revocations = self.revocations(p);
        let factories = self.factories(p);
        self.follows(p);
        let steps = self.steps(p);
        let c = &self.script.ceremony;
        let oid_arc = c.oid_arc.as_ref().map(|arc| arc.value.clone()).unwrap_or_default();
        self.samples(&steps, &authorities, &oid_arc, p);
        if let Some(arc) = &c.oid_arc {
            if const_oid::ObjectIdentifier::new(&arc.value).is_err() {
                p.add(
                    arc.span.clone(),
                    format!("`oid_arc`: expected an object identifier, found `{}`", SafeText::cut(&arc.value, 60)),
                    "an arc of your own is like 1.3.6.1.4.1.NUMBER.1",
                );
            } else if self.realm == Realm::Production && examples::arc(&arc.value) {
                p.add(
                    arc.span.clone(),
                    format!("`oid_arc`: a production run needs an arc of your own, found the example {}", arc.value),
                    "IANA gives everybody an enterprise number: write 1.3.6.1.4.1.NUMBER.1",
                );
            }
        }
        if self.realm == Realm::Production && oid_arc.is_empty() {
            p.add(
                c.id.span.clone(),
                "a production run needs `oid_arc`, your own object identifier arc",
                "add `oid_arc = \"1.3.6.1.4.1.NUMBER.1\"` to [ceremony]",
            );
        }
        if let Some(head) = &c.previous_head
            && Digest::parse(&head.value).is_none()
        {
            p.add(
                head.span.clone(),
                "`previous_head`: expected 64 lower-case hexadecimal digits",
                "copy it from the previous ceremony's VERIFY.txt",
            );
        }
        if self.script.acts.is_empty() {
            p.add(0..0, "a script needs at least one act", "add [[act]] with [[act.step]]");
        }
        Plan {
            realm: self.realm,
            script_digest,
            name: c.name.value.clone(),
            ceremony: c.id.value.clone(),
            title: c.title.value.clone(),
            purpose: c.purpose.value.clone(),
            tool_floor: self.script.tool.value.clone(),
            previous_head: c.previous_head.as_ref().map(|h| h.value.clone()).unwrap_or_default(),
            policy_oid: if self.realm.is_rehearsal() { oids::REHEARSAL_POLICY.to_owned() } else { String::new() },
            people,
            quorums,
            authorities,
            materials: self
                .script
                .materials
                .iter()
                .map(|m| Material {
                    name: m.name.value.clone(),
                    kind: m.kind.value.clone(),
                    title: m.title.value.clone(),
                    serial: m.serial.value.clone(),
                })
                .collect(),
            acts: self.script.acts.iter().map(|act| act.title.value.clone()).collect(),
            steps,
            profiles: self.good_profiles().map(|(name, f)| (name.clone(), f.profile.clone())).collect(),
            profile_digests: self.good_profiles().map(|(name, f)| (name.clone(), f.digest)).collect(),
            oid_arc: if certificates.is_empty() && !factories::issues(self.script) { String::new() } else { oid_arc },
            certificates,
            requests: self.script.requests.iter().map(|r| (r.name.value.clone(), r.rules.clone())).collect(),
            revocations,
            factories,
            rehearsed_at: c.rehearsed_at.as_ref().map(|at| at.value).filter(|_| self.realm.is_rehearsal()),
            follows: c.follows.as_ref().map(|f| f.value.clone()).unwrap_or_default(),
            standing: None,
        }
    }

    fn good_profiles(&self) -> impl Iterator<Item = (&String, &ProfileFile)> {
        self.profiles.iter().filter_map(|(name, file)| Some((name, file.as_ref().ok()?)))
    }

    /// Every name once in its list.
    fn unique(&self, p: &mut Problems) {
        let s = self.script;
        once("person", s.people.iter().map(|x| &x.id), p);
        once("role", s.roles.iter().map(|x| &x.name), p);
        once("quorum", s.quorums.iter().map(|x| &x.name), p);
        once("authority", s.authorities.iter().map(|x| &x.name), p);
        once("certificate", s.certificates.iter().map(|x| &x.name), p);
        once("request", s.requests.iter().map(|x| &x.name), p);
        once("factory", s.factories.iter().map(|x| &x.name), p);
        once("material", s.materials.iter().map(|x| &x.name), p);
        once("step", s.steps().map(|x| &x.id), p);
        let mut serials: BTreeMap<&str, &str> = BTreeMap::new();
        for material in &s.materials {
            if let Some(other) = serials.insert(&material.serial.value, &material.name.value)
                && !material.serial.value.is_empty()
            {
                p.add(
                    material.serial.span.clone(),
                    format!("{} and {other} have the same number", material.name.value),
                    "the number read off a thing tells it from every other: look again",
                );
            }
        }
    }

    fn authorities(&self, p: &mut Problems) -> Vec<Authority> {
        let mut authorities = Vec::new();
        for source in &self.script.authorities {
            self.known(NameOf::Quorum, std::slice::from_ref(&source.quorum), p);
            let algorithm = Algorithm::from_word(&source.algorithm.value).unwrap_or_else(|| {
                p.add(source.algorithm.span.clone(), format!("expected an algorithm: {}", Algorithm::words()), "");
                Algorithm::EcdsaP384
            });
            self.sealed_as_strongly(source, algorithm, p);
            let subject = &source.subject.value;
            if let Err(error) = marked(self.realm, subject).to_der() {
                p.add(source.subject.span.clone(), format!("subject of {}: {error}", source.name.value), "");
            }
            self.own_subject(&source.subject, p);
            let file = self.profiles.get(&source.profile.value).and_then(|file| file.as_ref().ok());
            self.validity(source, file.map(|file| &file.profile), p);
            match self.profiles.get(&source.profile.value) {
                Some(Ok(file)) => {
                    for problem in suits(&file.profile, algorithm, subject) {
                        p.add(
                            source.span.clone(),
                            format!("authority {}: {problem}", source.name.value),
                            format!("profile {}", source.profile.value),
                        );
                    }
                }
                Some(Err(error)) => {
                    p.add(source.profile.span.clone(), format!("profile {}: {error}", source.profile.value), "")
                }
                None if source.profile.value.is_empty() => {}
                None => p.add(
                    source.profile.span.clone(),
                    format!("there is no profile {}", source.profile.value),
                    "put it into `profiles/` beside the script's folder or inside it",
                ),
            }
            authorities.push(Authority {
                name: source.name.value.clone(),
                profile: source.profile.value.clone(),
                algorithm,
                quorum: source.quorum.value.clone(),
                subject: marked(self.realm, subject),
                not_before: source.not_before.value,
                not_after: source.not_after.value,
                standing: source.standing,
            });
        }
        authorities
    }

    /// A production subject is somebody's own: not that of an example, and without the rehearsal's mark.
    fn own_subject(&self, subject: &Located<Subject>, p: &mut Problems) {
        if self.realm != Realm::Production {
            return;
        }
        for (_, value) in subject.value.values() {
            if examples::subject(value) && value.len() > 2 {
                p.add(
                    subject.span.clone(),
                    format!("`{value}`: a production subject must not be that of the example scripts"),
                    "write the name of your own organization and authority",
                );
            }
            if value.to_uppercase().contains("REHEARSAL") {
                p.add(
                    subject.span.clone(),
                    format!("`{value}`: a production subject must not carry the rehearsal's mark"),
                    "the tool puts the mark there in a rehearsal; leave it out of the script",
                );
            }
        }
    }

    /// Names that stand for nothing, each with the nearest that does.
    fn known(&self, of: NameOf, names: &[Located<String>], p: &mut Problems) {
        let (word, list) = self.list(of);
        for name in names {
            if !list.contains(&name.value.as_str()) {
                let hint = nearest(&name.value, list.iter().copied()).map_or_else(
                    || {
                        if list.is_empty() {
                            format!("the script declares no {word}")
                        } else {
                            format!("known: {}", list.join(", "))
                        }
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                p.add_once(
                    name.span.clone(),
                    format!("there is no {word} `{}`", crate::basics::SafeText::cut(&name.value, 60)),
                    hint,
                );
            }
        }
    }

    fn list(&self, of: NameOf) -> (&'static str, Vec<&str>) {
        let s = self.script;
        match of {
            NameOf::Person => ("person", s.people.iter().map(|x| x.id.value.as_str()).collect()),
            NameOf::Role => ("role", s.roles.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Quorum => ("quorum", s.quorums.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Authority => ("authority", s.authorities.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Certificate => ("certificate", s.certificates.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Factory => ("factory", s.factories.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Bundle => ("bundle", factories::bundles(s)),
            NameOf::Requests => ("judged requests", factories::requests(s)),
            NameOf::Object => ("object", factories::objects(s)),
            NameOf::Material => ("material", s.materials.iter().map(|x| x.name.value.as_str()).collect()),
            NameOf::Medium => (
                "medium",
                s.materials.iter().filter(|x| x.kind.value == "medium").map(|x| x.name.value.as_str()).collect(),
            ),
        }
    }
}

/// What a profile does not allow about an authority beside its dates: its own problems, the algorithm, what its name has.
fn suits(profile: &Profile, algorithm: Algorithm, subject: &Subject) -> Vec<String> {
    let mut problems: Vec<String> = profile.check();
    let found: Vec<Attribute> = subject.values().map(|(attribute, _)| attribute).collect();
    problems.extend(profile.subject.problems(&found));
    if !profile.algorithms.contains(&algorithm) {
        problems.push(format!("algorithm {} is not one the profile allows", algorithm.word()));
    }
    problems
}

fn once<'n>(what: &str, names: impl Iterator<Item = &'n Located<String>>, p: &mut Problems) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !name.value.is_empty() && !seen.insert(name.value.as_str()) {
            p.add(
                name.span.clone(),
                format!("there are two of {what} `{}`", crate::basics::SafeText::cut(&name.value, 60)),
                "names are unique in their list",
            );
        }
    }
}
