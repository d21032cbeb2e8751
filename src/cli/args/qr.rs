//! Arguments of `qr`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum QrVerb {
    /// Take an object in from codes: a camera, a scanner, pictures, a video, a text file of frames
    Scan(ScanArgs),
}

#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Pictures (PNG, JPEG), folders of pictures, videos, text files of frames
    pub sources: Vec<PathBuf>,
    /// Watch the folders for pictures to come
    #[arg(long)]
    pub watch: bool,
    /// Only print the text of every code, each once, one JSON string a line
    #[arg(long)]
    pub texts: bool,
}
