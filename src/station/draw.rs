//! Drawing: one identity for one line. Reserved durably first, then opened, and never offered again, whatever happens in between.

use crate::basics::{Digest, Instant, SafeText};
use crate::devices::durable_file::FileError;
use crate::factory::{Record, manifest, record};
use crate::keys::recipient;
use crate::station::chain::What;
use crate::station::state::State;
use crate::station::store::{Bundle, Identity, Pick, Transaction};
use crate::station::{Nothing, Station, StationError, home, unseal};
use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// What a line asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    pub line: u32,
    /// Needed where bundles of more than one product are released.
    pub bundle: Option<&'a str>,
    /// A certain device: for bundles released by device id.
    pub device: Option<&'a str>,
    /// The device with this hardware id, as `hardware::same_for` writes it: for the same bundles.
    pub hardware: Option<&'a str>,
}

impl Wanted<'_> {
    fn pick(&self) -> Pick<'_> {
        match (self.device, self.hardware) {
            (Some(device), _) => Pick::Device(device),
            (None, Some(name)) => Pick::Hardware(name),
            (None, None) => Pick::Next,
        }
    }
}

/// An identity, opened. It holds a private key, and so cannot be printed or copied.
pub struct Drawn {
    pub record: Record,
    pub identity: Identity,
    pub bundle: Bundle,
    /// What the device signs, before the record digest, to prove that it holds the key.
    pub nonce: Digest,
    /// The ledger entry of the reservation.
    pub entry: u64,
}

impl Station {
    /// Reserves the next identity for a line, then opens it.
    ///
    /// # Errors
    /// Where nothing is released that fits, the store is not current, or the record does not open: then it stays reserved.
    pub fn draw(&mut self, wanted: &Wanted<'_>, now: Instant) -> Result<Drawn, StationError> {
        // A key that is missing is seen before anything is spent. What else is wrong, reserving says.
        let likely = self.look(|tx| Ok(candidates(tx, wanted, now)?.into_iter().next())).ok().flatten();
        let likely =
            likely.map(|bundle| Ok::<_, StationError>((self.identity_of(&bundle.recipient)?, bundle.recipient)));
        let likely = likely.transpose()?;
        let (identity, bundle, entry) = self.reserve(wanted, now)?;
        let key = match likely {
            Some((key, recipient)) if recipient == bundle.recipient => Ok(key),
            _ => self.identity_of(&bundle.recipient),
        };
        let record = key
            .map_err(|e| e.to_string())
            .and_then(|key| self.opened_by(&key, &identity, &bundle))
            .map_err(|problem| StationError::Unopened { device: SafeText::of(&identity.device), problem })?;
        let nonce = record::possession_nonce(self.home.realm, &bundle.nonce, identity.index);
        Ok(Drawn { record, identity, bundle, nonce, entry })
    }

    /// The identity that a draw would take now, and its bundle: what a form can have is asked of these before anything is reserved.
    ///
    /// # Errors
    /// As [`Station::draw`], where nothing fits.
    pub fn next(&mut self, wanted: &Wanted<'_>, now: Instant) -> Result<(Identity, Bundle), StationError> {
        self.look(|tx| {
            for bundle in candidates(tx, wanted, now)? {
                if let Some(identity) = tx.first_released(&bundle.bundle, wanted.pick())? {
                    return Ok((identity, bundle));
                }
            }
            Err(nothing_left(tx, wanted, now))
        })
    }

    fn reserve(&mut self, wanted: &Wanted<'_>, now: Instant) -> Result<(Identity, Bundle, u64), StationError> {
        let folder = self.folder.clone();
        let mut reserved = None;
        let done = self.change_after_a_look(now, |book| {
            let candidates = candidates(book.tx.as_mut(), wanted, book.now)?;
            // From here on nobody else draws: the first released one stays the first, and bundles are drawn in order without a gap. What
            // reconciling takes out of reach rests on that.
            book.position()?;
            for bundle in candidates {
                let Some(mut identity) = book.tx.first_released(&bundle.bundle, wanted.pick())? else { continue };
                drop(shard_of(&folder, &identity, &bundle)?);
                (identity.state, identity.line, identity.since) = (State::Reserved, wanted.line, now.0);
                book.tx.set_state(identity.id, State::Reserved, Some(wanted.line), now.0)?;
                let entry = book.write(&What::Reserved { line: wanted.line, record: identity.record })?;
                reserved = Some(SafeText::of(&identity.device));
                return Ok((identity, bundle, entry));
            }
            Err(nothing_left(book.tx.as_mut(), wanted, book.now))
        });
        match (done, reserved) {
            (Err(StationError::Unanchored(error)), Some(device)) => {
                Err(StationError::NotHandedOver { device, problem: error.to_string() })
            }
            (done, _) => done,
        }
    }

    /// Opens the record of an identity that was reserved.
    pub(super) fn opened(&self, identity: &Identity, bundle: &Bundle) -> Result<Record, String> {
        let key = self.identity_of(&bundle.recipient).map_err(|e| e.to_string())?;
        self.opened_by(&key, identity, bundle)
    }

    fn opened_by(
        &self,
        key: &recipient::identity::Identity,
        identity: &Identity,
        bundle: &Bundle,
    ) -> Result<Record, String> {
        let file = shard_of(&self.folder, identity, bundle).map_err(|e| e.to_string())?;
        let sealed = BufReader::with_capacity(8 * 1024, file);
        let octets = unseal::record(key, sealed, identity.offset, identity.octets)?;
        let (record, used) = Record::read(octets.expose()).map_err(|e| e.to_string())?;
        let found = record.digest(self.home.realm);
        if used != octets.len() || found != identity.record || record.device.as_str() != identity.device {
            return Err(format!("expected the record {} that was imported, found another", identity.record));
        }
        Ok(record)
    }
}

