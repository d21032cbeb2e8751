//! `anchorite`: offline key ceremonies, led from one written script to evidence a stranger can verify.
//!
//! Rows in dependency order; a row uses only rows above it (`src/ARCHITECTURE.md`, held by `tests/it/layering.rs`).
#![forbid(unsafe_code)]

// Row 0: the words everything speaks.
pub mod basics;

// Row 1: formats and cryptography, pure.
pub mod custody;
pub mod keys;
pub mod pki;
pub mod transcript;

// Row 2: octets to a script.
pub mod script;

// Row 3: a script to a plan.
pub mod plan;

// Row 4: the machine.
pub mod ceremony;

// Row 5: what a record means.
pub mod audit;

// Row 6: the outside world.
pub mod devices;
pub mod ledger;
pub mod strongroom;

// Row 7: runs a plan.
pub mod runner;

// Row 8: the front ends.
pub mod cli;
pub mod tui;
