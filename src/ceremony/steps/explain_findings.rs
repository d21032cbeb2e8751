//! `explain-findings`: what receipts and logs of a factory left open is explained, each finding by an exception of its own, and stands in the
//! way of no order any more. `STEP.explained.json` says which exception explains which; a later receipt that finds the same is known.

use crate::basics::canonical;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::plan::standing::factory::Explained;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct ExplainFindings;

/// Moments.
const OPEN: u32 = 0;
const WRITE: u32 = issue::WRITE;

impl StepKind for ExplainFindings {
    fn word(&self) -> &'static str {
        "explain-findings"
    }
    fn summary(&self) -> &'static str {
        "Each finding that a factory's receipts and logs left open is explained by an exception; then its orders are carried out again."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "factory",
            shape: Shape::Text,
            needed: true,
            meaning: "name of a factory that the chain enrolled",
        }]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules { needs: vec![Fact::PeoplePresent], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let factory = kind::text(params, "factory");
        vec![
            format!("Read every finding that the receipts and logs of {factory} left open."),
            "For each, an exception sheet: what was expected, what happened, what was decided. Two people sign it."
                .to_owned(),
        ]
    }
}

impl StepMachine for ExplainFindings {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, factory) = (room.state, kind::text(&room.step.params, "factory"));
        match state.local.moment {
            OPEN => {}
            WRITE => {
                return StepNext::Do(Box::new(Effect::WriteArtifact {
                    name: format!("{}.explained.json", room.step.id),
                    content: state.local.content.clone(),
                }));
            }
            _ => return StepNext::Done,
        }
        let found = match findings(state, factory) {
            Ok(found) => found,
            Err(problem) => {
                return asking::refused_for(room, "Nothing can be explained", &problem, "No order is let go on.");
            }
        };
        let mut lines = vec![Line::value("factory", factory)];
        for (n, finding) in (1..).zip(found) {
            let told = if n <= state.local.excepted { "explained" } else { "open" };
            lines.push(Line::value(told, &format!("{n} of {}: {finding}", found.len())));
        }
        let Some(finding) = found.get(state.local.excepted as usize) else {
            let none = if found.is_empty() { "nothing is open" } else { "every finding has its sheet" };
            lines.push(Line::Good { text: none.into() });
            return asking::ask_all(room, "Are these findings explained?", lines, "orders are carried out again");
        };
        StepNext::Ask(Box::new(Prompt {
            lines,
            next: "the next finding, then everybody agrees".to_owned(),
            ..asking::prompt_for(
                &room.step.who,
                "Explain this finding on an exception sheet",
                Ask::Sheet {
                    expected: format!("every identity of {factory} accounted for"),
                    happened: finding.chars().take(300).collect(),
                    decided: "explained; what the factory said, and who checked it, is on the paper with this number"
                        .to_owned(),
                },
            )
        }))
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let factory = kind::text(&step.params, "factory");
        let answer = match (state.local.moment, input) {
            (OPEN, Input::Answer(answer)) => answer,
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => return Ok(issue::written(step, state, file)),
            _ => return Err("expected initials".to_owned()),
        };
        let found = findings(state, factory)?.clone();
        if (state.local.excepted as usize) < found.len() {
            return Err("expected an exception sheet for each finding: open one with `!`".to_owned());
        }
        if !asking::take_all(plan, step, &mut state.local.answered, answer)? {
            return Ok(Vec::new());
        }
        // The sheets of this step are the last ones.
        let sheets = u32::try_from(state.exceptions.len()).unwrap_or(u32::MAX).saturating_sub(state.local.excepted);
        let stands = state.factories.get_mut(factory).ok_or("the factory was not enrolled")?;
        let explained: Vec<Explained> = (sheets + 1..)
            .zip(stands.findings.drain(..))
            .map(|(exception, finding)| Explained { finding, ceremony: plan.ceremony.clone(), exception })
            .collect();
        let said = serde_json::json!({ "format": "anchorite-explained/1", "factory": factory, "explained": explained });
        stands.explained.extend(explained);
        let octets = canonical::to_octets(&said).map_err(|e| e.to_string())?;
        state.local.content = String::from_utf8(octets).map_err(|_| "what was explained is no text")?;
        state.local.moment = WRITE;
        Ok(Vec::new())
    }
}

fn findings<'s>(state: &'s State, factory: &str) -> Result<&'s Vec<String>, String> {
    let stands = state.factories.get(factory);
    stands
        .map(|stands| &stands.findings)
        .ok_or_else(|| format!("factory {factory}: the chain enrolled none of this name"))
}
