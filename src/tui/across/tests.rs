//! Tests of the showing: what is drawn, what a decoder makes of it, what keys do.

mod envelopes;
mod inks;
mod keys;
mod reading;
mod room;
mod snapshots_of_shows;