/// The sealed file in which an identity lies.
fn shard_of(folder: &Path, identity: &Identity, bundle: &Bundle) -> Result<File, FileError> {
    let path = home::bundle_folder(folder, &bundle.bundle).join(manifest::shard_name(identity.shard));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = open(&path, flags, Mode::empty());
    Ok(File::from(opened.map_err(|cause| FileError { path, what: "opening", cause: cause.into() })?))
}

fn nothing_left(tx: &mut dyn Transaction, wanted: &Wanted<'_>, now: Instant) -> StationError {
    let nothing = match wanted.pick() {
        Pick::Device(device) => match why_not(tx, device, wanted.bundle, now) {
            Ok(nothing) => nothing,
            Err(error) => return error,
        },
        Pick::Hardware(name) => Nothing::from(format!("{} is not released here", SafeText::cut(name, 90))),
        Pick::Next => Nothing::from("no released identity is left".to_owned()),
    };
    StationError::NothingReleased(nothing)
}

/// Why the identity of this device is not drawn: people do something else about each.
fn why_not(
    tx: &mut dyn Transaction,
    device: &str,
    bundle: Option<&str>,
    now: Instant,
) -> Result<Nothing, StationError> {
    let named = SafeText::cut(device, 90);
    let mut found = tx.find(device)?;
    // A record digest names an identity too, and nobody draws by it.
    found.retain(|identity| identity.device == device);
    let elsewhere = found.first().map(|identity| identity.bundle.clone());
    found.retain(|identity| bundle.is_none_or(|bundle| identity.bundle == bundle));
    let first_in = |state: State| found.iter().find(|identity| identity.state == state).cloned();
    if let Some(identity) = first_in(State::Released) {
        let of = tx.bundles()?.into_iter().find(|known| known.bundle == identity.bundle);
        let bundle = &identity.bundle;
        if of.is_some_and(|of| of.expires <= now.0) {
            return Ok(Nothing::from(format!("{named} is not released here any more: bundle {bundle} has expired")));
        }
        return Ok(Nothing {
            why: format!("{named} is not drawn by device: bundle {bundle} is released in order"),
            hint: "without --device the next one of that bundle is drawn; only what was released with `release --by-device` is drawn by device",
        });
    }
    if let Some(identity) = first_in(State::Sealed) {
        return Ok(Nothing {
            why: format!("{named} is not released here: it is sealed, in bundle {}", identity.bundle),
            hint: "`anchorite station release DIR BUNDLE --by-device` lets lines draw it",
        });
    }
    Ok(match (found.first(), elsewhere) {
        (Some(identity), _) if identity.line != 0 => Nothing {
            why: format!(
                "{named} is not released here: it was drawn already, on line {}, and is {} since {}",
                identity.line,
                identity.state,
                Instant(identity.since)
            ),
            hint: "nothing is drawn twice: the ledger has its draw (`reserved`, with its record); `confirm` or `scrap` says what became of it",
        },
        (Some(identity), _) => Nothing {
            why: format!(
                "{named} is not released here: it is {} since {}, and was never drawn",
                identity.state,
                Instant(identity.since)
            ),
            hint: "nothing leads back from there: its device needs another identity, by the next order",
        },
        (None, Some(other)) => Nothing {
            why: format!(
                "{named} is not released here in the bundle that was named: its identity is in bundle {other}"
            ),
            hint: "name that bundle with --bundle, or none",
        },
        (None, None) => Nothing {
            why: format!("{named} is not released here: no bundle of this station has a device of this id"),
            hint: "device ids are compared letter by letter: those of a bundle are in its order, and `import` brings more",
        },
    })
}

/// The bundles a draw may take from, oldest first.
fn candidates(tx: &mut dyn Transaction, wanted: &Wanted<'_>, now: Instant) -> Result<Vec<Bundle>, StationError> {
    let nothing = |text: String| Err(StationError::NothingReleased(text.into()));
    let mut bundles = tx.bundles()?;
    if let Some(named) = wanted.bundle {
        bundles.retain(|bundle| bundle.bundle == named);
        if bundles.is_empty() {
            return nothing(format!("no bundle {} was imported", SafeText::cut(named, 64)));
        }
    }
    let all = bundles.len();
    bundles.retain(|bundle| now.0 < bundle.expires);
    if all > 0 && bundles.is_empty() {
        return nothing("every bundle here has expired".to_owned());
    }
    let next = wanted.pick() == Pick::Next;
    let other_way = next && !bundles.is_empty() && bundles.iter().all(|bundle| bundle.by_device);
    bundles.retain(|bundle| bundle.by_device != next);
    if other_way {
        return nothing(
            "no released identity is the next one: what is here is drawn by device or hardware id".to_owned(),
        );
    }
    let released: Vec<String> = tx
        .counts()?
        .into_iter()
        .filter(|count| count.state == State::Released && count.count > 0)
        .map(|count| count.bundle)
        .collect();
    bundles.retain(|bundle| released.contains(&bundle.bundle));
    let mut products: Vec<(&str, &str)> = bundles.iter().map(|b| (b.product.as_str(), b.sku.as_str())).collect();
    products.sort_unstable();
    products.dedup();
    if wanted.bundle.is_none() && products.len() > 1 {
        let named: Vec<String> = products.iter().map(|(product, sku)| format!("{product} {sku}")).collect();
        return nothing(format!("several products are released ({}): name one with --bundle", named.join(", ")));
    }
    Ok(bundles)
}
