//! A share was typed with mistakes that its checksum can locate. The card decides whether the correction is right.

use crate::custody::share::Correction;
use crate::tui::layout::Page;
use crate::tui::model::{Confirming, Done, Model, Stage};
use crate::tui::screens::{Submitted, field_rows, question};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

const MOST: usize = 8;

/// The stage that asks.
#[must_use]
pub const fn begin<'c>(who: &'c str, corrections: &'c [Correction]) -> Stage<'c> {
    Stage::Corrections(Confirming { who, corrections, typed: Field::new(MOST, Paste::Refused) })
}

#[must_use]
pub fn page(model: &Model<'_>, confirming: &Confirming<'_>, width: usize) -> Page {
    let mut top = question::acts(model, confirming.who, width);
    top.extend(wrapped(Row::gap(), Tone::Strong, "Does your card say so?", width));
    let what = "What was typed is not a share, but one share is near. Look at your card, not at the screen:";
    top.extend(wrapped(Row::gap(), Tone::Plain, what, width));
    top.push(Row::gap());
    let lines = confirming.corrections.iter().map(row).collect();
    let mut bottom = vec![Row::gap()];
    let wanted = "type `yes` if the card says what it should be, `no` if it does not, then Enter";
    bottom.extend(wrapped(Row::gap(), Tone::Faint, wanted, width));
    bottom.extend(field_rows(&confirming.typed, width));
    let focus = bottom.len().saturating_sub(1);
    Page { top, lines, bottom, focus }
}

fn row(correction: &Correction) -> Row {
    Row::of(Tone::Plain, &format!("  {}", correction.place))
        .padded(20)
        .with(Tone::Faint, "typed ")
        .with_secret(Tone::Bad, correction.typed.expose())
        .with(Tone::Faint, "   should be ")
        .with_secret(Tone::Good, correction.should_be.expose())
}

#[must_use]
pub fn submit(typed: &Field) -> Submitted {
    match typed.text().to_lowercase().as_str() {
        "yes" => Submitted::done(Done::Confirmed(true)),
        "no" => Submitted::done(Done::Confirmed(false)),
        _ => Submitted::Tell("expected `yes` or `no`".to_owned()),
    }
}
