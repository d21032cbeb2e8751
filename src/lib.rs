//! `anchorite`: offline key ceremonies, led from one written script to evidence a stranger can verify.
//!
//! Rows in dependency order; a row uses only rows above it (`src/ARCHITECTURE.md`, held by `tests/it/layering.rs`).
#![forbid(unsafe_code)]

pub mod basics; // 0
pub mod ceremony; // 4
pub mod custody; // 1
pub mod devices; // 6
pub mod strongroom; // 6
pub mod keys; // 1
pub mod pki; // 1
pub mod plan; // 3
pub mod runner;
pub mod script; // 2
pub mod transcript; // 1 // 7
