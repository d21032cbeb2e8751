//! The exit codes, in one enum. Scripts rely on them: a number never changes its meaning.

/// What the program's end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Done = 0,
    Failure = 1,
    Usage = 2,
    ScriptProblems = 3,
    Refuted = 4,
    /// Stopped by the people; the ceremony can be resumed unless it was aborted.
    Stopped = 5,
    EnvironmentRefused = 6,
    /// A quorum, a medium or a ledger is missing.
    Missing = 7,
    /// Consistent, but nothing pinned says whose signatures these are.
    Unpinned = 8,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
