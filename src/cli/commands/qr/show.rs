//! `qr show`: the codes on this screen, or their texts as lines.

use crate::basics::{Digest, Realm, SafeText};
use crate::cli::args::qr::Show as Arguments;
use crate::cli::commands::qr::object::{self, Object};
use crate::cli::{ExitCode, Failure};
use crate::tui::across::fit::Density;
use crate::tui::across::frames::{Frames, Subject};
use crate::tui::across::show::{Settings, Show};
use crate::tui::across::{self, Ending};
use crate::tui::widgets::qr_code::Ink;

/// Shows a file.
///
/// # Errors
/// Where the object cannot be sent or there is no terminal.
pub fn show(args: &Arguments) -> Result<ExitCode, Failure> {
    let object = object::read(&args.object)?;
    let (subject, frames) = frames_of(object, args.object.realm.into());
    let density = args.version.map_or(Density::Usual, Density::Asked);
    let settings = Settings { density, rate: args.rate, ..Settings::usual(ink()) };
    match across::on_this_terminal(Show::new(subject, frames, settings), args.front.no_color)? {
        Ending::Left => Ok(ExitCode::Done),
        Ending::Signal(signal) => Err(Failure::new(ExitCode::Stopped, signal.why())),
        Ending::Lost(why) => Err(Failure::new(ExitCode::Failure, why)),
    }
}

fn ink() -> Ink {
    let variable = |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
    Ink::of(&variable("TERM"), &variable("COLORTERM"), &variable("TERM_PROGRAM"))
}

/// What people compare, and the codes.
fn frames_of(object: Object, realm: Realm) -> (Subject, Box<dyn Frames>) {
    let subject = Subject {
        realm,
        kind: object.kind,
        name: SafeText::of(&object.name).to_string(),
        octets: object.octets.len(),
        digest: Digest::of(&object.octets),
    };
    (subject, Box::new(StandIn { octets: object.octets }))
}

/// Until the branch `transfer` is merged.
struct StandIn {
    octets: Vec<u8>,
}

impl Frames for StandIn {
    fn single(&self) -> Option<String> {
        (self.octets.len() < 400).then(|| format!("KC1{}", data_encoding::BASE32_NOPAD.encode(&self.octets)))
    }

    fn octets(&self, version: u8) -> usize {
        let version = usize::from(version);
        version * version * 3 / 2 + 10
    }

    fn sources(&self, version: u8) -> u32 {
        u32::try_from(self.octets.len().div_ceil(self.octets(version))).unwrap_or(u32::MAX)
    }

    fn text(&mut self, version: u8, number: u64) -> Result<String, String> {
        let number = usize::try_from(number % u64::from(self.sources(version).max(1))).unwrap_or_default();
        let part = self.octets.chunks(self.octets(version)).nth(number).unwrap_or_default();
        Ok(format!("KC1{}", data_encoding::BASE32_NOPAD.encode(part)))
    }
}
