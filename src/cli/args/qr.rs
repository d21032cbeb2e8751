//! The arguments of `anchorite qr`.

use crate::cli::args::{FrontArgs, RealmArg};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum QrVerb {
    /// Show a file as codes on this screen, for a camera on the other side of the gap
    Show(Show),
    /// Take an object in from codes: a camera, a scanner, pictures, a video, a text file of frames
    Scan(Scan),
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
    /// Codes that other programs read: the octets alone as `ur:bytes` (BCR-2020-005), without kind, realm and name
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

#[derive(Debug, Args)]
pub struct Scan {
    /// Pictures (PNG, JPEG), folders of pictures, videos (through ffmpeg), text files of frames
    pub sources: Vec<PathBuf>,
    /// A camera, such as /dev/video0
    #[arg(long, value_name = "DEVICE")]
    pub camera: Option<PathBuf>,
    /// A scanner on USB serial, such as /dev/ttyACM0
    #[arg(long, value_name = "DEVICE")]
    pub serial: Option<PathBuf>,
    /// A scanner that types as a keyboard: lines on standard input
    #[arg(long)]
    pub keyboard: bool,
    /// With --keyboard: show a code that finds wrong keyboard layouts, and judge what arrives
    #[arg(long, requires = "keyboard")]
    pub calibrate: bool,
    /// Line by line also where a camera could have the whole screen
    #[arg(long)]
    pub plain: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    /// Only list the cameras of this machine
    #[arg(long)]
    pub list_cameras: bool,
    /// The new file the object is written to
    #[arg(long, required_unless_present_any = ["texts", "list_cameras", "calibrate"])]
    pub out: Option<PathBuf>,
    /// Take only an object of this kind, e.g. csr, certificate, crl
    #[arg(long)]
    pub kind: Option<String>,
    /// Take only an object for this realm
    #[arg(long, value_enum)]
    pub realm: Option<RealmArg>,
    /// Watch the folders for pictures to come
    #[arg(long)]
    pub watch: bool,
    /// Only print the text of every code, each once, as a JSON string a line
    #[arg(long, conflicts_with = "out")]
    pub texts: bool,
    /// One JSON object on standard output: what arrived, or which cameras there are
    #[arg(long)]
    pub json: bool,
}
