//! Arguments of `bundle`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum BundleVerb {
    /// Check everything about a bundle that needs no secret: octets, names, tree, index, chain, signatures
    Check(CheckBundle),
    /// Prove that a device is in a bundle: its place, its leaf and the way to the root the manifest names
    Prove {
        /// The bundle's folder
        folder: PathBuf,
        /// The device's id
        device: String,
        /// One JSON object on standard output: `record`, `shard`, `leaf`, `siblings`, `root`, `count`
        #[arg(long)]
        json: bool,
    },
    /// Add a signature over the manifest, made on its signer's own device: ssh-keygen -Y sign -n bundle@anchorite
    Sign {
        /// The bundle's folder
        folder: PathBuf,
        /// Who signed, as the signers file names them
        #[arg(long = "as")]
        who: String,
        /// What `ssh-keygen -Y sign` wrote over a copy of manifest.json
        #[arg(long)]
        signature: PathBuf,
        /// allowed_signers file you trust
        #[arg(long)]
        signers: PathBuf,
        /// One JSON object on standard output: `manifest`, `signed_by`
        #[arg(long)]
        json: bool,
    },
    /// Spread a bundle over several media, as much on each as it has room for
    Split {
        /// The bundle's folder
        folder: PathBuf,
        /// A mounted medium; one after the other
        #[arg(long, required = true)]
        to: Vec<PathBuf>,
        /// Octets of files on each medium at most
        #[arg(long)]
        most: Option<u64>,
    },
    /// Judge a factory's requests again and compare with the record of the ceremony that judged them
    Requests(JudgeRequests),
    /// Check what a factory's own authority issued, and what was met elsewhere, against its log
    Log(CheckLog),
    /// Put the parts of a bundle together
    Join {
        /// The folders BUNDLE-..., one on each medium
        #[arg(required = true)]
        parts: Vec<PathBuf>,
        /// Folder to write; must not exist
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct CheckBundle {
    /// The bundle's folder
    pub folder: PathBuf,
    /// allowed_signers file you trust
    #[arg(long)]
    pub signers: Option<PathBuf>,
    /// How many of them must have signed
    #[arg(long, default_value_t = 1, requires = "signers")]
    pub threshold: usize,
    /// The factory it must be for
    #[arg(long)]
    pub factory: Option<String>,
    /// SHA-256 of the order it must be made under
    #[arg(long)]
    pub order: Option<String>,
    /// The age recipient it must be sealed to
    #[arg(long)]
    pub recipient: Option<String>,
    /// The manifest of the factory's bundle before, which it must follow
    #[arg(long)]
    pub after: Option<PathBuf>,
    /// One JSON object on standard output: `digest`, `words`, `manifest`, `signed_by`, `root`
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct JudgeRequests {
    /// The file of requests: NAME.requests.cbor
    pub file: PathBuf,
    /// The evidence of the ceremony
    #[arg(long)]
    pub evidence: PathBuf,
    /// What its script calls them
    #[arg(long)]
    pub name: String,
    /// The device keys certified before that ceremony, where there were any
    #[arg(long)]
    pub device_keys: Option<PathBuf>,
    /// Folder with what was kept of the bundles issued before that ceremony, where there were any (`issued`)
    #[arg(long)]
    pub issued: Option<PathBuf>,
    /// One JSON object on standard output: `count`, `accepted`, `attested`, `root`, `shards`, `refused`
    #[arg(long)]
    pub json: bool,
}

/// What a log of an authority in a factory's own module is held against.
#[derive(Debug, Args)]
pub struct OfAuthority {
    /// The order, mode delegated
    #[arg(long)]
    pub order: PathBuf,
    /// The certificate of the factory's authority
    #[arg(long)]
    pub issuer: PathBuf,
    /// The profile of what it issues: one that comes with the tool, or a TOML file
    #[arg(long)]
    pub profile: String,
    /// The file of a log before this one; one after the other
    #[arg(long)]
    pub earlier: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CheckLog {
    /// The log: every certificate in PEM, one after the other
    pub log: PathBuf,
    /// What the factory signed about it
    #[arg(long)]
    pub statement: PathBuf,
    #[command(flatten)]
    pub of: OfAuthority,
    /// The factory's receipt key as it was enrolled: "ssh-ed25519 AAAA..."
    #[arg(long)]
    pub receipt_key: String,
    /// A folder of certificates that were met in the field or in public logs
    #[arg(long)]
    pub seen: Option<PathBuf>,
    /// One JSON object on standard output: `count`, `ordered`, `seen`, `incidents`
    #[arg(long)]
    pub json: bool,
}
