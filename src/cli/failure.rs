//! What a verb says when it fails: the thing, what was expected and found, what state that leaves, and what to do.

use crate::cli::ExitCode;
use crate::devices::durable_file::FileError;
use crate::devices::medium::MediumError;
use crate::ledger::LedgerError;
use crate::runner::RunError;
use crate::script::Problems;
use crate::script::problem::LocatedProblem;
use crate::station::StationError;

/// A failure with its exit code and a hint.
#[derive(Debug)]
pub struct Failure {
    pub code: ExitCode,
    pub message: String,
    pub hint: String,
    /// Where the failure is problems of files: each with its place, for `--json`.
    pub problems: Vec<LocatedProblem>,
}

impl Failure {
    #[must_use]
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: String::new(), problems: Vec::new() }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

fn is_full(error: &FileError) -> bool {
    error.cause.raw_os_error() == Some(28)
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let failure = Self::new(ExitCode::Failure, error.to_string());
        if is_full(&error) {
            failure.with_hint("the disk is full: make room, then do it again; nothing is half written")
        } else {
            failure
        }
    }
}

impl From<MediumError> for Failure {
    fn from(error: MediumError) -> Self {
        let code = match &error {
            missing if missing.is_missing() => ExitCode::Missing,
            machine if machine.is_of_the_machine() => ExitCode::Failure,
            _ => ExitCode::Refuted,
        };
        Self::new(code, error.to_string()).with_hint(error.hint())
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let message = error.to_string();
        match error {
            LedgerError::Missing(_) => Self::new(ExitCode::Missing, message)
                .with_hint("nothing was changed; a ledger is made on purpose only, by `anchorite ledger init FILE`"),
            LedgerError::Folder(_) => Self::new(ExitCode::Usage, message)
                .with_hint("nothing was changed; the folder of a run has its ledger in `state/ledger.sqlite`"),
            LedgerError::ApprovalUsed(_) => Self::new(ExitCode::Failure, message)
                .with_hint("nothing was changed; the approvers sign a new one: `anchorite approve make`"),
            _ => Self::new(ExitCode::Failure, message),
        }
    }
}

impl From<StationError> for Failure {
    fn from(error: StationError) -> Self {
        let code = match &error {
            StationError::Missing(_) | StationError::NothingReleased(_) => ExitCode::Missing,
            StationError::Refused(_) | StationError::Chain { .. } => ExitCode::Refuted,
            StationError::Restored { .. }
            | StationError::OtherHistory { .. }
            | StationError::Copied
            | StationError::Clock { .. }
            | StationError::NoAnchor(_)
            | StationError::Server(_)
            | StationError::Network(_) => ExitCode::EnvironmentRefused,
            StationError::Configuration { .. } | StationError::Exists(_) => ExitCode::Usage,
            _ => ExitCode::Failure,
        };
        Self::new(code, error.to_string()).with_hint(error.hint())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::File(error) if is_full(&error) => Self::new(ExitCode::Failure, error.to_string())
                .with_hint("the disk is full: make room, then `anchorite resume`; nothing is half written"),
            RunError::File(error) => error.into(),
            RunError::Ledger(error) => error.into(),
            other => Self::new(ExitCode::Failure, other.to_string()),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let located = problems.located();
        Self { problems: located, ..Self::new(ExitCode::ScriptProblems, problems.render().trim_end().to_owned()) }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(ExitCode::Failure, message)
    }
}
