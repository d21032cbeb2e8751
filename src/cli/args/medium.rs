//! Arguments of `medium`.

use super::RealmArg;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum MediumVerb {
    /// Give an empty medium its id and label
    Init {
        /// The folder where it is mounted, or its block device (mounted and unmounted for you, needs root)
        medium: PathBuf,
        /// Lower-case letters, digits and hyphens: the name scripts call it by
        #[arg(long)]
        label: String,
        /// One JSON object on standard output: `id`, `label`
        #[arg(long)]
        json: bool,
    },
    /// Say what is on a medium; without one, which sticks this machine sees
    List {
        /// The folder where it is mounted, or its block device
        medium: Option<PathBuf>,
        /// One JSON object on standard output: `sticks`, or `id`, `label`, `exports`, `inbox`, `foreign`
        #[arg(long)]
        json: bool,
    },
    /// Take files from a medium: an export whole, or one loose file of its inbox
    Read {
        /// The folder where it is mounted, or its block device
        medium: PathBuf,
        /// Which export, like EXP-0001; needed where there are several
        #[arg(conflicts_with = "loose")]
        export: Option<String>,
        /// A file of the folder INBOX, put there with plain tools: compare its words with whoever made it
        #[arg(long)]
        loose: Option<String>,
        /// Folder to write (with --loose, the file); must not exist
        #[arg(long)]
        out: PathBuf,
        /// Expect the medium with this label
        #[arg(long)]
        label: Option<String>,
        /// The digest as read aloud: its twelve words in quotes, or 64 digits
        #[arg(long)]
        expect: Option<String>,
        /// One JSON object on standard output: `digest`, `words`, `files` and where they are from
        #[arg(long)]
        json: bool,
    },
    /// Write files to a medium as a new export, and read them back
    Write {
        /// The folder where it is mounted, or its block device
        medium: PathBuf,
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Expect the medium with this label
        #[arg(long)]
        label: Option<String>,
        /// Of which realm the files are
        #[arg(long, value_enum, default_value = "production")]
        realm: RealmArg,
        /// One JSON object on standard output: `export`, `digest`, `words`, `files`
        #[arg(long)]
        json: bool,
    },
    /// Read every octet of every export and name everything that is not as it should be
    Check {
        /// The folder where it is mounted, or its block device
        medium: PathBuf,
        /// Expect the medium with this label
        #[arg(long)]
        label: Option<String>,
        /// One JSON object on standard output: `exports`, `problems`
        #[arg(long)]
        json: bool,
    },
}
