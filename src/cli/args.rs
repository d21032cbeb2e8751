//! The command line as data; completions come from the same tree.

pub mod bundle;
pub mod envelope;
pub mod inspect;
mod medium;
pub mod qr;
pub mod request;
pub mod station;

pub use medium::MediumVerb;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Offline key ceremonies, led from one written script to evidence a stranger can verify.
#[derive(Debug, Parser)]
#[command(name = "anchorite", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Report every problem of a script
    Check {
        /// The script: a folder with script.toml in it, or the file
        script: PathBuf,
        /// For which realm: production also refuses example keys and arcs, and has another plan digest
        #[arg(long, value_enum, default_value = "rehearsal")]
        realm: RealmArg,
        /// The ceremony that the script follows: then the plan's digest is that of the run
        #[arg(long)]
        after: Option<PathBuf>,
        /// One JSON object on standard output instead of lines: digests and counts, or `problems`
        #[arg(long)]
        json: bool,
    },
    /// Print the script as a page to carry into the room (HTML on standard output)
    Runbook {
        /// The script: a folder with script.toml in it, or the file
        script: PathBuf,
        /// For which realm; the plan's words on the page are those of this realm's run
        #[arg(long, value_enum, default_value = "rehearsal")]
        realm: RealmArg,
        /// The ceremony that the script follows
        #[arg(long)]
        after: Option<PathBuf>,
    },
    /// Rehearse a ceremony: everything is real but the people, the devices and the mark it burns in
    Rehearse(Rehearse),
    /// Run a ceremony in production
    Run(RunArgs),
    /// Go on with a ceremony that stopped
    Resume {
        /// The folder the ceremony writes to
        folder: PathBuf,
        #[command(flatten)]
        front: FrontArgs,
    },
    /// Verify an evidence folder
    Verify {
        folder: PathBuf,
        /// allowed_signers file you trust
        #[arg(long)]
        signers: Option<PathBuf>,
        /// Head of the record as somebody in the room noted it: 64 digits, or twelve words in quotes
        #[arg(long)]
        expect: Option<String>,
        /// Evidence of the ceremony that this one follows, then of the one which that follows: what each took up is compared with what
        /// the record before it leaves
        #[arg(long)]
        after: Vec<PathBuf>,
        /// Folders with files that the record speaks of (`issued`, `requests` and what came in): what it found of requests, receipts and
        /// logs is found again from them
        #[arg(long)]
        files: Vec<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Copy an evidence folder with bodies above a level withheld
    Disclose {
        folder: PathBuf,
        #[arg(long, value_enum)]
        level: LevelArg,
        #[arg(long)]
        out: PathBuf,
    },
    /// Add a signature to an evidence folder
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// Make an approval for approvers to sign
    #[command(subcommand)]
    Approve(ApproveVerb),
    /// Bundles of device identities: what anyone can check of one without opening it
    #[command(subcommand)]
    Bundle(bundle::BundleVerb),
    /// What crosses the gap, as files: make, show and open envelopes
    #[command(subcommand)]
    Envelope(envelope::EnvelopeVerb),
    /// The inventory of keys, certificates and quorums
    #[command(subcommand)]
    Ledger(LedgerVerb),
    /// Objects across the gap as codes: shown, scanned, printed
    #[command(subcommand)]
    Qr(qr::QrVerb),
    /// Certificate requests: judged by the rules of the room
    #[command(subcommand)]
    Request(request::RequestVerb),
    /// Removable media: sticks that carry files across the gap
    #[command(subcommand)]
    Medium(MediumVerb),
    /// The factory's side: take bundles in, draw identities, sign receipts
    #[command(subcommand)]
    Station(station::StationVerb),
    /// Certificates of anybody, judged
    #[command(subcommand)]
    Certificate(inspect::CertificateVerb),
    /// Revocation lists of anybody, judged
    #[command(subcommand)]
    Crl(inspect::CrlVerb),
    /// Say what this machine is like and what is missing
    Doctor {
        /// One JSON object on standard output: `findings` (name, found, expected, good) and `strongroom`
        #[arg(long)]
        json: bool,
    },
    /// Print shell completions
    Completions {
        /// The shell they are for; its own manual says where the file belongs
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Debug, Args)]
pub struct FrontArgs {
    /// Line by line, for serial consoles and screen readers
    #[arg(long)]
    pub plain: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
}

#[derive(Debug, Args)]
pub struct Rehearse {
    /// Script folder or script.toml
    pub script: PathBuf,
    #[command(flatten)]
    pub front: FrontArgs,
    /// Simulated people answer everything; needs --plain
    #[arg(long, requires = "plain")]
    pub auto: bool,
    /// Simulated clock, machine and randomness: the same seed gives the same keys, certificates and entries (sealed files, and the digests of
    /// them, differ: `age` draws its own randomness)
    #[arg(long)]
    pub seed: Option<u64>,
    /// The rehearsal that the script follows, the folder it wrote; without it, it is rehearsed first by simulated people
    #[arg(long)]
    pub after: Option<PathBuf>,
    /// Folder with the objects that come in, named as the steps call them; without it the folder `rehearsal` beside the script
    #[arg(long)]
    pub incoming: Option<PathBuf>,
    /// Folder to write; must not exist
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    pub script: PathBuf,
    /// Folder with governance.toml and allowed_signers
    #[arg(long)]
    pub governance: PathBuf,
    /// approval.json, with its signatures beside it
    #[arg(long)]
    pub approval: PathBuf,
    /// Machine-local names of devices
    #[arg(long)]
    pub binding: PathBuf,
    /// The ceremony that the script follows: the folder it wrote, or its evidence
    #[arg(long)]
    pub after: Option<PathBuf>,
    /// The folder with the sealed keys of that ceremony: a vault medium, mounted; left out, the keys are in the folder that it wrote
    #[arg(long, requires = "after")]
    pub vault: Option<PathBuf>,
    /// Folder to write; must not exist
    #[arg(long)]
    pub out: PathBuf,
    #[command(flatten)]
    pub front: FrontArgs,
}

