//! Who is in the room: people and their keys, roles and who must not hold two of them, quorums and who holds shares.

use super::{Resolver, examples, once};
use crate::basics::{Realm, SafeText, limits};
use crate::keys::recipient::RecipientKind;
use crate::keys::ssh::SshPublicKey;
use crate::plan::{Person, Quorum};
use crate::script::NameOf;
use crate::script::problem::Problems;
use crate::script::syntax::{PersonSource, QuorumSource, RoleSource};
use std::collections::{BTreeMap, BTreeSet};

/// The role of everybody who holds a share.
const CUSTODIAN: &str = "custodian";

impl Resolver<'_> {
    pub(super) fn people(&self, p: &mut Problems) -> Vec<Person> {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        let mut people = Vec::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for source in &self.script.people {
            let name = source.name.value.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
            if let Some(other) = names.insert(name, source.id.value.clone()) {
                p.add(
                    source.name.span.clone(),
                    format!("{} and {other} have the same name", source.id.value),
                    "the screen calls people by their names: write what tells these two apart",
                );
            }
            let initials = source.initials.as_ref().map_or_else(
                || {
                    source
                        .name
                        .value
                        .split_whitespace()
                        .filter_map(|w| w.chars().next())
                        .collect::<String>()
                        .to_uppercase()
                },
                |i| i.value.clone(),
            );
            let span = source.initials.as_ref().map_or(source.name.span.clone(), |i| i.span.clone());
            if initials.is_empty() || initials.chars().count() > 4 || !initials.chars().all(char::is_alphanumeric) {
                p.add(span.clone(), "expected initials of one to four letters or digits", "add `initials = \"AB\"`");
            }
            if let Some(other) = seen.insert(initials.to_uppercase(), source.id.value.clone()) {
                p.add(
                    span,
                    format!("{} and {other} have the same initials {initials}", source.id.value),
                    "initials tell people apart: add `initials = \"...\"`",
                );
            }
            let public_key = self.public_key(source, &mut keys, p);
            people.push(Person {
                id: source.id.value.clone(),
                name: source.name.value.clone(),
                initials,
                public_key,
                roles: self.roles_of(&source.id.value),
            });
        }
        people
    }

    fn public_key(&self, source: &PersonSource, keys: &mut BTreeMap<String, String>, p: &mut Problems) -> String {
        let Some(key) = &source.public_key else {
            if self.realm == Realm::Production {
                p.add(
                    source.id.span.clone(),
                    format!("a production run needs the public key of {}", source.id.value),
                    "add `public_key = \"ssh-ed25519 ...\"`, the key they will sign their attestation with",
                );
            }
            return String::new();
        };
        match SshPublicKey::parse(&key.value) {
            Ok(parsed) => {
                if let Some(other) = keys.insert(parsed.line().to_owned(), source.id.value.clone()) {
                    p.add(
                        key.span.clone(),
                        format!("{} and {other} have the same public key", source.id.value),
                        "each participant signs with a key of their own",
                    );
                }
                if self.realm == Realm::Production && examples::public_key(&parsed) {
                    p.add(
                        key.span.clone(),
                        format!("public key of {}: found a key of the example scripts", source.id.value),
                        "nobody here holds its other half: write the line of their own ~/.ssh/id_ed25519.pub",
                    );
                }
                parsed.line().to_owned()
            }
            Err(error) => {
                p.add(
                    key.span.clone(),
                    format!("public key of {}: {error}", source.id.value),
                    "one line as in ~/.ssh/id_ed25519.pub",
                );
                String::new()
            }
        }
    }

    pub(super) fn roles_of(&self, person: &str) -> Vec<String> {
        let holds = |role: &&RoleSource| role.holders.iter().any(|h| h.value == person);
        self.script.roles.iter().filter(holds).map(|role| role.name.value.clone()).collect()
    }

    pub(super) fn roles(&self, p: &mut Problems) {
        for role in &self.script.roles {
            self.known(NameOf::Person, &role.holders, p);
            self.known(NameOf::Role, &role.incompatible, p);
            if role.holders.is_empty() {
                p.add(
                    role.name.span.clone(),
                    format!("role {} has no holder", role.name.value),
                    "add `holders = [\"...\"]`",
                );
            }
            for other in &role.incompatible {
                let Some(other_role) = self.script.roles.iter().find(|r| r.name.value == other.value) else { continue };
                for holder in &role.holders {
                    if other_role.holders.iter().any(|h| h.value == holder.value) {
                        p.add(
                            holder.span.clone(),
                            format!(
                                "{} holds {} and {}, which are incompatible",
                                holder.value, role.name.value, other.value
                            ),
                            "give one of the roles to somebody else",
                        );
                    }
                }
            }
        }
        // Where a holder is somebody unknown, that may be this person misspelt: said once, there.
        let holders = || self.script.roles.iter().flat_map(|role| &role.holders);
        let misspelt = holders().any(|h| !self.script.people.iter().any(|person| person.id.value == h.value));
        for person in &self.script.people {
            if self.roles_of(&person.id.value).is_empty() && !misspelt {
                p.add(
                    person.id.span.clone(),
                    format!("{} holds no role", person.id.value),
                    "nobody is in the room without a role: add them to a [[role]]",
                );
            }
        }
    }

    pub(super) fn quorums(&self, p: &mut Problems) -> Vec<Quorum> {
        let mut quorums = Vec::new();
        for source in &self.script.quorums {
            if source.standing {
                self.enough_are_here(source, p);
            } else {
                self.known(NameOf::Person, &source.custodians, p);
            }
            once("custodian", source.custodians.iter(), p);
            if !source.standing {
                self.known(NameOf::Person, &source.spares, p);
            }
            once("spare of", source.spares.iter(), p);
            self.custodians_hold_the_role(source, p);
            self.shares_in_one_hand(source, p);
            let count = source.custodians.len() + source.spares.len();
            if source.custodians.len() < 2 || count > limits::SHARES {
                p.add(
                    source.span.clone(),
                    format!("quorum {} needs 2 to {} custodians, found {count}", source.name.value, limits::SHARES),
                    "",
                );
            }
            if source.threshold.value > count as u64 {
                p.add(
                    source.threshold.span.clone(),
                    format!(
                        "quorum {} needs {} of {count} custodians, more than there are",
                        source.name.value, source.threshold.value
                    ),
                    "lower the threshold or name more custodians",
                );
            }
            quorums.push(Quorum {
                name: source.name.value.clone(),
                threshold: u8::try_from(source.threshold.value).unwrap_or(u8::MAX),
                recipient: self.recipient(source, p),
                custodians: source.custodians.iter().chain(&source.spares).map(|c| c.value.clone()).collect(),
                standing: source.standing,
            });
        }
        quorums
    }

    /// A standing quorum names everybody who holds a share, also those who stay away: the threshold must be here.
    fn enough_are_here(&self, source: &QuorumSource, p: &mut Problems) {
        let here = |name: &&crate::script::Located<String>| self.script.people.iter().any(|x| x.id.value == name.value);
        let found = source.custodians.iter().chain(&source.spares).filter(here).count();
        if (found as u64) < source.threshold.value {
            p.add(
                source.span.clone(),
                format!(
                    "quorum {}: {} custodians open it, and only {found} of those it names are among the people",
                    source.name.value, source.threshold.value
                ),
                "add a [[person]] for every custodian who comes, with the id they had when the shares were dealt",
            );
        }
    }

    fn recipient(&self, source: &QuorumSource, p: &mut Problems) -> RecipientKind {
        let Some(word) = &source.recipient else { return RecipientKind::default() };
        RecipientKind::from_word(&word.value).unwrap_or_else(|| {
            p.add(
                word.span.clone(),
                format!(
                    "`recipient` of quorum {}: expected {}, found `{}`",
                    source.name.value,
                    RecipientKind::ALL.map(RecipientKind::word).join(" or "),
                    SafeText::cut(&word.value, 40)
                ),
                "mlkem768x25519 is the post-quantum one",
            );
            RecipientKind::default()
        })
    }

    /// Who holds a share holds the role `custodian`, so that incompatible roles count for shares as well.
    fn custodians_hold_the_role(&self, source: &QuorumSource, p: &mut Problems) {
        let exists = |name: &&crate::script::Located<String>| {
            self.script.people.iter().any(|person| person.id.value == name.value)
        };
        let roles: BTreeSet<&str> = self.script.roles.iter().map(|role| role.name.value.as_str()).collect();
        // Where the roles themselves are in doubt, that is said there.
        if roles.len() < self.script.roles.len()
            || !self.script.roles.iter().flat_map(|r| &r.holders).all(|h| exists(&h))
        {
            return;
        }
        let lacking: BTreeSet<&str> = source
            .custodians
            .iter()
            .chain(&source.spares)
            .filter(exists)
            .map(|name| name.value.as_str())
            .filter(|name| !self.roles_of(name).iter().any(|role| role == CUSTODIAN))
            .collect();
        if let (false, Some(first)) = (lacking.is_empty(), source.custodians.first()) {
            let names = lacking.into_iter().collect::<Vec<_>>().join(", ");
            p.add(
                first.span.clone(),
                format!(
                    "whoever has a share of {} holds the role `{CUSTODIAN}`; found without it: {names}",
                    source.name.value
                ),
                format!("add them to the holders of [[role]] `{CUSTODIAN}`"),
            );
        }
    }

    /// A spare is written by somebody who could keep a copy. Two people who fear losing a card may choose that; where there are
    /// more, nobody sees as many shares as open the quorum.
    fn shares_in_one_hand(&self, source: &QuorumSource, p: &mut Problems) {
        for spare in source.spares.iter().filter(|_| source.custodians.len() > 2) {
            let shares =
                source.custodians.iter().chain(&source.spares).filter(|name| name.value == spare.value).count();
            if shares as u64 >= source.threshold.value {
                p.add(
                    spare.span.clone(),
                    format!(
                        "{} would see {shares} shares of {}, and {} open it",
                        spare.value, source.name.value, source.threshold.value
                    ),
                    "let somebody else write the spare, or raise the threshold",
                );
            }
        }
    }
}
