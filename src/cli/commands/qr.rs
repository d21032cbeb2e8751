//! `qr`: objects across the gap as codes.

pub mod object;
pub mod print;
pub mod scan;
pub mod show;

use crate::cli::args::qr::QrVerb;
use crate::cli::{ExitCode, Failure};

/// Runs the verb.
///
/// # Errors
/// What the verb says when it fails.
pub fn qr(verb: QrVerb) -> Result<ExitCode, Failure> {
    match verb {
        QrVerb::Show(args) => show::show(&args),
        QrVerb::Scan(args) => scan::scan(&args),
        QrVerb::Print(args) => print::print(&args),
    }
}
