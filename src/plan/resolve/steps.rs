//! The steps of a script resolved: who acts and confirms, what the parameters name, whether the order makes sense.

use super::Resolver;
use crate::plan::Step;
use crate::plan::room::{self, Disorder, Written};
use crate::script::problem::{Problems, nearest};
use crate::script::{Located, NameOf, Param, RoomRules, Shape, StepSource, kind::Params};
use crate::transcript::Level;
use std::collections::BTreeSet;

impl Resolver<'_> {
    pub(super) fn steps(&self, p: &mut Problems) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rules = Vec::new();
        for (act, source) in
            self.script.acts.iter().enumerate().flat_map(|(i, act)| act.steps.iter().map(move |s| (i, s)))
        {
            let kind = self.kinds.iter().find(|k| k.word() == source.kind.value);
            self.params(source, p);
            let (who, role) = self.actor(&source.who, p);
            let confirm: Vec<String> = source.confirm.iter().map(|c| self.actor(c, p).0).collect();
            self.confirmers(source, kind.map_or(0, |k| k.confirmers()), &who, &confirm, p);
            let params: Params = source.params.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect();
            rules.push(kind.map_or_else(RoomRules::default, |k| k.room(&params, self)));
            let level = source.level.as_ref().map_or(Level::Public, |level| {
                Level::from_word(&level.value).unwrap_or_else(|| {
                    p.add(
                        level.span.clone(),
                        "expected a level: public, auditor or complete",
                        "a script may only raise the level",
                    );
                    Level::Public
                })
            });
            steps.push(Step {
                id: source.id.value.clone(),
                number: u32::try_from(steps.len() + 1).unwrap_or(u32::MAX),
                act: u32::try_from(act).unwrap_or(u32::MAX),
                title: source.title.value.clone(),
                kind: source.kind.value.clone(),
                who,
                role,
                confirm,
                minutes: u32::try_from(source.minutes.value).unwrap_or(u32::MAX),
                say: source.say.value.clone(),
                params,
                level,
                skippable: false,
            });
        }
        self.unlocked_for(&mut rules, p);
        self.nothing_signed_between(&rules, p);
        self.order(&rules, p);
        self.lists(&rules, p);
        for (index, step) in steps.iter_mut().enumerate() {
            step.skippable = room::skippable(&rules, index);
        }
        steps
    }

    fn params(&self, source: &StepSource, p: &mut Problems) {
        let Some(kind) = self.kinds.iter().find(|k| k.word() == source.kind.value) else { return };
        const CARRIED: [&str; 4] = ["authorities", "certificates", "sealed", "bundles"];
        let carries = kind.keys().iter().any(|key| CARRIED.contains(&key.name));
        if carries && !CARRIED.iter().any(|key| source.params.contains_key(*key)) {
            p.add(
                source.span.clone(),
                format!("step {} names nothing that it carries out of the room", source.id.value),
                "add `authorities = [...]` or `certificates = [...]`",
            );
        }
        let one = kind.one_of();
        let found: Vec<&str> = one.iter().copied().filter(|key| source.params.contains_key(*key)).collect();
        if !one.is_empty() && found.len() != 1 {
            let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
            p.add(
                source.span.clone(),
                format!("step {}: expected one of {}, found {found}", source.id.value, one.join(" and ")),
                "say one of them",
            );
        }
        for key in kind.keys() {
            let Some(param) = source.params.get(key.name) else { continue };
            match (key.shape, &param.value) {
                (Shape::Name(of), Param::Text(name)) => {
                    self.known(of, &[Located::new(name.clone(), param.span.clone())], p)
                }
                (Shape::Names(of), Param::Names(names)) => {
                    let located: Vec<_> = names.iter().map(|n| Located::new(n.clone(), param.span.clone())).collect();
                    self.known(of, &located, p);
                }
                _ => {}
            }
        }
    }

    /// A role's first holder, or a person by id; with the role in which they act.
    fn actor(&self, name: &Located<String>, p: &mut Problems) -> (String, String) {
        if let Some(role) = self.script.roles.iter().find(|role| role.name.value == name.value) {
            return (role.holders.first().map(|h| h.value.clone()).unwrap_or_default(), role.name.value.clone());
        }
        if self.script.people.iter().any(|person| person.id.value == name.value) {
            let role = self.roles_of(&name.value).first().cloned().unwrap_or_default();
            return (name.value.clone(), role);
        }
        if !name.value.is_empty() {
            let known: Vec<&str> = self.list(NameOf::Role).1.into_iter().chain(self.list(NameOf::Person).1).collect();
            let hint = nearest(&name.value, known.iter().copied())
                .map_or_else(|| format!("known: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
            p.add_once(
                name.span.clone(),
                format!("there is no role or person `{}`", crate::basics::SafeText::cut(&name.value, 60)),
                hint,
            );
        }
        (String::new(), String::new())
    }

    fn confirmers(&self, source: &StepSource, needed: usize, who: &str, confirm: &[String], p: &mut Problems) {
        let others: BTreeSet<&String> = confirm.iter().filter(|c| c.as_str() != who && !c.is_empty()).collect();
        if others.len() < confirm.len() && confirm.iter().all(|c| !c.is_empty()) {
            p.add(
                source.span.clone(),
                format!("step {}: who confirms must be somebody other than who acts, each once", source.id.value),
                "",
            );
        }
        // A confirming name that stands for nobody has been reported already.
        if others.len() < needed && confirm.iter().all(|c| !c.is_empty()) {
            p.add(
                source.span.clone(),
                format!(
                    "a step of kind `{}` needs {needed} confirming beside the one who acts, found {}",
                    source.kind.value,
                    others.len()
                ),
                "add `confirm = [\"...\"]` with somebody else",
            );
        }
    }

    fn order(&self, rules: &[RoomRules], p: &mut Problems) {
        let sources: Vec<&StepSource> = self.script.steps().collect();
        let id = |index: usize| sources.get(index).map_or("", |s| s.id.value.as_str());
        // What a step does that could not be read is not known: order is judged once every step is clear.
        if sources.iter().any(|source| !self.clear(source)) {
            return;
        }
        let mut disorders = room::walk(&self.stands_before(), rules);
        // A step that writes too early for its certificate has been found by the walk: its being early is not said twice.
        let walked: BTreeSet<usize> = disorders
            .iter()
            .filter_map(|disorder| if let Disorder::Missing { step, .. } = disorder { Some(*step) } else { None })
            .collect();
        disorders.extend(room::left_behind(rules, &self.written()).into_iter().filter(|disorder| {
            !matches!(disorder, Disorder::LeftBehind { written_before_by: Some(early), .. } if walked.contains(early))
        }));
        for disorder in disorders {
            match disorder {
                Disorder::LeftBehind { step, fact, written_before_by } => {
                    let span = sources.get(step).map_or(0..0, |s| s.kind.span.clone());
                    let hint = written_before_by.map_or_else(
                        || match fact {
                            crate::script::Fact::KeyMade(_) => {
                                "add a step of kind `write-medium` after it that names this authority in `sealed`"
                                    .to_owned()
                            }
                            _ => "add a step of kind `write-medium` after it that names this authority".to_owned(),
                        },
                        |early| format!("step {} writes before that: move it after step {}", id(early), id(step)),
                    );
                    p.add(
                        span,
                        format!("after step {} {fact}, and no medium written later takes it along", id(step)),
                        hint,
                    );
                }
                Disorder::Missing { step, fact, given_later_by } => {
                    let hint = given_later_by.map_or_else(
                        || "no step of this script does that".to_owned(),
                        |later| format!("step {} does that, and comes later", id(later)),
                    );
                    let span = sources.get(step).map_or(0..0, |s| s.kind.span.clone());
                    p.add(span, format!("step {} comes before {fact}", id(step)), hint);
                }
                Disorder::Again { step, fact } => {
                    let span = sources.get(step).map_or(0..0, |s| s.kind.span.clone());
                    p.add(
                        span,
                        format!("step {} comes after {fact}", id(step)),
                        "it can happen once only, and earlier",
                    );
                }
            }
        }
        let last_closes = rules.last().is_some_and(|r| r.gives.contains(&crate::script::Fact::Closed));
        if !rules.is_empty() && !last_closes {
            let span = sources.last().map_or(0..0, |s| s.kind.span.clone());
            p.add(
                span,
                "the last step of a script must close the evidence",
                "end with a step of kind `close-evidence`",
            );
        }
    }

    /// What each step carries out: a kind that has a medium among its keys writes what is issued for `authorities`, `certificates`,
    /// and the keys of `sealed`. Where a script has no medium at all, codes carry the first two.
    fn written(&self) -> Vec<Written> {
        let by_media = self.script.steps().any(|source| source.kind.value == "write-medium");
        let of = |source: &StepSource| {
            let keys = self.kinds.iter().find(|k| k.word() == source.kind.value).map_or(&[][..], |k| k.keys());
            let medium = keys.iter().any(|key| key.shape == Shape::Name(NameOf::Medium));
            if !medium && (by_media || source.kind.value != "show-codes") {
                return Written::default();
            }
            let names = |key: &str| match source.params.get(key).map(|param| &param.value) {
                Some(Param::Names(names)) => names.clone(),
                _ => Vec::new(),
            };
            Written { issued: names("authorities"), certificates: names("certificates"), sealed: names("sealed") }
        };
        self.script.steps().map(of).collect()
    }

    /// Whether a step's kind is known, and every thing it names exists.
    fn clear(&self, source: &StepSource) -> bool {
        let Some(kind) = self.kinds.iter().find(|k| k.word() == source.kind.value) else { return false };
        kind.keys().iter().all(|key| match (key.shape, source.params.get(key.name).map(|param| &param.value)) {
            (Shape::Name(of), Some(Param::Text(name))) => self.list(of).1.contains(&name.as_str()),
            (Shape::Names(of), Some(Param::Names(names))) => {
                let known = self.list(of).1;
                names.iter().all(|name| known.contains(&name.as_str()))
            }
            (_, None) => !key.needed,
            _ => true,
        })
    }
}
