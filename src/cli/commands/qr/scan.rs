//! `qr scan`: takes an object in from codes, wherever they are read from, and writes it once it is whole.

mod calibrate;
mod cameras;
mod report;
mod sources;
mod watching;

use crate::basics::{SafeText, limits};
use crate::cli::args::qr::Scan;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::camera::Camera;
use crate::devices::durable_file;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::picture_reader::PictureReader;
use crate::transfer::intake::{self, Arrival, Expected, Intake, Object};
use crate::transfer::{Kind, Taken};
use crate::tui::take_in;
use report::Reporter;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;
use watching::Watching;

/// How long one source is waited for before the next is asked.
const WAIT: Duration = Duration::from_millis(200);

/// Takes an object in.
///
/// # Errors
/// Where a source cannot be used, nothing whole arrived, or the file cannot be written.
pub fn scan(args: &Scan) -> Result<ExitCode, Failure> {
    if args.list_cameras {
        return cameras::list(args.json);
    }
    if args.calibrate {
        return calibrate::calibrate();
    }
    let expected = expected(args)?;
    if let Some(out) = args.out.as_ref().filter(|out| out.symlink_metadata().is_ok()) {
        let message = format!("{}: expected no file, found one: nothing is overwritten", out.display());
        return Err(Failure::new(ExitCode::Failure, message).with_hint("name a new file with --out"));
    }
    let alone = args.sources.is_empty() && args.serial.is_none() && !args.keyboard && !args.texts;
    if let Some(device) = args.camera.as_ref().filter(|_| alone && !args.plain && std::io::stdout().is_terminal()) {
        return from_camera(args, device, expected);
    }
    let mut sources = sources::of(args)?;
    if args.texts {
        return print_texts(&mut sources);
    }
    let mut reporter = Reporter::new();
    let mut intake = Intake::new(expected);
    let object = collect(&mut sources, &mut intake, &mut reporter)?;
    reporter.progress(&intake.progress());
    let Some(object) = object else {
        let progress = intake.progress();
        let message = format!("the sources ended before an object was whole: {}", intake::progress_line(&progress));
        return Err(Failure::new(ExitCode::Missing, message)
            .with_hint("nothing was written; scan again with more pictures, parts in any order"));
    };
    write(args, &object, &intake)
}

/// A camera alone on a terminal has a screen of its own: whoever holds the code wants to see what the camera sees.
fn from_camera(args: &Scan, device: &Path, expected: Expected) -> Result<ExitCode, Failure> {
    let camera = Camera::open(device, PictureReader::new())?;
    let mut watching = Watching::new(Box::new(camera), Intake::new(expected), expected.words());
    let ending = take_in::on_this_terminal(&mut watching, args.no_color)?;
    let missing = |why: &str| {
        Failure::new(ExitCode::Missing, SafeText::of(why).to_string())
            .with_hint("nothing was written; `--plain` works without a full screen")
    };
    match (ending, watching.end()) {
        (take_in::Ending::Ended, (Ok(object), intake)) => write(args, &object, &intake),
        (take_in::Ending::Ended, (Err(why), _)) => Err(missing(&why)),
        (take_in::Ending::Back | take_in::Ending::Signal(_), _) => {
            Err(Failure::new(ExitCode::Stopped, "left before an object was whole; nothing was written"))
        }
        (take_in::Ending::Lost(why), _) => Err(missing(&why)),
    }
}

fn expected(args: &Scan) -> Result<Expected, Failure> {
    let kind = args.kind.as_deref().map(|word| {
        Kind::parse(word).ok_or_else(|| {
            let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
            Failure::new(
                ExitCode::Usage,
                format!("--kind: expected one of {}, found {}", known.join(", "), SafeText::of(word)),
            )
        })
    });
    Ok(Expected { kind: kind.transpose()?, realm: args.realm.map(Into::into) })
}

type Sources = Vec<Box<dyn FrameSource>>;

/// Asks the sources in turn until an object is whole or all have ended.
fn collect(sources: &mut Sources, intake: &mut Intake, reporter: &mut Reporter) -> Result<Option<Object>, Failure> {
    while !sources.is_empty() {
        let mut ended = Vec::new();
        for (place, source) in sources.iter_mut().enumerate() {
            match source.hear(WAIT)? {
                Heard::Ended => ended.push(place),
                Heard::Nothing => {}
                Heard::Looks(looks) => reporter.looks(&source.name(), &looks),
                Heard::Refused { name, reason } => {
                    intake.nothing_read();
                    reporter.refused(&name, &reason);
                }
                Heard::Text(text) => match intake.take(&text) {
                    Arrival::Object(object) => return Ok(Some(object)),
                    Arrival::Calibration(layout) => reporter.say(&layout.words()),
                    Arrival::Unexpected { expected, found } => {
                        reporter.say(&format!("expected {expected}, found {found}: not taken, going on"));
                    }
                    Arrival::Part(taken) => {
                        if let Taken::Unreadable(error) = &taken {
                            reporter.unreadable(&error.to_string());
                        }
                        if let Taken::Restarted(why) = &taken {
                            reporter.say(&format!("starting again: {why}"));
                        }
                        reporter.now_and_then(&intake.progress());
                    }
                },
            }
        }
        for place in ended.into_iter().rev() {
            sources.remove(place);
        }
    }
    Ok(None)
}

fn write(args: &Scan, object: &Object, intake: &Intake) -> Result<ExitCode, Failure> {
    let octets = match object {
        Object::Envelope(envelope) => envelope.octets(),
        Object::Plain { octets, .. } => octets,
    };
    let out = args.out.as_ref().ok_or_else(|| Failure::new(ExitCode::Usage, "expected --out, found none"))?;
    durable_file::create(out, octets)?;
    report::arrived(object, out, &intake.progress(), args.json)?;
    Ok(ExitCode::Done)
}

/// Every text once: what a script or test wants that collects frames itself.
fn print_texts(sources: &mut Sources) -> Result<ExitCode, Failure> {
    let mut printed: BTreeSet<String> = BTreeSet::new();
    while let Some(source) = sources.first_mut() {
        match source.hear(WAIT)? {
            Heard::Text(text) if printed.len() < limits::SCANNED_TEXTS && !printed.contains(&text) => {
                output::json(&text)?;
                printed.insert(text);
            }
            Heard::Refused { name, reason } => {
                output::words(&format!("{}: {}", SafeText::of(&name), SafeText::of(&reason)))
            }
            Heard::Text(_) | Heard::Looks(_) | Heard::Nothing => {}
            Heard::Ended => {
                sources.remove(0);
            }
        }
    }
    Ok(if printed.is_empty() { ExitCode::Missing } else { ExitCode::Done })
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let message = SafeText::of(&error.to_string()).to_string();
        Self::new(ExitCode::Missing, message).with_hint(error.hint)
    }
}