#[derive(Debug, Subcommand)]
pub enum EvidenceVerb {
    /// Write what leaves the room onto a medium: attestations to sign, the last checkpoint, certificates and CRLs
    Export {
        folder: PathBuf,
        /// The folder where the medium is mounted, or its block device
        #[arg(long)]
        medium: PathBuf,
        /// Expect the medium with this label
        #[arg(long)]
        label: Option<String>,
    },
    /// Take signatures of attestations from a medium: from its inbox or its exports, each checked, none twice
    Collect {
        folder: PathBuf,
        /// The folder where the medium is mounted, or its block device
        #[arg(long)]
        medium: PathBuf,
        /// Expect the medium with this label
        #[arg(long)]
        label: Option<String>,
    },
    /// Check a signature made with `ssh-keygen -Y sign` and add it
    Sign {
        folder: PathBuf,
        /// Who signed
        #[arg(long)]
        who: String,
        /// The signature file: from a stick, or as `qr scan --kind signature` wrote it
        #[arg(long)]
        signature: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ApproveVerb {
    /// Print the words of a governance folder, for the paper that two people bring to the first ceremony of a chain
    Words {
        /// Folder with governance.toml and allowed_signers
        #[arg(long)]
        governance: PathBuf,
    },
    /// Write approval.json for a script, to be signed with `ssh-keygen -Y sign -n script-approval@anchorite`
    Make {
        script: PathBuf,
        /// Earliest start, like 2026-11-22T09:00:00Z
        #[arg(long)]
        not_before: String,
        /// Latest start
        #[arg(long)]
        not_after: String,
        /// The ceremony that the script follows: its evidence
        #[arg(long)]
        after: Option<PathBuf>,
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Make a new ledger
    Init { ledger: PathBuf },
    /// Make a new ledger from evidence folders
    Rebuild {
        ledger: PathBuf,
        /// Evidence folders, complete copies, each verified first
        #[arg(required = true)]
        evidence: Vec<PathBuf>,
        /// allowed_signers file you trust: without it the ledger pins no governance for later ceremonies
        #[arg(long)]
        signers: Option<PathBuf>,
    },
    /// Authority keys
    Keys(LedgerKeys),
    /// Certificates and serial numbers
    Certificates(LedgerReport),
    /// Quorums and the proofs of their shares
    Quorums(LedgerReport),
    /// Every share that was proven, and who holds it
    Shares(LedgerReport),
    /// Bundles of device identities: issued, proven, revoked, open, and what does not add up
    Bundles {
        ledger: PathBuf,
        /// Only those of this factory
        #[arg(long)]
        factory: Option<String>,
        /// One JSON object a bundle, in an array, on standard output
        #[arg(long)]
        json: bool,
    },
    /// Authorities in factories' own modules: ordered, logged, and what does not add up
    Delegated {
        ledger: PathBuf,
        /// Only those of this factory
        #[arg(long)]
        factory: Option<String>,
        /// One JSON object an authority, in an array, on standard output
        #[arg(long)]
        json: bool,
    },
    /// Everything about one device: from the root to the line it was drawn on, with a proof that it was issued
    Device(LedgerDevice),
    /// Devices that got a firmware version, and an order for new certificates for them
    Devices(LedgerDevices),
}

#[derive(Debug, Args)]
pub struct LedgerDevice {
    pub ledger: PathBuf,
    /// The device's id, or one of its hardware ids: as KIND=ID, or alone where its kind is not known
    pub device: String,
    /// Folder with what was kept of bundles and logs (`issued` of the ceremonies that made or checked them)
    #[arg(long)]
    pub issued: PathBuf,
    /// outcomes.cbor of the last receipt of its bundle: when it was drawn, and on which line
    #[arg(long)]
    pub outcomes: Option<PathBuf>,
    /// An array on standard output, an object for each bundle that the device is in; `media/bundle.py device` checks it
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LedgerDevices {
    pub ledger: PathBuf,
    /// The firmware version in their orders
    #[arg(long)]
    pub firmware: String,
    /// Only those of this factory
    #[arg(long)]
    pub factory: Option<String>,
    /// Folder with what was kept of bundles
    #[arg(long)]
    pub issued: PathBuf,
    /// The order that made one of these bundles: one like it is written, that names the devices and what their certificates replace
    #[arg(long, requires = "order")]
    pub like: Option<PathBuf>,
    /// File to write the order to; must not exist
    #[arg(long, requires = "like")]
    pub order: Option<PathBuf>,
    /// One JSON object a device, in an array, on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LedgerReport {
    pub ledger: PathBuf,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LedgerKeys {
    #[command(flatten)]
    pub report: LedgerReport,
    /// Only keys that a large quantum computer would forge with, or whose sealed file it would open
    #[arg(long)]
    pub quantum_vulnerable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RealmArg {
    /// What `run` leads through
    Production,
    /// What `rehearse` leads through
    Rehearsal,
}

impl From<RealmArg> for crate::basics::Realm {
    fn from(realm: RealmArg) -> Self {
        match realm {
            RealmArg::Production => Self::Production,
            RealmArg::Rehearsal => Self::Rehearsal,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    Public,
    Auditor,
    Complete,
}

impl From<LevelArg> for crate::transcript::Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Public => Self::Public,
            LevelArg::Auditor => Self::Auditor,
            LevelArg::Complete => Self::Complete,
        }
    }
}
