//! `qr`: objects as codes.

pub mod scan;

use crate::cli::args::qr::QrVerb;
use crate::cli::{ExitCode, Failure};

/// Runs the verb.
///
/// # Errors
/// What the verb says when it fails.
pub fn qr(verb: QrVerb) -> Result<ExitCode, Failure> {
    match verb {
        QrVerb::Scan(args) => scan::scan(&args),
    }
}
