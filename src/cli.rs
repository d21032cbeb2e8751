//! Row 8: the command line. One file a verb; data to standard output, words to standard error, one table of exit codes.

pub mod args;
pub mod auto;
pub mod commands;
pub mod earlier;
pub mod exit_code;
pub mod failure;
pub mod output;
pub mod plain;
pub mod script_files;

pub use exit_code::ExitCode;
pub use failure::Failure;
