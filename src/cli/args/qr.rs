//! The arguments of `anchorite qr`.

use crate::cli::args::RealmArg;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum QrVerb {
    /// Take an object in from codes: a camera, a scanner, pictures, a video, a text file of frames
    Scan(Scan),
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
