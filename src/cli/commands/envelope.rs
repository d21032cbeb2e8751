//! `envelope make | show | open | frames`: what crosses the gap, as files. The connected side needs nothing else.

use crate::basics::{Digest, SafeText, limits};
use crate::cli::args::envelope::{EnvelopeVerb, FormArg, MakeEnvelope, OpenEnvelope, WriteFrames};
use crate::cli::commands::qr::object::refuse_secrets;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::transfer::{Envelope, Level, Receiver, Sender, Taken, UrSender, matrix, sender, ur};
use serde_json::json;
use std::path::Path;

/// # Errors
/// What is wrong with the file, the envelope or the frames.
pub fn envelope(verb: EnvelopeVerb) -> Result<ExitCode, Failure> {
    match verb {
        EnvelopeVerb::Make(args) => make(&args),
        EnvelopeVerb::Show { from, json } => show(&from, json),
        EnvelopeVerb::Open(args) => open(&args),
        EnvelopeVerb::Frames(args) => frames(&args),
    }
}

fn make(args: &MakeEnvelope) -> Result<ExitCode, Failure> {
    let octets = durable_file::read(&args.file, limits::ENVELOPE_OCTETS)?;
    refuse_secrets(&octets, &args.file)?;
    let own = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = args.name.as_deref().unwrap_or(&own);
    let envelope = Envelope::new(args.kind, args.realm.into(), name, octets)
        .map_err(|e| Failure::new(ExitCode::Usage, e.to_string()).with_hint("--name gives another name"))?;
    create(&args.out, &envelope.to_octets())?;
    describe(&envelope);
    Ok(ExitCode::Done)
}

fn show(from: &Path, json: bool) -> Result<ExitCode, Failure> {
    match read(from)? {
        Found::Envelope(envelope) if json => output::json(&facts(&envelope))?,
        Found::Envelope(envelope) => describe(&envelope),
        Found::Plain(octets) if json => output::json(&plain_facts(&octets))?,
        Found::Plain(octets) => describe_plain(&octets),
    }
    Ok(ExitCode::Done)
}

fn open(args: &OpenEnvelope) -> Result<ExitCode, Failure> {
    match read(&args.from)? {
        Found::Envelope(envelope) => {
            expect(args, &envelope)?;
            create(&args.out, envelope.octets())?;
            if args.json { output::json(&facts(&envelope))? } else { describe(&envelope) }
        }
        Found::Plain(octets) => {
            if args.kind.is_some() || args.realm.is_some() {
                let message = "this UR holds no envelope: expected one with a kind and a realm";
                return Err(
                    Failure::new(ExitCode::Refuted, message).with_hint("without --kind and --realm it is opened")
                );
            }
            create(&args.out, &octets)?;
            if args.json { output::json(&plain_facts(&octets))? } else { describe_plain(&octets) }
        }
    }
    Ok(ExitCode::Done)
}

/// A new file; a bare name is one in the present folder.
fn create(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let path = std::path::absolute(path).map_err(|e| Failure::from(e.to_string()))?;
    Ok(durable_file::create(&path, octets)?)
}

/// Refuses what was not asked for.
fn expect(args: &OpenEnvelope, envelope: &Envelope) -> Result<(), Failure> {
    let refuse = |expected: &str, found: &str| {
        let message = format!("{}: expected {expected}, found {found}", envelope.name());
        Err(Failure::new(ExitCode::Refuted, message).with_hint("nothing was written"))
    };
    if let Some(kind) = args.kind.filter(|kind| *kind != envelope.kind()) {
        return refuse(kind.word(), envelope.kind().word());
    }
    let realm = args.realm.map(crate::basics::Realm::from);
    if let Some(realm) = realm.filter(|realm| *realm != envelope.realm()) {
        return refuse(realm.word(), envelope.realm().word());
    }
    Ok(())
}

