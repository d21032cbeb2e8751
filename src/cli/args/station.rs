//! Arguments of `station`.

mod leaving;

pub use leaving::{DrawForm, ExportBatch, ExportForm, FormArgs};

use super::RealmArg;
use super::bundle::OfAuthority;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum StationVerb {
    /// Make a station: its keys, its store, and what it pins
    Init(InitStation),
    /// Write the request with which the ceremony side enrols this station
    Enrol {
        /// The station's folder
        station: PathBuf,
        /// Make another age recipient first, for the batches to come: of the newest one's kind
        #[arg(long)]
        fresh_recipient: bool,
        /// The new recipient is ML-KEM-768 with X25519
        #[arg(long, requires = "fresh_recipient", conflicts_with = "classical")]
        post_quantum: bool,
        /// The new recipient is X25519
        #[arg(long, requires = "fresh_recipient")]
        classical: bool,
        /// The envelope to write; never overwritten
        #[arg(long)]
        out: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Open the ceremony's challenge and write the answer
    Challenge {
        /// The station's folder
        station: PathBuf,
        /// The challenge: an age file
        challenge: PathBuf,
        /// The answer to write; never overwritten
        #[arg(long)]
        out: PathBuf,
    },
    /// Collect the requests of devices that made their keys, judge them as the ceremony will, and sign what was collected
    Requests(CollectRequests),
    /// Check what an authority in the factory's own module has issued, as the ceremony will, and sign its log
    Log(SignLog),
    /// Check a bundle whole and take it in
    Import(ImportBundle),
    /// Let lines draw from a bundle
    Release {
        /// The station's folder
        station: PathBuf,
        /// The bundle's id
        bundle: String,
        /// How many of the next ones; all without it
        #[arg(long)]
        count: Option<u64>,
        /// Each is drawn by its device id, not in order
        #[arg(long)]
        by_device: bool,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Give one identity to a line, on standard output: reserved for ever before it is opened
    Draw(DrawIdentity),
    /// Write public data of drawn devices for other people's registries
    Export(ExportBatch),
    /// Take a device's proof that it holds its key
    Confirm(ConfirmIdentity),
    /// Say that an identity was given out and not used
    Scrap(EndIdentity),
    /// Say that nobody knows where an identity is
    Lost(EndIdentity),
    /// Say that an identity went back to whoever issued it
    Returned(EndIdentity),
    /// Say that an identity was destroyed with its key
    Destroyed(EndIdentity),
    /// Say what is in stock, what the lines have, what was refused
    Status {
        /// The station's folder
        station: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Show the same on the full screen, renewed every second
    Watch {
        /// The station's folder
        station: PathBuf,
        /// No colours
        #[arg(long)]
        no_color: bool,
    },
    /// Sign a receipt for a bundle: what became of every record
    Receipt {
        /// The station's folder
        station: PathBuf,
        /// The bundle's id
        bundle: String,
        /// Also write receipt, signature and outcomes into this file, as a ceremony takes them in (NAME.receipt.json); digest and words are its
        #[arg(long)]
        out: Option<PathBuf>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Replay the whole ledger and compare every identity with it
    Check {
        /// The station's folder
        station: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// After a store was put back or copied: say what happened, and take out of reach what may have been drawn
    Reconcile {
        /// The station's folder
        station: PathBuf,
        /// What happened, for the ledger
        #[arg(long)]
        because: String,
        /// How many may have been drawn that this store does not know of
        #[arg(long)]
        at_least: Option<u64>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Destroy the key of a recipient: nothing that is sealed to it opens again
    Shred {
        /// The station's folder
        station: PathBuf,
        /// The age recipient
        recipient: String,
        /// The recipient once more: this cannot be undone
        #[arg(long)]
        confirm: String,
    },
}

#[derive(Debug, Args)]
pub struct InitStation {
    /// The folder to make
    pub station: PathBuf,
    /// The factory's name, as in its bundles
    #[arg(long)]
    pub factory: String,
    /// The realm its bundles are of
    #[arg(long, value_enum)]
    pub realm: RealmArg,
    /// The root certificate to pin, PEM
    #[arg(long)]
    pub root: PathBuf,
    /// allowed_signers file: whose signatures under a manifest count
    #[arg(long)]
    pub signers: PathBuf,
    /// How many of them a manifest needs
    #[arg(long)]
    pub threshold: u32,
    /// Bundles are sealed to it with ML-KEM-768 and X25519; with X25519 alone without it
    #[arg(long)]
    pub post_quantum: bool,
    /// Where the anchor is kept, best on another device; beside the folder without it
    #[arg(long)]
    pub anchor: Option<PathBuf>,
    /// A PostgreSQL database for the store, `postgres://USER@/DATABASE?host=/run/postgresql`; a file without it
    #[arg(long)]
    pub store: Option<String>,
    /// A file with the password of its user, which is kept in the station's folder
    #[arg(long, requires = "store")]
    pub password_file: Option<PathBuf>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ImportBundle {
    /// The station's folder
    pub station: PathBuf,
    /// The bundle's folder
    pub bundle: PathBuf,
    /// SHA-256 of the order it must be made under
    #[arg(long)]
    pub order: Option<String>,
    /// A newer revocation list of the issuing authority (PEM), where the bundle's own is over
    #[arg(long)]
    pub crl: Option<PathBuf>,
    /// Number of the first bundle, where this station takes over from another
    #[arg(long)]
    pub begin_at: Option<u64>,
    /// Let lines draw from it at once
    #[arg(long)]
    pub release: bool,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DrawIdentity {
    /// The station's folder
    pub station: PathBuf,
    /// The line's number
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub line: u32,
    /// From this bundle; needed where several products are released
    #[arg(long)]
    pub bundle: Option<String>,
    /// For this device, of a bundle released by device id
    #[arg(long)]
    pub device: Option<String>,
    /// For the device with this hardware id, like mac=00124b000001, of a bundle released by device id
    #[arg(long, value_name = "KIND=ID", conflicts_with = "device")]
    pub hardware: Option<String>,
    /// One JSON object; PEM blocks without it
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub form: FormArgs,
    /// Write it to this new file or folder (readable by its owner only) and not to standard output
    #[arg(long, conflicts_with = "serve")]
    pub to: Option<PathBuf>,
    /// Stay: for every line on standard input one identity, as one line of JSON. A line is `next`, a device id or a hardware id as KIND=ID
    #[arg(long, conflicts_with_all = ["device", "hardware"])]
    pub serve: bool,
}

#[derive(Debug, Args)]
pub struct ConfirmIdentity {
    /// The station's folder
    pub station: PathBuf,
    /// Device id or record digest
    #[arg(required_unless_present = "serve")]
    pub device: Option<String>,
    /// The device's signature over nonce || record digest: a file, or hexadecimal digits
    #[arg(long, required_unless_present_any = ["injected", "serve"])]
    pub signature: Option<String>,
    /// No proof: the line says that the identity is in the device
    #[arg(long, conflicts_with = "signature")]
    pub injected: bool,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
    /// Stay: for every line `DEVICE SIGNATURE` or `DEVICE injected` on standard input one line of JSON
    #[arg(long, conflicts_with_all = ["device", "signature", "injected"])]
    pub serve: bool,
}

#[derive(Debug, Args)]
pub struct EndIdentity {
    /// The station's folder
    pub station: PathBuf,
    /// Device id or record digest
    pub device: String,
    /// Why, for the ledger and the receipt
    #[arg(long)]
    pub reason: String,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SignLog {
    /// The station's folder
    pub station: PathBuf,
    /// The log, NAME.log.pem: every certificate in PEM, one after the other, those of earlier logs left out
    pub log: PathBuf,
    #[command(flatten)]
    pub of: OfAuthority,
    /// The signed statement about the log before this one, LAST.log.json; none for the first
    #[arg(long)]
    pub after: Option<PathBuf>,
    /// Sign although something does not add up: the ceremony names it, and holds up the next order until it is explained
    #[arg(long)]
    pub with_incidents: bool,
    /// The statement to write, NAME.log.json; never overwritten
    #[arg(long)]
    pub out: PathBuf,
    /// One JSON object on standard output: `digest`, `words`, `sequence`, `count`, `incidents`
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CollectRequests {
    /// The station's folder
    pub station: PathBuf,
    /// The order: requests must embed its nonce
    #[arg(long)]
    pub order: PathBuf,
    /// A table with columns device, request, and where there are any attestation, signature and kinds of hardware ids
    #[arg(long)]
    pub devices: PathBuf,
    /// The folder of the files that the table names; that of the table without it
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Certificates, PEM, that attestations lead through: the vendor's root and what is between
    #[arg(long)]
    pub certificates: Option<PathBuf>,
    /// Leave out what the ceremony would refuse
    #[arg(long)]
    pub leave_out: bool,
    /// Writes OUT.requests.json and OUT.requests.cbor; never overwritten
    #[arg(long)]
    pub out: PathBuf,
    /// One JSON object on standard output: `digest`, `words`, `count`, `left_out`
    #[arg(long)]
    pub json: bool,
}
