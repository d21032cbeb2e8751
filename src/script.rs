//! Row 2: from octets to a [`Script`]: read, located, nothing believed yet. All problems of a file are reported at once.
//!
//! Never resolves names (that is `plan`) and never does I/O. Knows step kinds only through [`kind::StepKind`] and the
//! table that `ceremony::steps` hands in.

pub mod approval;
pub mod kind;
pub mod order;
pub mod parse;
pub mod problem;
pub mod reader;
pub mod syntax;
pub mod toml_1_0;

pub use kind::{Certifying, Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind};
pub use problem::{Problem, Problems};
pub use syntax::{Located, Param, Script, StepSource};
