//! `write-medium`: certificates, CRLs and sealed keys are written to a removable medium whose number is read back first;
//! every octet is read back before the medium is pulled.

use crate::basics::counted::some;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, MOUNTED_FOLDER, Moment, Outcome, PLAIN_FOLDER, WrittenFile};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{MediumState, State};
use crate::ceremony::steps::refusals_file;
use crate::ceremony::steps::show_codes::of_whom;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::factory::BundleId;
use crate::plan::standing::factory::StandingBundle;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct WriteMedium;

impl StepKind for WriteMedium {
    fn word(&self) -> &'static str {
        "write-medium"
    }
    fn summary(&self) -> &'static str {
        "Certificate, CRL and sealed key of the named authorities are written to a medium and read back."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "medium",
                shape: Shape::Name(NameOf::Medium),
                needed: true,
                meaning: "name of a [[material]] of kind medium",
            },
            StepKey {
                name: "authorities",
                shape: Shape::Names(NameOf::Authority),
                needed: false,
                meaning: "whose certificate and CRL",
            },
            StepKey {
                name: "certificates",
                shape: Shape::Names(NameOf::Certificate),
                needed: false,
                meaning: "names of [[certificate]]",
            },
            StepKey {
                name: "sealed",
                shape: Shape::Names(NameOf::Authority),
                needed: false,
                meaning: "whose sealed key goes with them; never on a medium for publishing",
            },
            StepKey {
                name: "bundles",
                shape: Shape::Names(NameOf::Bundle),
                needed: false,
                meaning: "names of bundles that this script makes: each as a tar file, a large one as several",
            },
            StepKey {
                name: "requests",
                shape: Shape::Names(NameOf::Requests),
                needed: false,
                meaning: "names of requests that this script judges: which were refused, and why",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let medium = kind::text(params, "medium").to_owned();
        let mut needs = vec![Fact::MaterialChecked(medium)];
        needs.extend(kind::names(params, "authorities").iter().cloned().map(Fact::AuthorityCertified));
        needs.extend(kind::names(params, "certificates").iter().cloned().map(Fact::CertificateIssued));
        needs.extend(kind::names(params, "sealed").iter().cloned().map(Fact::KeyMade));
        needs.extend(kind::names(params, "bundles").iter().cloned().map(Fact::BundleIssued));
        needs.extend(kind::names(params, "requests").iter().cloned().map(Fact::RequestsJudged));
        RoomRules { needs, ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!("Insert medium {} and type its number.", kind::text(params, "medium")),
            match kind::names(params, "sealed") {
                [] => format!(
                    "What is issued for {} is written and read back; no sealed key.",
                    of_whom(params).join(", ")
                ),
                sealed => format!(
                    "What is issued for {} and the sealed key of {} are written and read back.",
                    of_whom(params).join(", "),
                    sealed.join(", ")
                ),
            },
            "Pull the medium, put it into its bag, seal the bag.".to_owned(),
        ]
    }
}

impl StepMachine for WriteMedium {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let medium = kind::text(&room.step.params, "medium");
        let Some(material) = room.plan.material(medium) else { return StepNext::Done };
        match room.state.local.moment {
            0 => StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::value("medium", &material.title),
                    Line::text("Insert it now, and type the number printed on it."),
                ],
                next: "files are written and read back".to_owned(),
                rehearsal_answer: Some(material.serial.clone()),
                ..asking::prompt_for(
                    &room.step.who,
                    &format!("Insert {}", material.title),
                    Ask::Text { label: "number on the medium".to_owned(), example: "ABC-000123".to_owned() },
                )
            })),
            1 => {
                let (artifacts, sealed) = contents(room.step, room.state);
                let bundles = bundles(room.step, room.state).map(|bundle| bundle.bundle).collect();
                StepNext::Do(Box::new(Effect::WriteMedium { medium: medium.to_owned(), artifacts, sealed, bundles }))
            }
            _ => {
                let lines = room.state.media.get(medium).map(written_lines).unwrap_or_default();
                asking::ask_all(room, &format!("Pull {}", material.title), lines, "the next step")
            }
        }
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let medium = kind::text(&step.params, "medium");
        let material = plan.material(medium).ok_or("the plan has no such medium")?;
        match (state.local.moment, input) {
            (0, Input::Answer(Answer::Typed { text })) => {
                if read_back(&material.serial, text).is_none() {
                    return Err(format!(
                        "{}: the script says {}, you typed {}: is it the right medium?",
                        material.title,
                        material.serial,
                        crate::basics::SafeText::cut(text, 60)
                    ));
                }
                state.local.moment = 1;
            }
            (1, Input::Outcome(Outcome::MediumWritten { files, medium: written })) => {
                if let Some(other) = written.as_ref().filter(|written| written.label != medium) {
                    return Err(format!(
                        "this is `{}` (id {}), expected `{medium}`",
                        crate::basics::SafeText::cut(&other.label, 64),
                        crate::basics::SafeText::cut(&other.id, 32)
                    ));
                }
                let (artifacts, sealed) = contents(step, state);
                for file in files {
                    let expected =
                        state.artifacts.get(&file.name).copied().or_else(|| {
                            state.authorities.values().find(|a| a.sealed_name == file.name).map(|a| a.sealed)
                        });
                    if expected.is_some_and(|digest| digest != file.sha256) {
                        return Err(format!("{} on the medium is not the file of the record", file.name));
                    }
                }
                if artifacts.iter().chain(&sealed).any(|name| !files.iter().any(|f| f.name == *name)) {
                    return Err("a file is missing on the medium".to_owned());
                }
                if let Some(bundle) = bundles(step, state).find(|bundle| !is_whole(&bundle.bundle, files)) {
                    return Err(format!("not all files of bundle {} are on the medium", bundle.bundle));
                }
                let files = u32::try_from(files.len()).unwrap_or(u32::MAX);
                state.media.insert(medium.to_owned(), MediumState { files, written: written.clone() });
                state.local.moment = 2;
            }
            (2, Input::Answer(answer)) => {
                asking::take_all(plan, step, &mut state.local.answered, answer)?;
            }
            _ => return Err("expected the number on the medium".to_owned()),
        }
        Ok(Vec::new())
    }

    fn lost(&self, state: &mut State, _: &Effect) {
        // A medium whose writing was cut short is inserted and written again, under new names only where they are missing.
        state.local.moment = 0;
    }
}

