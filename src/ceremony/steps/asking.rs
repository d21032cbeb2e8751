//! The few ways of asking that steps share: initials, words typed back, everybody in turn.

use crate::basics::SafeText;
use crate::ceremony::event::Answer;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::steps::{Room, StepNext};
use crate::plan::{Plan, Step};

/// A prompt with nothing shown yet.
#[must_use]
pub fn prompt_for(who: &str, title: &str, ask: Ask) -> Prompt {
    Prompt {
        who: who.to_owned(),
        title: title.to_owned(),
        lines: Vec::new(),
        ask,
        next: String::new(),
        rehearsal_answer: None,
        refusal: None,
        grave: false,
    }
}

/// A prompt answered by one person's own initials.
#[must_use]
pub fn initials_prompt(plan: &Plan, who: &str, title: &str) -> Prompt {
    let initials = plan.person(who).map(|person| person.initials.clone());
    Prompt { rehearsal_answer: initials, ..prompt_for(who, title, Ask::Initials { person: who.to_owned() }) }
}

/// Whether the answer is the initials of exactly this person.
///
/// # Errors
/// Whose initials were expected.
pub fn agreed(plan: &Plan, person: &str, answer: &Answer) -> Result<(), String> {
    let Answer::Initials { initials } = answer else { return Err("expected initials".to_owned()) };
    match plan.by_initials(initials) {
        Some(found) if found.id == person => Ok(()),
        Some(found) => Err(format!("expected the initials of {}, found those of {}", plan.name_of(person), found.name)),
        None => Err(format!(
            "expected the initials of {}, found {}",
            plan.name_of(person),
            crate::basics::SafeText::cut(initials, 12)
        )),
    }
}

/// Whether the answer is one of the offered keys.
///
/// # Errors
/// Which keys were offered.
pub fn choice<'k>(answer: &Answer, keys: &[&'k str]) -> Result<&'k str, String> {
    let expected = || format!("expected one of {}", keys.join(", "));
    let Answer::Chosen { key } = answer else { return Err(expected()) };
    keys.iter().find(|offered| *offered == key).copied().ok_or_else(expected)
}

/// What a step refuses as a whole, with the reasons: nobody agrees to it, and only an exception or the end of the ceremony leads on. `told` is
/// what follows: "Nothing of it counts."
#[must_use]
pub fn refused(room: &Room<'_>, title: &str, mut lines: Vec<Line>, told: &str) -> StepNext {
    lines.push(Line::text(&format!("{told} Open an exception with `!`, or stop the ceremony.")));
    let ask = Ask::Text { label: "`!` opens an exception".to_owned(), example: String::new() };
    StepNext::Ask(Box::new(Prompt { lines, ..prompt_for(&room.step.who, title, ask) }))
}

/// The same for one reason.
#[must_use]
pub fn refused_for(room: &Room<'_>, title: &str, problem: &str, told: &str) -> StepNext {
    refused(room, title, vec![Line::Bad { text: SafeText::of(problem) }], told)
}

/// The acting person and those who confirm, in order.
#[must_use]
pub fn signatories(step: &Step) -> Vec<String> {
    std::iter::once(step.who.clone()).chain(step.confirm.iter().cloned()).collect()
}

/// Asks the initials of each signatory in turn for the same lines.
#[must_use]
pub fn ask_all(room: &Room<'_>, title: &str, lines: Vec<Line>, next: &str) -> StepNext {
    let people = signatories(room.step);
    let answered = room.state.local.answered as usize;
    match people.get(answered) {
        Some(who) => {
            let following = people.get(answered + 1);
            let next = following
                .map_or_else(|| next.to_owned(), |other| format!("{} does the same", room.plan.name_of(other)));
            StepNext::Ask(Box::new(Prompt { lines, next, ..initials_prompt(room.plan, who, title) }))
        }
        None => StepNext::Done,
    }
}

/// Takes one signatory's initials; says whether all have answered.
///
/// # Errors
/// Whose initials were expected.
pub fn take_all(plan: &Plan, step: &Step, answered: &mut u32, answer: &Answer) -> Result<bool, String> {
    let people = signatories(step);
    let who = people.get(*answered as usize).ok_or("everybody has answered")?;
    agreed(plan, who, answer)?;
    *answered += 1;
    Ok(*answered as usize >= people.len())
}
