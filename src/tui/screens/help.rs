//! What is being asked, what every key does now, and who is in the room.

use crate::ceremony::Ask;
use crate::tui::keymap;
use crate::tui::layout::{self, Page};
use crate::tui::model::{Model, Stage};
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, labelled, wrapped};

#[must_use]
pub fn page(model: &Model<'_>, width: usize) -> Page {
    let top = wrapped(Row::gap(), Tone::Strong, "Help", width);
    let mut lines = wrapped(Row::gap(), Tone::Plain, what_is_asked(model), width);
    lines.push(Row::gap());
    lines.push(Row::of(Tone::Faint, "keys now"));
    for hint in keymap::without_scrolling(model).into_iter().filter_map(|binding| binding.hint) {
        lines.extend(labelled(hint.key, Tone::Plain, hint.does, width));
    }
    for (key, does) in ALWAYS {
        lines.extend(labelled(key, Tone::Plain, does, width));
    }
    let aloud = layout::said_aloud(model, width);
    if !aloud.is_empty() {
        lines.push(Row::gap());
        lines.extend(aloud);
    }
    lines.push(Row::gap());
    lines.push(Row::of(Tone::Faint, "in the room"));
    for person in &model.room.plan.people {
        let value = format!("{} · {}", person.name, person.roles.join(", "));
        lines.extend(labelled(&person.initials, Tone::Plain, &value, width));
    }
    lines.push(Row::gap());
    lines.push(Row::of(Tone::Faint, "this ceremony"));
    lines.extend(labelled("id", Tone::Plain, &model.room.plan.ceremony, width));
    lines.extend(labelled("purpose", Tone::Plain, &model.room.plan.purpose, width));
    lines.extend(labelled("plan", Tone::Plain, &model.room.plan_digest.twelve_words(), width));
    lines.extend(labelled("", Tone::Plain, &model.room.plan_digest.grouped(), width));
    lines.extend(labelled("head", Tone::Plain, &model.room.head.grouped(), width));
    Page { top, lines, bottom: Vec::new(), focus: 0 }
}

/// Keys that are not in every hint bar.
const ALWAYS: [(&str, &str); 5] = [
    ("PgUp PgDn", "scroll what does not fit; the arrows scroll by a line"),
    ("F1 F8 F10", "help, pause, exception, also while something is being typed"),
    ("F12", "abort the ceremony for good; asks"),
    ("Ctrl-U", "empties the field"),
    ("Tab", "the next field of a form, Shift-Tab the one before"),
];

const fn what_is_asked(model: &Model<'_>) -> &'static str {
    match &model.stage {
        Stage::Ask(asking) => match &asking.prompt.ask {
            Ask::Initials { .. } => {
                "One person is asked to agree. They type their own initials and press Enter; nobody types for another. \
                 `no` changes nothing and asks again."
            }
            Ask::Text { .. } => {
                "A value is typed by hand, from paper, from a bag or from one's own watch, not from the screen."
            }
            Ask::Phrase { .. } => {
                "What follows cannot be undone. Read everything shown, compare the words aloud, then type the phrase back."
            }
            Ask::Choice { .. } => "Press the key of what you choose. To do something else, open an exception.",
            Ask::Dice { .. } => {
                "Throw the dice in the open and type each number. The numbers are mixed with the machine's randomness; \
                 they are not shown, not recorded and must not be written down."
            }
            Ask::Share { .. } => {
                "The custodian types the share from the card. Small letters and spaces do not matter; up to four wrong \
                 characters are found and shown. What is typed is not recorded."
            }
            Ask::Object { .. } => {
                "Something comes in from outside. Choose what it is read with. It is taken in as it is and nothing is \
                 believed yet: people compare its words with those of the other side next."
            }
            Ask::SignOff { .. } => {
                "Each person says whether the ceremony was as the record has it. Not agreeing is an answer too; it needs \
                 a remark."
            }
            Ask::Sheet { .. } => {
                "Something must be written down before the ceremony goes on. Correct the text where it is not what \
                 happened; two people initial it."
            }
        },
        Stage::Reveal(_) => {
            "A share is shown to its custodian alone. Press r to see it, any key to hide it, w when it is written down."
        }
        Stage::Corrections(_) => {
            "What was typed is close to one share. If the card says what the screen proposes, it was a typing mistake; if \
             the card says what was typed, the card is wrong: answer `no`."
        }
        Stage::Busy(_) => "The machine is doing something that needs nobody.",
        Stage::Ended(_) => "The run is over.",
    }
}
