//! What comes between steps: governance confirmed, pauses, effects that failed, resumes, generations that must be made
//! again, and exceptions taking effect.

use crate::ceremony::advance::{Turn, end_step};
use crate::ceremony::event::{Answer, Event};
use crate::ceremony::exception::Sheet;
use crate::ceremony::prompt::{Ask, ChoiceOption, Line, Prompt};
use crate::ceremony::state::{GovernanceToConfirm, Interruption, Local, Retired, State};
use crate::ceremony::steps::asking::{agreed, choice, initials_prompt, prompt_for};
use crate::plan::Plan;
use crate::script::kind;
use crate::transcript::{Entry, Kind};

/// What is asked to settle an interruption.
#[must_use]
pub fn prompt(plan: &Plan, state: &State, interruption: &Interruption) -> Prompt {
    match interruption {
        Interruption::Governance { words, confirmed } => {
            let who = two_people(plan, state).into_iter().nth(*confirmed as usize).unwrap_or_default();
            Prompt {
                lines: vec![
                    Line::text(
                        "No record that this machine knows pins the governance folder: it is the first ceremony of its chain, or the folder is another.",
                    ),
                    Line::text(
                        "Take the paper on which the approvers wrote its twelve words, and type them from the paper.",
                    ),
                ],
                next: if *confirmed == 0 {
                    "the second person does the same, then the ceremony begins".to_owned()
                } else {
                    "the ceremony begins".to_owned()
                },
                rehearsal_answer: Some(words.clone()),
                grave: true,
                ..prompt_for(
                    &who,
                    "Confirm who may approve",
                    Ask::Text {
                        label: "the twelve words on your paper".to_owned(),
                        example: "orbit falcon granite ...".to_owned(),
                    },
                )
            }
        }
        Interruption::Paused { why, since, back } => {
            let who = two_people(plan, state).into_iter().nth(*back as usize).unwrap_or_default();
            Prompt {
                lines: vec![
                    Line::value("since", &since.rfc3339()),
                    Line::value("why", why),
                    Line::text("Nothing happens until you go on. The head is on the screen: note it."),
                ],
                next: if *back == 0 {
                    "a second person does the same".to_owned()
                } else {
                    "the step goes on where it was".to_owned()
                },
                ..initials_prompt(plan, &who, "The ceremony is paused. Go on?")
            }
        }
        Interruption::Failed { what, reason } => {
            let who = two_people(plan, state).into_iter().next().unwrap_or_default();
            Prompt {
                lines: vec![
                    Line::Bad { text: crate::basics::SafeText::of(&format!("could not {what}")) },
                    Line::value("because", reason),
                    Line::text(
                        "Nothing of it is recorded as done: it can be tried again once the cause is gone, or an exception opened with `!`.",
                    ),
                ],
                rehearsal_answer: Some("r".to_owned()),
                next: format!("{what} is tried again"),
                ..prompt_for(
                    &who,
                    "Something did not work",
                    Ask::Choice { options: vec![ChoiceOption { key: "r".to_owned(), title: "try again".to_owned() }] },
                )
            }
        }
        Interruption::Resuming { last_head, noted, lost } => {
            resuming_prompt(plan, state, last_head, noted, lost.as_deref())
        }
        Interruption::Voiding { quorum, generation } => {
            let who = two_people(plan, state).into_iter().next().unwrap_or_default();
            let shown = state.quorums.get(quorum).map(|made| made.shown.clone()).unwrap_or_default();
            let (collect, decided) = what_of_cards(&shown);
            Prompt {
                lines: vec![
                    Line::text(&format!(
                        "Generation {generation} of quorum {quorum} was not proven by all its custodians when the strongroom ended."
                    )),
                    Line::text(&format!("Nothing depends on it. {collect}; key and shares are made again.")),
                ],
                next: "the key and its shares are made again, as a new generation".to_owned(),
                ..prompt_for(
                    &who,
                    "Void this generation",
                    Ask::Sheet {
                        expected: format!("all shares of quorum {quorum}, generation {generation}, proven"),
                        happened: "the strongroom ended before all were proven".to_owned(),
                        decided: format!("{decided}; key and shares made again"),
                    },
                )
            }
        }
    }
}

/// What is to be done with the cards of a voided generation, and what the sheet then says of it.
fn what_of_cards(shown: &std::collections::BTreeSet<u8>) -> (String, String) {
    if shown.is_empty() {
        let none = "No share of it was ever shown";
        return (none.to_owned(), "no share of it was shown".to_owned());
    }
    let shares = shown.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    (
        format!("Share {shares} of it was shown or may have been: collect every card of it and destroy it"),
        format!("every card of share {shares} of it destroyed"),
    )
}

