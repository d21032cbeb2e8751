//! `check-material`: the numbers on bags, media and machines are read off the things themselves and typed; they must
//! equal what the approved script says.

use crate::ceremony::event::{Answer, Moment};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct CheckMaterial;

impl StepKind for CheckMaterial {
    fn word(&self) -> &'static str {
        "check-material"
    }
    fn summary(&self) -> &'static str {
        "Serial and bag numbers are read off the things and typed; they must equal the script's."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "materials",
            shape: Shape::Names(NameOf::Material),
            needed: true,
            meaning: "names of [[material]]",
        }]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let gives = kind::names(params, "materials").iter().cloned().map(Fact::MaterialChecked).collect();
        RoomRules { gives, ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![format!(
            "Read the number off each thing and type it: {}. The other person looks at the thing too.",
            kind::names(params, "materials").join(", ")
        )]
    }
}

impl StepMachine for CheckMaterial {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let names = kind::names(&room.step.params, "materials");
        let at = room.state.local.moment as usize;
        let Some(material) = names.get(at).and_then(|name| room.plan.material(name)) else {
            let lines = names
                .iter()
                .filter_map(|name| room.plan.material(name))
                .map(|m| Line::value(&m.name, &format!("{} · {}", m.title, m.serial)))
                .collect();
            return asking::ask_all(room, "Are these the things on the table, undamaged?", lines, "the next step");
        };
        StepNext::Ask(Box::new(Prompt {
            lines: vec![
                Line::text(&format!("thing {} of {}", at + 1, names.len())),
                Line::value(&material.kind, &material.title),
                Line::text("Read the number off the thing itself, and type it."),
            ],
            next: names.get(at + 1).map_or_else(
                || "all are confirmed by initials".to_owned(),
                |n| format!("then {}", room.plan.material(n).map_or(n.as_str(), |m| m.title.as_str())),
            ),
            rehearsal_answer: Some(material.serial.clone()),
            ..asking::prompt_for(
                &room.step.who,
                &format!("Read back: {}", material.title),
                Ask::Text { label: format!("number on {}", material.title), example: "ABC-000123".to_owned() },
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
        let names = kind::names(&step.params, "materials");
        let Some(material) = names.get(state.local.moment as usize).and_then(|name| plan.material(name)) else {
            let Input::Answer(answer) = input else { return Err("expected initials".to_owned()) };
            asking::take_all(plan, step, &mut state.local.answered, answer)?;
            return Ok(Vec::new());
        };
        let Input::Answer(Answer::Typed { text }) = input else {
            return Err("expected the number on the thing".to_owned());
        };
        if read_back(&material.serial, text).is_none() && state.local.excepted == 0 {
            return Err(format!(
                "{}: the script says {}, you typed {}: look again, or open an exception",
                material.title,
                material.serial,
                crate::basics::SafeText::cut(text, 60)
            ));
        }
        state.local.moment += 1;
        state.local.excepted = 0;
        Ok(Vec::new())
    }
}
