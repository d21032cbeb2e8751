//! `station`: the factory's side.

mod confirm;
mod draw;
mod enrol;
mod export;
mod forms;
mod log;
mod report;
mod requests;
mod serve;

use crate::basics::Instant;
use crate::basics::counted::counted;
use crate::basics::{Digest, Realm, SafeText, Secret, limits};
use crate::cli::args::station::{EndIdentity, ImportBundle, InitStation, StationVerb};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::{Clock, clock::SystemClock, durable_file};
use crate::factory::enrolment::ManifestSigner;
use crate::factory::export::Options;
use crate::factory::manifest;
use crate::keys::recipient::RecipientKind;
use crate::keys::ssh::allowed_signers;
use crate::station::home::NewStation;
use crate::station::import::Expected;
use crate::station::store::Identity;
use crate::station::{State, Station, StationError};
use serde_json::json;
use std::path::Path;
use zeroize::Zeroizing;

/// Works on a station.
///
/// # Errors
/// What the station refuses.
pub fn station(verb: StationVerb) -> Result<ExitCode, Failure> {
    match verb {
        StationVerb::Init(args) => init(&args),
        StationVerb::Enrol { station, fresh_recipient, post_quantum, classical, out, json } => {
            let kind = match (post_quantum, classical) {
                (true, _) => Some(RecipientKind::MlKem768X25519),
                (_, true) => Some(RecipientKind::X25519),
                _ => None,
            };
            enrol::request(&station, fresh_recipient.then_some(kind), &out, json)
        }
        StationVerb::Challenge { station, challenge, out } => enrol::answer(&station, &challenge, &out),
        StationVerb::Requests(args) => requests::requests(&args),
        StationVerb::Log(args) => log::log(&args),
        StationVerb::Import(args) => import(&args),
        StationVerb::Release { station, bundle, count, by_device, json } => {
            let released = open(&station)?.release(&bundle, count.unwrap_or(u64::MAX), by_device, now())?;
            if json {
                output::json(&json!({"bundle": bundle, "released": released}))?;
            } else {
                output::data(&format!("{released} released of bundle {bundle}"));
            }
            Ok(ExitCode::Done)
        }
        StationVerb::Draw(args) => draw::draw(&args),
        StationVerb::Export(args) => export::export(&args),
        StationVerb::Confirm(args) => confirm::confirm(&args),
        StationVerb::Scrap(args) => end(&args, State::Scrapped),
        StationVerb::Lost(args) => end(&args, State::Lost),
        StationVerb::Returned(args) => end(&args, State::Returned),
        StationVerb::Destroyed(args) => end(&args, State::Destroyed),
        StationVerb::Status { station, json } => report::status(&station, json),
        StationVerb::Watch { station, no_color } => report::watch(&station, no_color),
        StationVerb::Receipt { station, bundle, out, json } => report::receipt(&station, &bundle, out.as_deref(), json),
        StationVerb::Check { station, json } => report::check(&station, json),
        StationVerb::Reconcile { station, because, at_least, json } => {
            let done = Station::reconcile(&station, &because, at_least, now())?;
            if json {
                output::json(&done)?;
            } else {
                output::data(&format!(
                    "reconciled: at most {} missing, {} taken out of reach",
                    counted(done.behind, "entry is", "entries are"),
                    counted(done.withdrawn, "identity is", "identities are")
                ));
            }
            Ok(ExitCode::Done)
        }
        StationVerb::Shred { station, recipient, confirm } => shred(&station, &recipient, &confirm),
    }
}

fn now() -> Instant {
    SystemClock.now()
}

/// Opens a station, and says what killed processes had left half-written and is removed now.
fn open(folder: &Path) -> Result<Station, StationError> {
    let station = Station::open(folder)?;
    for left in station.sweep()? {
        let path = SafeText::of(&left.path.display().to_string());
        let device = left.device.as_str();
        let whose = if device.is_empty() { String::new() } else { format!(", with the private key of {device}") };
        let became = left.problem.map_or("overwritten and removed".to_owned(), |problem| {
            format!("it is still there ({problem}): remove it by hand")
        });
        output::words(&format!("{path}: left half-written by a process that was killed{whose}: {became}"));
        if !device.is_empty() {
            output::words(&format!(
                "{device} stays reserved and was not handed over: `anchorite station scrap DIR {device} --reason TEXT` says what became of it"
            ));
        }
    }
    Ok(station)
}

/// What no record holds, where a file of it was named.
fn open_options(path: Option<&Path>) -> Result<Options, Failure> {
    let Some(path) = path else { return Ok(Options::default()) };
    let octets = Zeroizing::new(durable_file::read(path, limits::SMALL_FILE_OCTETS)?);
    Options::parse(&octets).map_err(|e| Failure::new(ExitCode::Usage, format!("{}: {e}", path.display())))
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS)?;
    String::from_utf8(octets).map_err(|_| Failure::from(format!("{}: expected text", path.display())))
}

