//! What the line-by-line front end says of a step and of a prompt: text only, so that a test can hold it.

use crate::basics::SafeText;
use crate::ceremony::{Ask, Prompt};
use crate::runner::front_end::View;

/// Words that mean something on every prompt.
const HELP: &str = "`!` exception   `pause`   `abort`   `leave` stop and resume later   `no` not agreed";

/// Where the ceremony stands: realm, title, act, step, what is read aloud.
#[must_use]
pub fn step(view: &View<'_>) -> Vec<String> {
    let plan = view.plan;
    let step = plan.steps.get(view.state.step);
    let act = step.and_then(|s| plan.acts.get(s.act as usize)).map_or("", String::as_str);
    let mut lines = vec![
        String::new(),
        format!(
            "== {} · {} · act {} of {} {} · plan {}",
            plan.realm.banner(),
            SafeText::of(&plan.title),
            step.map_or(plan.acts.len() as u32, |s| s.act + 1),
            plan.acts.len(),
            SafeText::of(act),
            view.plan_digest.label(),
        ),
    ];
    if let Some(step) = step {
        lines.push(format!(
            "== step {} of {} · {} · about {} min left in act",
            step.number,
            plan.steps.len(),
            SafeText::of(&step.title),
            plan.minutes_left_in_act(view.state.step)
        ));
        lines.push(format!("   read aloud: {}", SafeText::of(&step.say)));
    }
    lines
}

/// A prompt: the moment, who acts, what there is to see, why the last answer was not taken, what comes next.
#[must_use]
pub fn prompt(view: &View<'_>, prompt: &Prompt) -> Vec<String> {
    let head: String = view.head.hex().chars().take(8).collect();
    let mut lines = vec![
        String::new(),
        format!("[{} UTC · head {head}]", view.clock.peek().hours_minutes()),
        format!("{} · {}", SafeText::of(&view.plan.name_of(&prompt.who)), SafeText::of(&prompt.title)),
    ];
    for line in &prompt.lines {
        lines.extend(line.plain().split('\n').map(|part| format!("  {part}")));
    }
    if let Some(refusal) = &prompt.refusal {
        lines.push(format!("  not taken: {}", SafeText::of(refusal)));
    }
    if matches!(prompt.ask, Ask::Object { .. }) {
        lines.extend(view.ways_in.iter().map(|way| format!("  {:>3} {}", way.key, SafeText::of(&way.words()))));
    }
    if !prompt.next.is_empty() {
        lines.push(format!("  next: {}", SafeText::of(&prompt.next)));
    }
    let simulate = if view.plan.realm.is_rehearsal() { "   `s` the simulated person answers" } else { "" };
    lines.push(format!("  {HELP}{simulate}"));
    lines
}

/// What is asked for, as it stands before what is typed.
#[must_use]
pub fn question(prompt: &Prompt) -> SafeText {
    let words = match &prompt.ask {
        Ask::Initials { .. } => "your initials, if you agree".to_owned(),
        Ask::Text { label, example } => format!("{label} ({example})"),
        Ask::Phrase { phrase } => format!("type `{phrase}`"),
        Ask::Choice { options } => {
            options.iter().map(|o| format!("`{}` {}", o.key, o.title)).collect::<Vec<_>>().join(", ")
        }
        Ask::Dice { least } => format!("at least {least} rolls"),
        Ask::Share { index: 0, .. } => "your share, from your card, or `scan`".to_owned(),
        Ask::Share { index, .. } => format!("share {index}, from your card, or `scan`"),
        Ask::Object { .. } => "the number of a way in".to_owned(),
        Ask::SignOff { .. } => "your initials".to_owned(),
        Ask::Sheet { .. } => "exception".to_owned(),
    };
    SafeText::of(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basics::{Digest, Instant};
    use crate::devices::clock::SimulatedClock;
    use crate::tui::tests::room::{Fixture, initials, questions};

    fn shown(room: &Fixture, asked: &Prompt) -> String {
        let clock = SimulatedClock::starting_at(Instant::parse("2026-11-22T13:00:00Z").unwrap());
        let view = View {
            plan: &room.plan,
            plan_digest: Digest::of(b"plan"),
            state: &room.state,
            head: Digest::of(b"head"),
            entries: 12,
            clock: &clock,
            ways_in: &room.ways_in,
        };
        let lines = [step(&view), prompt(&view, asked)].concat();
        format!("{}\n  {}: ", lines.join("\n"), question(asked))
    }

    #[test]
    fn every_question_reads_as_reviewed_line_by_line() {
        for (name, asked) in questions() {
            insta::assert_snapshot!(name, shown(&Fixture::rehearsal(), &asked));
        }
        insta::assert_snapshot!("production", shown(&Fixture::production(), &initials()));
    }

    #[test]
    fn foreign_text_in_a_prompt_reaches_the_terminal_visible_only() {
        let mut room = Fixture::rehearsal();
        room.plan.title = "Root\u{1b}[2J".to_owned();
        room.plan.people[0].name = "Ada\u{202e}".to_owned();
        let hostile = "x\u{1b}[31m\u{200b}".to_owned();
        let asked = Prompt { title: hostile.clone(), next: hostile.clone(), refusal: Some(hostile), ..initials() };
        let text = shown(&room, &asked);
        assert!(!text.chars().any(|c| c != '\n' && crate::basics::safe_text::is_dangerous(c)), "{text:?}");
    }
}
