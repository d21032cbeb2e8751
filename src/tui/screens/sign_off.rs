//! Agree or do not agree, with a remark, signed by one's own initials. Nothing is chosen beforehand.

use crate::basics::limits;
use crate::ceremony::event::Answer;
use crate::tui::model::Done;
use crate::tui::screens::{Submitted, initials};
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::form::{Content, Either, Form, Need, Slot};

const AGREE: &str = "do you agree";
const REMARK: &str = "remark, or why not";
const INITIALS: &str = "your initials";

#[must_use]
pub fn begin() -> Form {
    let either = Either { yes: ('a', "agree"), no: ('d', "do not agree"), chosen: None };
    Form::new(vec![
        Slot { label: AGREE, content: Content::Either(either), need: Need::Needed },
        Slot {
            label: REMARK,
            content: Content::Text(Field::new(limits::TYPED_CHARS, Paste::Taken)),
            need: Need::Optional,
        },
        Slot {
            label: INITIALS,
            content: Content::Text(Field::new(initials::MOST, Paste::Refused)),
            need: Need::Needed,
        },
    ])
}

#[must_use]
pub fn submit(form: &Form) -> Submitted {
    let Some(agree) = form.chosen(AGREE) else {
        return Submitted::Tell("press a to agree or d to not agree".to_owned());
    };
    let remark = form.text(REMARK);
    if !agree && remark.is_empty() {
        return Submitted::Tell("not agreeing needs a remark that says why".to_owned());
    }
    Submitted::done(Done::answer(Answer::SignOff { initials: form.text(INITIALS), agree, remark }))
}
