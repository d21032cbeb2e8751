//! A pause or a break: why, and who stays with the machine.

use crate::basics::limits;
use crate::ceremony::event::Answer;
use crate::ceremony::interruption::check_pause;
use crate::tui::layout::Page;
use crate::tui::model::{Done, Overlay, Room};
use crate::tui::screens::{Submitted, form_page, sheet};
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::form::{Content, Form, Need, Slot};

const WHY: &str = "why";
const STAYING: [&str; 2] = ["stays (initials)", "and stays (initials)"];

#[must_use]
pub fn begin() -> Overlay {
    let field = Field::new(limits::TYPED_CHARS, Paste::Taken);
    let mut slots = vec![Slot { label: WHY, content: Content::Text(field), need: Need::Needed }];
    slots.extend(sheet::initials_of_two(STAYING));
    Overlay::Pause(Form::new(slots))
}

#[must_use]
pub fn page(form: &Form, width: usize) -> Page {
    let purpose =
        ["Nothing happens until two people go on. The machine is not left alone: at least two people stay with it, \
         and give their initials here. Everybody notes the head before they go."];
    form_page("Pause the ceremony", &purpose, form, width)
}

#[must_use]
pub fn submit(room: &Room<'_>, form: &Form) -> Submitted {
    let (why, staying) = (form.text(WHY), sheet::two(form, STAYING));
    match check_pause(room.plan, &why, &staying) {
        Ok(()) => Submitted::done(Done::answer(Answer::Pause { why, staying })),
        Err(reason) => Submitted::Tell(reason),
    }
}