fn resuming_prompt(
    plan: &Plan,
    state: &State,
    last_head: &crate::basics::Digest,
    noted: &[String],
    lost: Option<&str>,
) -> Prompt {
    let people = two_people(plan, state);
    if noted.len() < 2 {
        let who = people.into_iter().nth(noted.len()).unwrap_or_default();
        return Prompt {
            lines: vec![Line::text(
                "The program ended, and the record was read back from the disk. To know that nothing was cut off, compare it with what you noted: the last head you saw, its first eight digits. Read it from your own note.",
            )],
            next: if noted.is_empty() {
                "a second person does the same".to_owned()
            } else {
                "the ceremony goes on".to_owned()
            },
            rehearsal_answer: Some(last_head.hex().chars().take(8).collect()),
            ..prompt_for(
                &who,
                "Give the last head you noted",
                Ask::Text { label: "first eight digits of the head".to_owned(), example: "41d09a07".to_owned() },
            )
        };
    }
    let what = lost.unwrap_or("nothing");
    let who = people.into_iter().next().unwrap_or_default();
    Prompt {
        lines: vec![
            Line::text(&format!("When the machine stopped it was about to {what}.")),
            Line::text(
                "Whether that happened is not known. Nothing is assumed: what it would have made is void, and it is done anew.",
            ),
        ],
        next: format!("{what}, again"),
        ..initials_prompt(plan, &who, "One thing was under way. Do it anew?")
    }
}

/// The acting person and one more, for what takes two.
fn two_people(plan: &Plan, state: &State) -> Vec<String> {
    let step = plan.steps.get(state.step);
    let mut people: Vec<String> =
        step.map(|s| std::iter::once(s.who.clone()).chain(s.confirm.iter().cloned()).collect()).unwrap_or_default();
    for person in &plan.people {
        if !people.contains(&person.id) {
            people.push(person.id.clone());
        }
    }
    people.truncate(2);
    people
}

/// Takes an answer to an interruption's prompt.
///
/// # Errors
/// Why the answer is not taken; it is asked again.
pub fn take(
    plan: &Plan,
    turn: &mut Turn,
    interruption: &Interruption,
    answer: &Answer,
    role: &str,
    step_id: &str,
) -> Result<(), String> {
    let people = two_people(plan, &turn.state);
    let entry = |outcome: &'static str| Entry::new(Kind::Answer, outcome).by(role).at(step_id);
    match interruption {
        Interruption::Governance { words, confirmed } => {
            let Answer::Typed { text } = answer else { return Err("expected twelve words".to_owned()) };
            if crate::ceremony::evidence::read_back(words, text).is_none() {
                return Err(
                    "these are not the words of this governance folder: compare paper and folder, do not go on"
                        .to_owned(),
                );
            }
            turn.entries.push(entry("agreed").with("governance", words.clone()));
            turn.state.governance =
                (*confirmed == 0).then(|| GovernanceToConfirm { words: words.clone(), confirmed: 1 });
        }
        Interruption::Paused { why, since, back } => {
            agreed(plan, people.get(*back as usize).map_or("", String::as_str), answer)?;
            if (*back as usize) + 1 < people.len() {
                turn.entries.push(entry("agreed"));
                turn.state.interruption =
                    Some(Interruption::Paused { why: why.clone(), since: *since, back: back + 1 });
            } else {
                turn.entries.push(Entry::new(Kind::Pause, "ended").by(role).at(step_id));
                turn.state.interruption = None;
            }
        }
        Interruption::Failed { .. } => {
            choice(answer, &["r"])?;
            turn.entries.push(entry("given"));
            turn.state.interruption = unproven(plan, &turn.state);
        }
        Interruption::Resuming { last_head, noted, lost } if noted.len() < 2 => {
            let Answer::Typed { text } = answer else {
                return Err("expected the first eight digits of a head".to_owned());
            };
            let typed: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
            // Heads from before the program ended: the one on the screen now is no note of anybody's.
            let heads = &turn.state.heads;
            let before =
                heads.iter().rposition(|head| last_head.hex().starts_with(head.as_str())).map_or(0, |at| at + 1);
            let of_note = |head: &String| typed.len() >= 8 && typed.starts_with(head.as_str());
            let Some(at) = heads.iter().take(before).position(of_note) else {
                if heads.iter().skip(before).any(of_note) {
                    return Err("that is a head from after the stop, as on the screen now: give one you noted before it, from your own note".to_owned());
                }
                return Err("no entry of this record has that head: if you noted it rightly, entries are missing. Do not go on without an exception".to_owned());
            };
            // Whoever noted a head long before the stop vouches for less: the record says how much came after it.
            let later = u64::try_from(before - at - 1).unwrap_or(u64::MAX);
            turn.entries.push(entry("given").with("noted", typed.clone()).with("turns_after_it", later));
            let mut noted = noted.clone();
            noted.push(typed);
            turn.state.interruption = if noted.len() < 2 || lost.is_some() {
                Some(Interruption::Resuming { last_head: *last_head, noted, lost: lost.clone() })
            } else {
                unproven(plan, &turn.state)
            };
        }
        Interruption::Resuming { .. } => {
            agreed(plan, people.first().map_or("", String::as_str), answer)?;
            turn.entries.push(entry("agreed"));
            turn.state.interruption = unproven(plan, &turn.state);
        }
        Interruption::Voiding { .. } => return Err("fill in the exception sheet".to_owned()),
    }
    Ok(())
}