fn init(args: &InitStation) -> Result<ExitCode, Failure> {
    let signers = allowed_signers::parse(&text_of(&args.signers)?)
        .map_err(|e| Failure::new(ExitCode::Usage, format!("{}: {e}", args.signers.display())))?;
    let realm: Realm = args.realm.into();
    // A key that its owner allows for something else signs no manifest.
    let namespace = realm.namespace(manifest::PURPOSE);
    let (signers, others): (Vec<_>, Vec<_>) =
        signers.into_iter().partition(|signer| signer.namespaces.contains(&namespace));
    if (signers.len() as u64) < u64::from(args.threshold) {
        let found = format!(
            "expected at least {} signers with namespaces=\"{namespace}\", found {}",
            args.threshold,
            signers.len()
        );
        return Err(Failure::new(ExitCode::Usage, format!("{}: {found}", args.signers.display())).with_hint(format!(
            "{} lines are for something else: whoever signs manifests is listed as WHO namespaces=\"{namespace}\" TYPE KEY",
            others.len()
        )));
    }
    let password = args.password_file.as_deref().map(|path| durable_file::read(path, limits::SMALL_FILE_OCTETS));
    let station = Station::create(NewStation {
        folder: &args.station,
        anchor: args.anchor.as_deref(),
        database: args.store.as_deref(),
        password: password.transpose()?.map(Secret::take),
        factory: &args.factory,
        realm,
        root_pem: &text_of(&args.root)?,
        signers: signers.into_iter().map(|signer| ManifestSigner { key: signer.key, who: signer.who }).collect(),
        threshold: args.threshold,
        recipient: if args.post_quantum { RecipientKind::MlKem768X25519 } else { RecipientKind::X25519 },
        now: now(),
    })?;
    let home = &station.home;
    if args.json {
        let recipients: Vec<String> = station.recipients()?.into_iter().map(|(_, recipient)| recipient).collect();
        output::json(&json!({
            "station": args.station, "factory": home.factory, "realm": home.realm, "store": home.store, "anchor": home.anchor,
            "root": home.pins.root, "threshold": home.pins.threshold, "receipt_key": home.receipt_key, "recipients": recipients,
        }))?;
    } else {
        output::data(&format!("station {} of {} in {}", home.store, home.factory, args.station.display()));
        output::data(&format!("root, twelve words   {}", home.pins.root.twelve_words()));
        output::data(&format!("manifest signers     {} of {}", home.pins.threshold, home.pins.signers.len()));
        output::data(&format!("recipient            {}", kind_of(&station)?.title()));
        output::data(&format!("anchor               {}", home.anchor));
        output::words(
            "compare the root's words with those of the ceremony, then write the request: `anchorite station enrol`",
        );
    }
    Ok(ExitCode::Done)
}

fn kind_of(station: &Station) -> Result<RecipientKind, StationError> {
    let newest = station.recipients()?.pop().map(|(_, recipient)| recipient).unwrap_or_default();
    Ok(RecipientKind::of_recipient(&newest).unwrap_or_default())
}

/// What to do with a bundle as it lies on a ceremony's stick.
const UNPACK: &str = "nothing was taken in; the bundle is still packed, `bundle-*.tar`: unpack every tar of it into one new folder \
     (`mkdir bundle && for t in bundle-*.tar; do tar xf $t -C bundle; done`), and import that";

/// Whether a folder has tars of a bundle, and no bundle.
fn is_packed(folder: &Path) -> bool {
    let is_tar = |name: &str| name.starts_with("bundle-") && name.ends_with(".tar");
    let entries = || std::fs::read_dir(folder).into_iter().flatten().flatten().take(limits::MEDIUM_ENTRIES);
    !folder.join(manifest::NAME).exists() && entries().any(|entry| entry.file_name().to_str().is_some_and(is_tar))
}

fn import(args: &ImportBundle) -> Result<ExitCode, Failure> {
    let order = args.order.as_deref().map(|hex| {
        Digest::parse(hex).ok_or_else(|| Failure::new(ExitCode::Usage, "--order: expected 64 hexadecimal digits"))
    });
    let expected = Expected { order: order.transpose()?, list: args.crl.as_deref(), begin_at: args.begin_at };
    let mut station = open(&args.station)?;
    let imported = station.import(&args.bundle, &expected, now()).map_err(|error| {
        let failure = Failure::from(error);
        if is_packed(&args.bundle) { failure.with_hint(UNPACK) } else { failure }
    })?;
    if args.release {
        station.release(&imported.bundle, u64::MAX, false, now())?;
    }
    if args.json {
        output::json(&imported)?;
        return Ok(ExitCode::Done);
    }
    let identities = counted(imported.count, "identity", "identities");
    output::data(&format!("bundle {} (number {}): {identities}", imported.bundle, imported.sequence));
    output::data(&format!("for {} {}, until {}", imported.product, imported.sku, imported.expires.rfc3339()));
    output::data(&format!("signed by {}", imported.signed_by.join(", ")));
    if !args.release {
        output::words(&format!("no line can draw from it yet: `anchorite station release DIR {}`", imported.bundle));
    }
    Ok(ExitCode::Done)
}

fn end(args: &EndIdentity, to: State) -> Result<ExitCode, Failure> {
    // The ledger keeps it for ever: whoever asks later finds it there or nowhere.
    if !args.reason.chars().any(char::is_alphanumeric) {
        let found = if args.reason.trim().is_empty() { "nothing" } else { "no letter or digit" };
        let message =
            format!("--reason: expected a word of why {} is {to}, found {found}", SafeText::cut(&args.device, 90));
        return Err(Failure::new(ExitCode::Usage, message).with_hint("nothing was changed"));
    }
    told(&open(&args.station)?.say(&args.device, to, &args.reason, now())?, args.json)
}

fn told(identity: &Identity, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::json(identity)?;
    } else {
        output::data(&format!("{} is {}", identity.device, identity.state));
    }
    Ok(ExitCode::Done)
}

fn shred(folder: &Path, recipient: &str, confirm: &str) -> Result<ExitCode, Failure> {
    if recipient != confirm {
        return Err(Failure::new(ExitCode::Usage, "--confirm: expected the recipient once more, found another")
            .with_hint("nothing was changed; this cannot be undone"));
    }
    let count = open(folder)?.shred(recipient, now())?;
    let identities = counted(count, "identity that was not drawn is", "identities that were not drawn are");
    output::data(&format!("the key is destroyed; {identities} destroyed with it"));
    Ok(ExitCode::Done)
}
