//! `qr show`: the codes on this screen, or their texts as lines.

use crate::cli::args::qr::Show as Arguments;
use crate::cli::commands::qr::object;
use crate::cli::{ExitCode, Failure, output};
use crate::tui::across::fit::{Density, USUAL_VERSION};
use crate::tui::across::frames::{EnvelopeFrames, Frames, Subject, UrFrames};
use crate::tui::across::show::{Settings, Show};
use crate::tui::across::{self, Ending};
use crate::tui::widgets::qr_code::Ink;

/// Shows a file.
///
/// # Errors
/// Where the object cannot be sent or there is no terminal.
pub fn show(args: &Arguments) -> Result<ExitCode, Failure> {
    let object = object::read(&args.object)?;
    let (subject, frames): (Subject, Box<dyn Frames>) = if args.ur {
        let (subject, frames) = UrFrames::of(object.envelope);
        (subject, Box::new(frames))
    } else {
        (Subject::of(&object.envelope), Box::new(EnvelopeFrames::of(object.envelope)))
    };
    if args.front.plain {
        return as_lines(args, &subject, frames);
    }
    let density = args.version.map_or(Density::Usual, Density::Asked);
    let settings = Settings { density, rate: args.rate, ..Settings::usual(Ink::of_environment()) };
    match across::on_this_terminal(Show::new(subject, frames, settings), args.front.no_color)? {
        Ending::Left => Ok(ExitCode::Done),
        Ending::Signal(signal) => Err(Failure::new(ExitCode::Stopped, signal.why())),
        Ending::Lost(why) => Err(Failure::new(ExitCode::Failure, why)),
    }
}

/// The texts of the codes, one a line: all that hold the object, and a third more. `qr scan` takes them from a file.
fn as_lines(args: &Arguments, subject: &Subject, mut frames: Box<dyn Frames>) -> Result<ExitCode, Failure> {
    output::words(&format!("{} {} for {}, {} octets", subject.kind, subject.name, subject.realm, subject.octets));
    output::words("the other side shows these words when it is whole:");
    output::words(&format!("  {}", subject.digest.twelve_words()));
    if let Some(text) = frames.single().filter(|_| args.version.is_none()) {
        output::data(&text);
        return Ok(ExitCode::Done);
    }
    let version = args.version.unwrap_or(USUAL_VERSION);
    let sources = u64::from(frames.sources(version));
    for number in 0..sources + sources.div_ceil(3) {
        output::data(&frames.text(version, number)?);
    }
    Ok(ExitCode::Done)
}
