//! `anchorite`: offline key ceremonies, led from one written script to evidence a stranger can verify.
//!
//! Rows in dependency order; a row uses only rows above it (`src/ARCHITECTURE.md`, held by `tests/it/layering.rs`).
#![forbid(unsafe_code)]
// Tests call outside judges (ssh-keygen, openssl); the rows themselves do not.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

// Row 0: the words everything speaks.
pub mod basics;

// Row 1: formats and cryptography, pure.
pub mod custody;
pub mod factory;
pub mod keys;
pub mod pki;
pub mod transcript;
pub mod transfer;

// Row 2: octets to a script.
pub mod script;

// Row 3: a script to a plan.
pub mod plan;

// Row 4: the machine.
pub mod ceremony;

// Row 5: what a record means.
pub mod audit;

// Row 6: the outside world.
#[allow(clippy::disallowed_methods)]
pub mod devices;
#[allow(clippy::disallowed_methods)]
pub mod ledger;
#[allow(clippy::disallowed_methods)]
pub mod strongroom;

// Row 7: runs a plan; writes bundles; the factory's side.
#[allow(clippy::disallowed_methods)]
pub mod bundles;
#[allow(clippy::disallowed_methods)]
pub mod runner;
#[allow(clippy::disallowed_methods)]
pub mod station;

// Row 8: the front ends.
#[allow(clippy::disallowed_methods)]
pub mod cli;
#[allow(clippy::disallowed_methods)]
pub mod tui;
