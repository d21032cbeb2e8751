//! The one test binary beside the unit tests: the program as people run it, and rules about the source itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

mod bad_scripts;
mod ceremony_runs;
mod closed_terminal;
mod command_line;
mod goldens;
mod hostile_media;
mod layering;
mod media;
mod no_core;
mod program;
mod record_mutations;
mod screen_memory;
mod secret_scan;
mod verifiers_agree;
