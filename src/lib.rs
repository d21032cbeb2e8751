//! `anchorite`: offline key ceremonies, led from one written script to evidence a stranger can verify.
//!
//! Rows in dependency order; a row uses only rows above it (`src/ARCHITECTURE.md`, held by `tests/it/layering.rs`).
#![forbid(unsafe_code)]

pub mod basics; // 0
pub mod custody; // 1
