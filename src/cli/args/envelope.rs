//! Arguments of `envelope`.

use super::RealmArg;
use crate::transfer::Kind;
use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum EnvelopeVerb {
    /// Put a file into an envelope: what it is, for which realm, under which name
    Make(MakeEnvelope),
    /// Say what an envelope or a text file of frames holds, and the words of its digest
    Show {
        /// An envelope, or a text file with one frame or code a line
        from: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Take the content out of an envelope or a text file of frames
    Open(OpenEnvelope),
    /// Write an envelope as frames, one a line, for codes, sticks and tests
    Frames(WriteFrames),
}

#[derive(Debug, Args)]
pub struct MakeEnvelope {
    /// The file that goes into it
    pub file: PathBuf,
    /// What the file is
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// The realm it is for; the other one refuses it
    #[arg(long, value_enum)]
    pub realm: RealmArg,
    /// Name on the other side; the file's own without it
    #[arg(long)]
    pub name: Option<String>,
    /// The envelope to write; never overwritten
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct OpenEnvelope {
    /// An envelope, or a text file with one frame or code a line
    pub from: PathBuf,
    /// The file to write the content to; never overwritten
    #[arg(long)]
    pub out: PathBuf,
    /// Refuse every other kind
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Refuse the other realm
    #[arg(long, value_enum)]
    pub realm: Option<RealmArg>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct WriteFrames {
    /// An envelope
    pub envelope: PathBuf,
    /// Frames of many codes, the one text of a single code, or UR for other programs
    #[arg(long, value_enum, default_value = "frames")]
    pub form: FormArg,
    /// QR version whose codes the frames fill
    #[arg(long, value_parser = clap::value_parser!(u8).range(3..=40), default_value = "15", conflicts_with = "symbol")]
    pub version: u8,
    /// Octets a frame carries, in place of a QR version
    #[arg(long)]
    pub symbol: Option<usize>,
    /// First frame, counted from 0; repair frames begin where the source frames end
    #[arg(long, default_value = "0")]
    pub from: u32,
    /// How many; as many as a receiver needs without it
    #[arg(long)]
    pub count: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// AF1 frames, as many as are asked for
    Frames,
    /// One AE1 text, where it fits
    Single,
    /// Parts of ur:bytes
    Ur,
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