fn frames(args: &WriteFrames) -> Result<ExitCode, Failure> {
    let usage = |message: String| Failure::new(ExitCode::Usage, message);
    let octets = durable_file::read(&args.envelope, limits::ENVELOPE_OCTETS)?;
    let envelope = Envelope::parse(&octets).map_err(|e| Failure::new(ExitCode::Refuted, e.to_string()))?;
    refuse_secrets(&octets, &args.envelope)?;
    let numbers = |needed: u32| {
        let count = args.count.unwrap_or(needed.saturating_sub(args.from).max(1));
        if u64::from(count) > limits::FRAMES_WRITTEN {
            return Err(usage(format!("--count: expected at most {}, found {count}", limits::FRAMES_WRITTEN)));
        }
        Ok(args.from..args.from.saturating_add(count))
    };
    match args.form {
        FormArg::Frames => {
            let symbol = args.symbol.unwrap_or_else(|| sender::symbol_octets_of(args.version));
            let sender = Sender::new(&envelope, symbol).map_err(|e| usage(e.to_string()))?;
            for n in numbers(sender.source_frames())? {
                output::data(&sender.frame(u64::from(n)));
            }
        }
        FormArg::Single => {
            let text = sender::single_within(&envelope, 40, Level::L).ok_or_else(|| {
                let most = matrix::capacity(40, Level::L);
                usage(format!("single code: expected at most {most} characters")).with_hint("--form frames")
            })?;
            output::data(&text);
        }
        FormArg::Ur => {
            let most = args.symbol.unwrap_or_else(|| ur::fragment_octets_of(args.version, Level::L));
            let sender = UrSender::new(&octets, most).map_err(|e| usage(e.to_string()))?;
            for n in numbers(sender.source_parts())? {
                output::data(&sender.part(n));
            }
        }
    }
    Ok(ExitCode::Done)
}

/// What a file turned out to hold.
enum Found {
    Envelope(Envelope),
    /// Octets of a UR that are no envelope.
    Plain(Vec<u8>),
}

fn read(from: &Path) -> Result<Found, Failure> {
    let octets = durable_file::read(from, limits::FRAMES_FILE_OCTETS)?;
    if octets.starts_with(b"AE1 ") {
        let envelope = Envelope::parse(&octets).map_err(|e| Failure::new(ExitCode::Refuted, e.to_string()))?;
        return Ok(Found::Envelope(envelope));
    }
    let shown = SafeText::of(&from.display().to_string());
    let text = std::str::from_utf8(&octets).map_err(|_| {
        Failure::new(ExitCode::Refuted, format!("{shown}: expected an envelope or lines of frames, found neither"))
    })?;
    gather(text).map_err(|failure| Failure { message: format!("{shown}: {}", failure.message), ..failure })
}

/// The one object that the lines make.
fn gather(text: &str) -> Result<Found, Failure> {
    let mut receiver = Receiver::new();
    let mut found = None;
    let mut unreadable = None;
    for (number, line) in (1_usize..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match receiver.take(line) {
            Taken::Whole => {
                let whole = receiver.whole().map(Found::Envelope).or_else(|| receiver.plain().map(Found::Plain));
                if found.is_some() {
                    let failure = Failure::new(
                        ExitCode::Refuted,
                        "expected one object, found frames of another that is whole too",
                    );
                    return Err(failure.with_hint("give each its own file"));
                }
                found = whole;
            }
            Taken::Unreadable(error) => unreadable = unreadable.or(Some(format!("line {number}: {error}"))),
            Taken::Restarted(why) => output::words(&format!("line {number}: {why}; what was gathered is dropped")),
            Taken::New | Taken::Again | Taken::OtherTransfer => {}
        }
    }
    let progress = receiver.progress();
    if let Some(error) = &unreadable {
        output::words(&format!("{} lines are no frames; {error}", progress.unreadable));
    }
    found.ok_or_else(|| match unreadable {
        Some(error) if progress.need == 0 => Failure::new(ExitCode::Refuted, error),
        _ => {
            let message = format!("expected {} useful frames, found {}", progress.need.max(1), progress.have);
            Failure::new(ExitCode::Missing, message).with_hint("any other frames of the same transfer do")
        }
    })
}

fn describe(envelope: &Envelope) {
    let digest = envelope.digest();
    output::data(&format!("{} for {}", envelope.kind(), envelope.realm()));
    output::data(&format!("  name    {}", envelope.name()));
    output::data(&format!("  octets  {}", envelope.octets().len()));
    output::data(&format!("  words   {}", digest.twelve_words()));
    output::data(&format!("          {}", digest.grouped()));
}

fn describe_plain(octets: &[u8]) {
    let digest = Digest::of(octets);
    output::data("no envelope: nothing says what this is or for which realm");
    output::data(&format!("  octets  {}", octets.len()));
    output::data(&format!("  words   {}", digest.twelve_words()));
    output::data(&format!("          {}", digest.grouped()));
}

fn facts(envelope: &Envelope) -> serde_json::Value {
    let digest = envelope.digest();
    json!({
        "kind": envelope.kind().word(),
        "realm": envelope.realm().word(),
        "name": envelope.name(),
        "octets": envelope.octets().len(),
        "content_sha256": Digest::of(envelope.octets()).hex(),
        "digest": digest.hex(),
        "words": digest.twelve_words(),
    })
}

fn plain_facts(octets: &[u8]) -> serde_json::Value {
    let digest = Digest::of(octets);
    json!({ "kind": null, "realm": null, "octets": octets.len(), "digest": digest.hex(), "words": digest.twelve_words() })
}
