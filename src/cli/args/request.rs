//! Arguments of `request`.

use super::RealmArg;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum RequestVerb {
    /// Judge a certificate request: 0 acceptable, 4 refused, with every reason
    Check {
        /// The request: DER, or PEM with one request
        file: PathBuf,
        /// Rules as TOML: kinds of keys, what may be asked for, what the subject may be; without them, any key that we
        /// certify and any ASCII subject
        #[arg(long)]
        rules: Option<PathBuf>,
        /// SHA-256 of the request's DER that is expected, 64 digits or twelve words in quotes
        #[arg(long)]
        expect: Option<String>,
        /// A list of published keys beside the one that comes with the tool, in badkeys' format (blocklist.dat)
        #[arg(long)]
        key_list: Vec<PathBuf>,
        /// One JSON object on standard output: `acceptable`, `reasons`, `remarks`, `fields`
        #[arg(long)]
        json: bool,
    },
    /// Orders: whoever keeps a key says under their own OpenSSH key which request they made
    #[command(subcommand)]
    Order(OrderVerb),
}

#[derive(Debug, Subcommand)]
pub enum OrderVerb {
    /// Write order.json for a request, to be signed with `ssh-keygen -Y sign`
    Make(MakeOrder),
    /// Check a signed order: 0 to be followed, 4 not, with every problem
    Check {
        /// order.json and its signature in one file, as `cat order.json order.json.sig` makes it
        order: PathBuf,
        /// allowed_signers file of enrolled requesters that you trust
        #[arg(long)]
        signers: PathBuf,
        /// For which realm
        #[arg(long, value_enum)]
        realm: RealmArg,
        /// The request that was taken in: it must be the ordered one
        #[arg(long)]
        request: Option<PathBuf>,
        /// The time to check at, like 2026-11-26T09:00:00Z; the clock's without it
        #[arg(long)]
        at: Option<String>,
        /// One JSON object on standard output: `good`, `problems`, `order`
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct MakeOrder {
    /// The request, on the machine where its key is: DER, or PEM with one request
    pub request: PathBuf,
    /// Your name in the allowed_signers file of requesters
    #[arg(long)]
    pub requester: String,
    /// The profile the certificate is to have
    #[arg(long)]
    pub profile: String,
    /// What the certificate is for
    #[arg(long)]
    pub purpose: String,
    /// For which realm
    #[arg(long, value_enum)]
    pub realm: RealmArg,
    /// Until when it may be followed, like 2026-12-26T09:00:00Z
    #[arg(long)]
    pub not_after: String,
    /// The file to write; never overwritten
    #[arg(long)]
    pub out: PathBuf,
}
