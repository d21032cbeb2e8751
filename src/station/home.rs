//! A station's folder: what it pins, its keys, and the way in.
//!
//! ```text
//! station.json      who we are, what we pin (canonical JSON, public; written last, so a half-made station is none)
//! root.pem          the pinned root certificate
//! receipt.key       0600: the seed of the Ed25519 key that signs enrolment requests and receipts, 64 hexadecimal digits
//! recipient-1.key   0600: an age identity, as the `age` tool reads it, of either kind; one a batch where the factory wants that
//! element-signer.*  made when an element manifest is first asked for: see `element_signer`
//! store.sqlite      the ledger and the identities, public
//! bundles/<id>/     what was imported: manifest, signatures, chain, shards still sealed
//! receipts/         every receipt that was signed
//! handing-over/     notes of what is being written elsewhere: see `handing_over`
//! ```

use crate::basics::digest::hex_encode;
use crate::basics::{Instant, Realm, Secret, canonical, limits};
use crate::devices::durable_file;
use crate::factory::enrolment::{ManifestSigner, Pins};
use crate::keys::recipient::RecipientKind;
use crate::keys::recipient::identity::Identity;
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::pki::Certificate;
use crate::pki::name::REHEARSAL_MARK;
use crate::station::StationError;
use crate::station::anchor::{Anchor, Mark};
use crate::station::chain::{Position, What};
use crate::station::keyring;
use crate::station::sqlite::SqliteStore;
use crate::station::store::Store;
use crate::transfer::envelope::is_name;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const SQLITE: &str = "sqlite";
/// Of the PostgreSQL user: beside `station.json`, 0600.
pub const PASSWORD: &str = "postgres.password";

#[cfg(not(feature = "postgres"))]
fn without_sockets() -> StationError {
    let problem =
        "this program opens no sockets: expected the store in a file, or a program built with the feature postgres"
            .to_owned();
    StationError::Configuration { what: "store", problem }
}

pub const FORMAT: &str = "anchorite-station/1";

/// `station.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    /// Where the anchor is: absolute.
    pub anchor: String,
    /// `sqlite`, or the address of a PostgreSQL database without a password.
    pub database: String,
    pub factory: String,
    pub format: String,
    pub pins: Pins,
    pub realm: Realm,
    pub receipt_key: SshPublicKey,
    /// Names this store for ever: 32 hexadecimal digits.
    pub store: String,
}

/// What `init` is told.
pub struct NewStation<'a> {
    pub folder: &'a Path,
    pub anchor: Option<&'a Path>,
    /// The address of a PostgreSQL database, where the store is not a file.
    pub database: Option<&'a str>,
    /// Of its user, where the server asks for one.
    pub password: Option<Secret>,
    pub factory: &'a str,
    pub realm: Realm,
    pub root_pem: &'a str,
    pub signers: Vec<ManifestSigner>,
    pub threshold: u32,
    /// Of its first recipient.
    pub recipient: RecipientKind,
    pub now: Instant,
}

/// An open station.
pub struct Station {
    pub folder: PathBuf,
    pub home: Home,
    pub(super) store: Box<dyn Store>,
    pub(super) anchor: Anchor,
}

