//! Why a medium was refused, one cause each.

use crate::basics::{Digest, SafeText};
use crate::devices::durable_file::FileError;
use crate::transfer::volume::{ExportName, FileName, Label, MediumId, Volume, VolumeError};
use rustix::io::Errno;
use std::path::PathBuf;

/// Why a medium was refused or could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    #[error("{}: expected the folder of a mounted medium or a block device, found {found}", path.display())]
    NoMedium { path: PathBuf, found: String },
    #[error("{}: nothing is mounted here: it is a plain folder of the machine, not the medium {expected}", path.display())]
    NotMounted { path: PathBuf, expected: String },
    #[error("this medium has no file VOLUME: it was never initialised")]
    NotInitialised,
    #[error("this medium is initialised already: it is {0}")]
    Initialised(Volume),
    #[error("expected an empty medium, found {0} on it")]
    NotEmpty(SafeText),
    #[error("this is {found}, expected `{expected}`")]
    WrongLabel { found: Volume, expected: Label },
    #[error(
        "{export}: its manifest is of medium {named}, this is medium {this}: the folder was copied from another medium"
    )]
    WrongId { export: ExportName, named: MediumId, this: MediumId },
    #[error("{export}: its manifest is the one of {named}: the folder was renamed or copied")]
    WrongExport { export: ExportName, named: ExportName },
    #[error("{at}: {cause}")]
    Volume { at: String, cause: VolumeError },
    #[error("{export}: there is no MANIFEST: the writing never ended")]
    Unfinished { export: ExportName },
    #[error("{export}: there is no such export on this medium")]
    NoExport { export: ExportName },
    #[error("{at}: expected a {expected}, found a {found}")]
    Kind { at: String, expected: &'static str, found: &'static str },
    #[error("{at}: expected at most {most} octets, found {found}")]
    TooLong { at: String, most: u64, found: u64 },
    #[error("{at}: more than {most} names; nothing of it is read")]
    TooMany { at: String, most: usize },
    #[error("{export}: {name}: the manifest does not list it")]
    Unlisted { export: ExportName, name: SafeText },
    #[error("{export}: {name}: the manifest lists it and it is not there")]
    Gone { export: ExportName, name: FileName },
    #[error("{at}: expected {expected} octets, found {found}")]
    Size { at: String, expected: u64, found: u64 },
    #[error("{at}: expected SHA-256 {expected}, found {found}")]
    Altered { at: String, expected: Digest, found: Digest },
    #[error("{name}: there is no such file in the folder INBOX of this medium")]
    NoLoose { name: FileName },
    #[error("{name}: it is on top of this medium, not in its folder INBOX")]
    OnTop { name: FileName },
    #[error("the medium has used all names up to EXP-9999")]
    NoNamesLeft,
    #[error("{name}: {problem}")]
    Unmade { name: FileName, problem: String },
    #[error("{at}: {doing}: {}", words(*.cause))]
    Io { at: String, doing: &'static str, cause: Errno },
    #[error("{}", .0)]
    File(#[from] FileError),
}

impl MediumError {
    pub(super) fn io(at: &str, doing: &'static str) -> impl FnOnce(Errno) -> Self {
        let at = at.to_owned();
        move |cause| Self::Io { at, doing, cause }
    }

    pub(super) fn volume(at: &str) -> impl FnOnce(VolumeError) -> Self {
        let at = at.to_owned();
        move |cause| Self::Volume { at, cause }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoMedium { .. } | Self::NotMounted { .. } => {
                "plug it in, mount it and try again; `anchorite medium list` shows the sticks this machine sees"
            }
            Self::NotInitialised => "`anchorite medium init` gives an empty medium its id and label",
            Self::Initialised(_) => "a medium keeps its id for ever; take an empty one",
            Self::NotEmpty(_) => "format it first, or take another one",
            Self::WrongLabel { .. } => "pull this one and plug in the right one",
            Self::Unfinished { .. } => "the medium was pulled or full: write the export again, it gets a new name",
            Self::NoExport { .. } | Self::NoLoose { .. } => "`anchorite medium list` shows what is on it",
            Self::OnTop { .. } => "move it into the folder INBOX on the machine it comes from",
            Self::NoNamesLeft => "take a new medium",
            Self::Unmade { .. } => "the medium is as it was; look at what should have been written, on this machine",
            Self::Io { cause, .. } if gone(*cause) => {
                "the medium was pulled or is failing: nothing on it counts before its manifest is there; plug it in, or take another, and try again"
            }
            Self::Io { cause: Errno::NOSPC, .. } => {
                "take a larger or emptier medium; what had been written was removed"
            }
            Self::Io { cause: Errno::ROFS, .. } => "is the switch on its side set to read only?",
            Self::Io { .. } | Self::File(_) => "try again, or take another medium",
            _ => "do not use what is on this medium; have it made again, and find out who had it",
        }
    }

    /// Whether nothing is wrong with what is there: the right medium is just not there.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::NoMedium { .. }
                | Self::NotMounted { .. }
                | Self::NotInitialised
                | Self::WrongLabel { .. }
                | Self::NoExport { .. }
                | Self::NoLoose { .. }
        )
    }

    /// Whether the machine or its device failed, and not what is on the medium.
    #[must_use]
    pub const fn is_of_the_machine(&self) -> bool {
        matches!(
            self,
            Self::Io { .. }
                | Self::File(_)
                | Self::NoNamesLeft
                | Self::Initialised(_)
                | Self::NotEmpty(_)
                | Self::OnTop { .. }
        )
    }
}

fn gone(cause: Errno) -> bool {
    [Errno::IO, Errno::NODEV, Errno::NXIO, Errno::NOENT, Errno::STALE, Errno::NOMEDIUM].contains(&cause)
}

fn words(cause: Errno) -> String {
    match cause {
        Errno::NOSPC => "the medium is full".to_owned(),
        Errno::ROFS => "the medium is read-only".to_owned(),
        Errno::NOSYS => "this kernel has no openat2 (Linux 5.6): no medium is read without it".to_owned(),
        cause if gone(cause) => format!("the medium does not answer: {cause}"),
        cause => cause.to_string(),
    }
}