/// A quorum that is not wholly proven while no strongroom holds its identity any more.
fn unproven(plan: &Plan, state: &State) -> Option<Interruption> {
    if state.strongroom {
        return None;
    }
    plan.quorums.iter().find_map(|quorum| {
        let made = state.quorums.get(&quorum.name)?;
        let all = (1..=made.count).all(|index| made.proven.contains(&index));
        (!all).then(|| Interruption::Voiding { quorum: quorum.name.clone(), generation: made.generation })
    })
}

/// An exception takes effect: it is numbered, and it may skip the step or settle the interruption it answers.
pub fn open_exception(plan: &Plan, turn: &mut Turn, event: &Event, sheet: &Sheet, people: &[String], role: &str) {
    let step_id = plan.steps.get(turn.state.step).filter(|_| turn.state.begun).map_or("", |s| s.id.as_str());
    let skippable = turn.state.interruption.is_none()
        && turn.state.begun
        && plan.steps.get(turn.state.step).is_some_and(|s| s.skippable);
    if sheet.skip && !skippable {
        let reason = "this step cannot be skipped: later steps need what it does. Leave `skip` off, or abort";
        turn.entries.push(Entry::new(Kind::Answer, "refused").by(role).at(step_id).with("reason", reason));
        turn.state.refusal = Some(reason.to_owned());
        return;
    }
    turn.state.exceptions.push(sheet.clone());
    let number = u32::try_from(turn.state.exceptions.len()).unwrap_or(u32::MAX);
    turn.entries
        .push(Entry::new(Kind::Exception, "opened").by(role).at(step_id).under(number).with("people", people.to_vec()));
    turn.state.local.excepted += 1;
    match turn.state.interruption.clone() {
        Some(Interruption::Voiding { quorum, generation }) => void(plan, turn, event, &quorum, generation, number),
        Some(Interruption::Failed { .. }) if sheet.skip => {}
        // Nobody noted a head: the exception stands in for the note, and the next question follows.
        Some(Interruption::Resuming { last_head, mut noted, lost }) if noted.len() < 2 => {
            noted.push(format!("exception {number}"));
            turn.state.interruption = if noted.len() < 2 || lost.is_some() {
                Some(Interruption::Resuming { last_head, noted, lost })
            } else {
                unproven(plan, &turn.state)
            };
        }
        _ if sheet.skip => end_step(plan, turn, "skipped", number),
        _ => {}
    }
}

/// Retires a generation that was never live and goes back to the step that makes its key.
fn void(plan: &Plan, turn: &mut Turn, event: &Event, quorum: &str, generation: u8, exception: u32) {
    if let Some(made) = turn.state.quorums.remove(quorum) {
        turn.state.retired.push(Retired {
            quorum: quorum.to_owned(),
            generation,
            id: made.id,
            exception,
            time: event.moment.time,
        });
    }
    turn.state.authorities.retain(|_, authority| authority.quorum != quorum);
    let maker = plan.steps.iter().position(|step| {
        step.kind == "make-key"
            && plan.authority(kind::text(&step.params, "authority")).is_some_and(|a| a.quorum == quorum)
    });
    let Some((position, step)) = maker.and_then(|position| Some((position, plan.steps.get(position)?))) else { return };
    // What was skipped after it is met again.
    turn.state.skipped.split_off(&position);
    turn.state.step = position;
    turn.state.begun = false;
    turn.state.local = Local::default();
    turn.state.interruption = None;
    turn.entries.push(
        Entry::new(Kind::Step, "reopened")
            .by(&step.role)
            .at(&step.id)
            .under(exception)
            .with("quorum", quorum)
            .with("generation", generation),
    );
}

/// A break needs two people who stay; a plain pause needs a reason.
///
/// # Errors
/// What is missing.
pub fn check_pause(plan: &Plan, why: &str, staying: &[String]) -> Result<(), String> {
    if why.trim().is_empty() {
        return Err("a pause needs a reason".to_owned());
    }
    let mut known: Vec<&str> = Vec::new();
    for initials in staying {
        match plan.by_initials(initials) {
            Some(person) => known.push(&person.id),
            None => return Err(format!("nobody here has the initials {}", crate::basics::SafeText::cut(initials, 12))),
        }
    }
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 {
        return Err("at least two people stay with the machine: give their initials".to_owned());
    }
    Ok(())
}