/// What was written where, and when it may be pulled.
fn written_lines(medium: &MediumState) -> Vec<Line> {
    let good = format!("{} written, read back and equal", some(medium.files, "file"));
    let mut lines = vec![Line::Good { text: crate::basics::SafeText::of(&good) }];
    let place = medium.written.as_ref().map_or("", |written| written.place.as_str());
    if let Some(written) = &medium.written {
        lines.push(Line::value("medium id", &written.id));
        lines.push(Line::value("folder on it", &written.export));
        lines.push(Line::value("its words", &written.manifest.twelve_words()));
    }
    lines.push(Line::text(match place {
        PLAIN_FOLDER => "This is a plain folder of the machine, as the binding says: nothing is to be pulled.",
        MOUNTED_FOLDER => "Unmount the medium now and pull it. Put it into its bag and seal it.",
        _ => "Pull the medium now. Put it into its bag and seal it.",
    }));
    lines
}

/// The bundles that go onto the medium.
fn bundles<'s>(step: &'s Step, state: &'s State) -> impl Iterator<Item = &'s StandingBundle> {
    let names = kind::names(&step.params, "bundles");
    state.factories.values().flat_map(|factory| &factory.bundles).filter(|bundle| names.contains(&bundle.name))
}

/// The name of a bundle as one file, or of the `n`th of several.
#[must_use]
pub fn bundle_file(bundle: &BundleId, n: usize, of: usize) -> String {
    if of == 1 { format!("bundle-{bundle}.tar") } else { format!("bundle-{bundle}.{n:02}-of-{of:02}.tar") }
}

/// Whether a bundle is among these files as a whole: as one, or as all of so many as each says there are.
fn is_whole(bundle: &BundleId, files: &[WrittenFile]) -> bool {
    let is_there = |n: usize, of: usize| files.iter().any(|file| file.name == bundle_file(bundle, n, of));
    let first = format!("bundle-{bundle}.01-of-");
    let of = files.iter().find_map(|file| file.name.strip_prefix(&first)?.strip_suffix(".tar")?.parse().ok());
    is_there(1, 1) || of.is_some_and(|of: usize| of > 1 && (1..=of).all(|n| is_there(n, of)))
}

/// Names of artefacts and of sealed keys that go onto the medium.
fn contents(step: &Step, state: &State) -> (Vec<String>, Vec<String>) {
    let names = of_whom(&step.params);
    let of = |artifact: &&String| names.iter().any(|name| artifact.starts_with(&format!("{name}.")));
    let mut artifacts: Vec<String> = state.artifacts.keys().filter(of).cloned().collect();
    artifacts.extend(kind::names(&step.params, "requests").iter().map(|name| refusals_file(name)));
    let sealed = kind::names(&step.params, "sealed");
    let sealed = sealed.iter().filter_map(|name| state.authorities.get(name)).map(|a| a.sealed_name.clone()).collect();
    (artifacts, sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basics::Digest;

    #[test]
    fn a_bundle_in_several_files_is_whole_when_every_one_is_there() {
        let bundle = BundleId::from_octets([7; 16]);
        let file = |name: String| WrittenFile { name, sha256: Digest::of(b""), size: 0 };
        let all = |of: usize| (1..=of).map(|n| file(bundle_file(&bundle, n, of))).collect::<Vec<_>>();
        assert!(is_whole(&bundle, &all(1)) && is_whole(&bundle, &all(2)) && is_whole(&bundle, &all(12)));
        assert!(!is_whole(&bundle, &[]) && !is_whole(&BundleId::from_octets([8; 16]), &all(2)));
        for missing in 0..12 {
            let mut files = all(12);
            files.remove(missing);
            assert!(!is_whole(&bundle, &files), "{missing}");
        }
        assert!(!is_whole(&bundle, &[file(format!("bundle-{bundle}.01-of-01.tar"))]));
        // Every name is one that a medium takes.
        assert!(all(99).iter().all(|file| crate::transfer::volume::FileName::parse(&file.name).is_ok()));
    }
}
