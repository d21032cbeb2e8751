//! From a picture to the texts of its QR codes. Pure: grey values in, octets out, never a panic.
//!
//! A cascade (`stages.rs`), cheapest and most often right first: `rxing`'s detector on six views of the picture, and `rqrr` last, which
//! alone reads half of them and panics on some. The caller says when time is up; every stage and every candidate asks.

pub mod looks;
pub mod luma;
mod rqrr_reader;
mod rxing_reader;
mod scaling;
mod stages;
#[cfg(test)]
pub(crate) mod tests;

pub use looks::{Looks, Trouble};
pub use luma::{Luma, LumaError};
pub use stages::Stage;

/// What one picture gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The content of each code, each once, in the order they were found.
    pub codes: Vec<Vec<u8>>,
    /// The stage that read the first of them.
    pub stage: Option<Stage>,
    /// Why there is none; `None` where there is one.
    pub trouble: Option<Trouble>,
    /// Stages that ended in a panic of a decoder, caught.
    pub panics: u32,
}

impl Reading {
    /// The codes that are text.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.codes.iter().filter_map(|octets| String::from_utf8(octets.clone()).ok()).collect()
    }
}

/// Reads every code of the picture that the first successful stage sees. `go_on` is asked before each piece of work and ends it by
/// answering `false`: what was read until then is returned.
#[must_use]
pub fn read_codes(luma: &Luma, go_on: &mut dyn FnMut() -> bool) -> Reading {
    let outcome = stages::run(luma, go_on);
    let trouble = outcome.codes.is_empty().then(|| looks::trouble(&Looks::of(luma), &outcome));
    Reading { codes: outcome.codes, stage: outcome.stage, trouble, panics: outcome.panics }
}

/// `rqrr` alone, as a peer to measure against.
#[must_use]
pub fn read_with_rqrr_alone(luma: &Luma) -> Vec<Vec<u8>> {
    rqrr_reader::read(luma).unwrap_or_default()
}
