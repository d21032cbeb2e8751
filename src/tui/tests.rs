//! Tests of the full screen: what is drawn, what keys do, what must never happen.

mod answers;
mod exhaustive;
mod forms;
mod guards;
mod reveal;
pub(crate) mod room;
mod secrets;
mod session;
mod snapshots_of_screens;
mod theme;