impl Station {
    /// Makes a station: keys, store, anchor, and last the file that says it is one.
    ///
    /// # Errors
    /// Where the folder exists, or what is to be pinned makes no sense.
    pub fn create(new: NewStation<'_>) -> Result<Self, StationError> {
        let bad = |what, problem: String| StationError::Configuration { what, problem };
        let root = Certificate::from_pem(new.root_pem).map_err(|e| bad("root certificate", e.to_string()))?;
        root.verify_self_signed().map_err(|e| bad("root certificate", e.to_string()))?;
        if !new.realm.is_rehearsal() && root.subject_text().contains(REHEARSAL_MARK) {
            return Err(bad(
                "root certificate",
                "expected a root of production, found one that a rehearsal made".to_owned(),
            ));
        }
        let pins = Pins { root: root.digest(), signers: new.signers.clone(), threshold: new.threshold };
        check_pins(&pins)?;
        if !is_name(new.factory) {
            let problem = "expected 1 to 64 of A-Z a-z 0-9 . _ -, not opening with . or -, found another".to_owned();
            return Err(bad("factory", problem));
        }
        if new.folder.symlink_metadata().is_ok() {
            return Err(StationError::Exists(new.folder.to_owned()));
        }
        durable_file::new_folder(new.folder)?;
        let folder = std::fs::canonicalize(new.folder).map_err(|e| StationError::Other(e.to_string()))?;
        let anchor = new.anchor.map_or_else(|| beside(&folder), std::path::absolute);
        let anchor = anchor.map_err(|e| bad("anchor", e.to_string()))?;
        if anchor.symlink_metadata().is_ok() {
            remove_half_made(&folder);
            return Err(bad(
                "anchor",
                format!("{}: expected no file, found one: it is another station's", anchor.display()),
            ));
        }
        // Without `station.json` there is no station: what was not made to its end is taken away again.
        Self::make(new, &folder, &anchor, pins).inspect_err(|_| {
            if !folder.join("station.json").exists() {
                remove_half_made(&folder);
                let _ = std::fs::remove_file(&anchor);
            }
        })
    }

    fn make(new: NewStation<'_>, folder: &Path, anchor: &Path, pins: Pins) -> Result<Self, StationError> {
        let receipt_key = keyring::new_receipt_key(folder)?;
        let recipient = keyring::new_recipient(folder, new.recipient)?;
        durable_file::create(&folder.join("root.pem"), new.root_pem.as_bytes())?;
        if let Some(password) = &new.password {
            durable_file::create(&folder.join(PASSWORD), password.expose())?;
        }
        for inner in ["bundles", "receipts"] {
            durable_file::new_folder(&folder.join(inner))?;
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|e| StationError::Other(format!("the machine's random source: {e}")))?;
        let home = Home {
            anchor: anchor.display().to_string(),
            database: new.database.unwrap_or(SQLITE).to_owned(),
            factory: new.factory.to_owned(),
            format: FORMAT.to_owned(),
            pins,
            realm: new.realm,
            receipt_key,
            store: hex_encode(&id),
        };
        let start = Position::start(home.realm, &home.store);
        let first = [("store", home.store.as_str()), ("start", &start.head.hex())];
        let mut store = Self::new_store(folder, &home, &first)?;
        Anchor::create(anchor, &Mark { store: home.store.clone(), file: store.identity()?, position: start })?;
        durable_file::create(&folder.join("station.json"), &canonical::to_octets(&home)?)?;
        let mut station = Self::open(folder)?;
        let receipt_key = station.home.receipt_key.line().to_owned();
        let factory = station.home.factory.clone();
        station.change(new.now, |book| book.write(&What::Opened { factory, receipt_key, recipient }))?;
        Ok(station)
    }

    /// Opens a station that is there.
    ///
    /// # Errors
    /// Where it is missing, or not as this program writes it.
    pub fn open(folder: &Path) -> Result<Self, StationError> {
        let (home, store) = Self::parts(folder)?;
        let anchor = Anchor::open(Path::new(&home.anchor)).map_err(|e| StationError::NoAnchor(e.to_string()))?;
        Ok(Self { folder: folder.to_owned(), home, store, anchor })
    }

    /// What a station is without its anchor, which may be lost.
    pub(super) fn parts(folder: &Path) -> Result<(Home, Box<dyn Store>), StationError> {
        let path = folder.join("station.json");
        if !path.is_file() {
            return Err(StationError::Missing(folder.to_owned()));
        }
        let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
        let home: Home = canonical::parse(&octets, limits::SMALL_FILE_OCTETS)?;
        if home.format != FORMAT {
            let problem = format!("expected {FORMAT}, found {}", home.format.escape_debug());
            return Err(StationError::Configuration { what: "station.json", problem });
        }
        check_pins(&home.pins)?;
        let mut store = Self::store_of(folder, &home)?;
        let found = store.view()?.value("store")?.unwrap_or_default();
        if found != home.store {
            let problem = format!("expected the store of this station, {}, found that of another, {found}", home.store);
            return Err(StationError::Configuration { what: "store", problem });
        }
        Ok((home, store))
    }

