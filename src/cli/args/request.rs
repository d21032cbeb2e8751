//! Arguments of `request`.

use clap::Subcommand;
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
}
