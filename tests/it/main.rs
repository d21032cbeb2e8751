//! The one test binary beside the unit tests: the program as people run it, and rules about the source itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

mod accounts;
mod bad_scripts;
mod bundles;
mod ceremony_runs;
mod chains;
mod closed_terminal;
mod command_line;
mod envelope;
mod factories;
mod goldens;
mod hostile_media;
mod intermediate;
mod layering;
mod media;
mod mutations_by_command;
mod no_core;
mod pki_fuzz;
mod pki_judges;
mod post_quantum;
mod program;
mod qr_scan;
mod record_mutations;
mod rederived;
mod request;
mod screen_memory;
mod secret_scan;
mod showing;
mod taking_in;
mod transfer_fuzz;
mod transfer_judges;
mod unruly_people;
mod verifiers_agree;
