//! `!`: a deviation is written down where it happened. Skipping the step is offered only where the plan allows it, and
//! nothing is chosen beforehand.

use crate::ceremony::event::Answer;
use crate::tui::layout::Page;
use crate::tui::model::{Overlay, Room};
use crate::tui::screens::{Submitted, form_page, sheet};
use crate::tui::widgets::form::{Content, Either, Form, Need, Slot};

const SKIP: &str = "skip this step?";

#[must_use]
pub fn begin(room: &Room<'_>) -> Overlay {
    let mut slots = sheet::texts("", "", "");
    if room.may_skip() {
        let either = Either { yes: ('s', "skip it"), no: ('k', "keep it"), chosen: None };
        slots.push(Slot { label: SKIP, content: Content::Either(either), need: Need::Needed });
    }
    slots.extend(sheet::initials_of_two(sheet::BY));
    Overlay::Exception(Form::new(slots))
}

#[must_use]
pub fn page(room: &Room<'_>, form: &Form, width: usize) -> Page {
    let number = room.state.exceptions.len() + 1;
    let place = room.step().map_or_else(String::new, |step| format!(" at step {}, {}", step.number, step.title));
    let skipping = if room.may_skip() {
        "This step may be skipped: no later step needs what it does."
    } else {
        "This step cannot be skipped: a later step needs what it does."
    };
    form_page(
        &format!("Exception {number}{place}"),
        &["Write down what was expected, what happened and what was decided. Two people initial it.", skipping],
        form,
        width,
    )
}

#[must_use]
pub fn submit(room: &Room<'_>, form: &Form) -> Submitted {
    let skip = room.may_skip() && form.chosen(SKIP) == Some(true);
    sheet::checked(room, sheet::of(form, skip), |sheet| Answer::Exception { sheet })
}