    fn store_of(folder: &Path, home: &Home) -> Result<Box<dyn Store>, StationError> {
        if home.database == SQLITE {
            return Ok(Box::new(SqliteStore::open(&folder.join("store.sqlite"))?));
        }
        #[cfg(feature = "postgres")]
        return Ok(Box::new(crate::station::postgres::PostgresStore::open(&home.database, folder)?));
        #[cfg(not(feature = "postgres"))]
        Err(without_sockets())
    }

    fn new_store(folder: &Path, home: &Home, first: &[(&str, &str)]) -> Result<Box<dyn Store>, StationError> {
        if home.database == SQLITE {
            return Ok(Box::new(SqliteStore::create(&folder.join("store.sqlite"), first)?));
        }
        #[cfg(feature = "postgres")]
        return Ok(Box::new(crate::station::postgres::PostgresStore::create(&home.database, folder, first)?));
        #[cfg(not(feature = "postgres"))]
        Err(without_sockets())
    }

    /// The pinned root certificate.
    ///
    /// # Errors
    /// Where the file is not the one that was pinned.
    pub fn root(&self) -> Result<Certificate, StationError> {
        let bad = |problem| StationError::Configuration { what: "root.pem", problem };
        let octets = durable_file::read(&self.folder.join("root.pem"), limits::SMALL_FILE_OCTETS)?;
        let text = String::from_utf8(octets).map_err(|_| bad("expected text".to_owned()))?;
        let root = Certificate::from_pem(&text).map_err(|e| bad(e.to_string()))?;
        if root.digest() != self.home.pins.root {
            let (expected, found) = (self.home.pins.root, root.digest());
            return Err(bad(format!("expected the pinned certificate {expected}, found {found}")));
        }
        Ok(root)
    }

    /// The key that signs receipts.
    ///
    /// # Errors
    /// Where the file is not that of the key in `station.json`.
    pub fn receipt_key(&self) -> Result<SshSigningKey, StationError> {
        keyring::receipt_key(&self.folder, &self.home.receipt_key)
    }

    /// Every recipient whose identity is here, with its number, oldest first.
    ///
    /// # Errors
    /// Where a file is no identity.
    pub fn recipients(&self) -> Result<Vec<(u32, String)>, StationError> {
        keyring::recipients(&self.folder)
    }

    /// The identity of a recipient.
    ///
    /// # Errors
    /// Where it is not here, or was destroyed.
    pub fn identity_of(&self, recipient: &str) -> Result<Identity, StationError> {
        keyring::identity_of(&self.folder, recipient)
    }

    /// Where an imported bundle lies.
    #[must_use]
    pub fn bundle_folder(&self, bundle: &str) -> PathBuf {
        bundle_folder(&self.folder, bundle)
    }
}

pub(super) fn bundle_folder(station: &Path, bundle: &str) -> PathBuf {
    station.join("bundles").join(bundle)
}

/// New, and ours alone: nobody was told of what is in it.
fn remove_half_made(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

fn check_pins(pins: &Pins) -> Result<(), StationError> {
    let bad = |problem| Err(StationError::Configuration { what: "manifest signers", problem });
    let (known, needed) = (pins.signers.len(), pins.threshold as usize);
    if needed == 0 || needed > known {
        return bad(format!("expected a threshold from 1 to the {known} signers, found {needed}"));
    }
    for (index, signer) in pins.signers.iter().enumerate() {
        let earlier = pins.signers.get(..index).unwrap_or_default();
        if earlier.iter().any(|other| other.key == signer.key || other.who == signer.who) {
            return bad(format!("expected each person and key once, found {} again", signer.who.escape_debug()));
        }
    }
    Ok(())
}

/// The usual place of the anchor: beside the folder, so that a folder put back from a copy meets an anchor that went on.
fn beside(folder: &Path) -> std::io::Result<PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder.with_file_name(format!("{name}.anchor")))
}
