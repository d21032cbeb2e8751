//! The ceremony ends here, for good. Typed out, with what is destroyed and what remains, decided by two.

use crate::ceremony::event::Answer;
use crate::ceremony::exception::Sheet;
use crate::tui::layout::Page;
use crate::tui::model::{Overlay, Room};
use crate::tui::screens::{Submitted, form_page, sheet};
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::form::{Content, Form, Need, Slot};

const PHRASE: &str = "abort this ceremony";
const TYPE_IT: &str = "type: abort this ceremony";
const WHY: &str = "why";
const DESTROYED: &str = "what is destroyed";
const REMAINS: &str = "what remains";
/// Characters of each text: two of them share one field of the sheet.
const MOST: usize = 180;

#[must_use]
pub fn begin(_: &Room<'_>) -> Overlay {
    let slot = |label, most, paste| Slot { label, content: Content::Text(Field::new(most, paste)), need: Need::Needed };
    let mut slots = vec![
        slot(TYPE_IT, PHRASE.len() + 8, Paste::Refused),
        slot(WHY, MOST, Paste::Taken),
        slot(DESTROYED, MOST, Paste::Taken),
        slot(REMAINS, MOST, Paste::Taken),
    ];
    slots.extend(sheet::initials_of_two(sheet::BY));
    Overlay::Abort(Form::new(slots))
}

#[must_use]
pub fn page(form: &Form, width: usize) -> Page {
    let purpose = [
        "An aborted ceremony cannot be resumed. The record is closed as aborted and kept.",
        "To stop for now and resume later, go back with Esc and leave with Ctrl-C.",
    ];
    form_page("Abort this ceremony", &purpose, form, width)
}

#[must_use]
pub fn submit(room: &Room<'_>, form: &Form) -> Submitted {
    if crate::basics::words::normalise(&form.text(TYPE_IT)) != PHRASE {
        return Submitted::Tell(format!("type exactly: {PHRASE}"));
    }
    let sheet = Sheet {
        expected: "the ceremony carried to its last step".to_owned(),
        happened: form.text(WHY),
        decided: format!("aborted; destroyed: {}; remains: {}", form.text(DESTROYED), form.text(REMAINS)),
        by: sheet::two(form, sheet::BY),
        skip: false,
    };
    sheet::checked(room, sheet, |sheet| Answer::Abort { sheet })
}
