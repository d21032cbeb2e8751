//! The arguments of `anchorite qr`.

use crate::cli::args::{FrontArgs, RealmArg};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum QrVerb {
    /// Show a file as codes on this screen, for a camera on the other side of the gap
    Show(Show),
    /// Write the codes of a file as pages to print: a PDF file, or a folder of PNG pictures
    Print(Print),
}

/// Which object it is, as the other side will see it.
#[derive(Debug, Args)]
pub struct ObjectArgs {
    /// The file to send
    pub file: PathBuf,
    /// What it is, e.g. csr, certificate, chain, crl; found from its content where that is plain
    #[arg(long)]
    pub kind: Option<String>,
    /// For which realm: nothing of one is accepted in the other
    #[arg(long, value_enum, default_value = "rehearsal")]
    pub realm: RealmArg,
    /// Its name on the other side; the file's own name where none is given
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    pub object: ObjectArgs,
    /// Size of the codes, 5 to 27; the largest up to 15 that fits the terminal where none is given
    #[arg(long, value_parser = clap::value_parser!(u8).range(5..=27))]
    pub version: Option<u8>,
    /// Codes a second, 2 to 10
    #[arg(long, default_value = "6", value_parser = clap::value_parser!(u8).range(2..=10))]
    pub rate: u8,
    /// Codes that other tools read: `ur:bytes` (BCR-2020-005)
    #[arg(long)]
    pub ur: bool,
    #[command(flatten)]
    pub front: FrontArgs,
}

#[derive(Debug, Args)]
pub struct Print {
    #[command(flatten)]
    pub object: ObjectArgs,
    /// A new file with the ending .pdf, or a new folder for one PNG picture a page
    #[arg(long)]
    pub out: PathBuf,
    /// One JSON object on standard output: the files, how many codes, how many are enough
    #[arg(long)]
    pub json: bool,
}
