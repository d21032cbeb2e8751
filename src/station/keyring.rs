//! The station's two kinds of keys, as files that only their owner reads: the receipt key, and an age identity a batch.
//! Nothing here prints; an identity is given out to `unseal` only.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Secret, limits};
use crate::devices::durable_file;
use crate::keys::recipient::identity::Identity;
use crate::keys::recipient::{self, RecipientKind};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::station::StationError;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const RECEIPT_KEY: &str = "receipt.key";
/// Recipients of one station; each is a batch that can be shredded alone.
const RECIPIENTS: u32 = 9_999;

/// Makes the receipt key and its file.
///
/// # Errors
/// Where the machine has no randomness or the file cannot be written.
pub(super) fn new_receipt_key(folder: &Path) -> Result<SshPublicKey, StationError> {
    let seed = drawn()?;
    let key = SshSigningKey::from_seed(&seed)?;
    let mut text = Zeroizing::new(hex_encode(seed.as_slice()));
    text.push('\n');
    durable_file::create(&folder.join(RECEIPT_KEY), text.as_bytes())?;
    Ok(key.public())
}

pub(super) fn receipt_key(folder: &Path, expected: &SshPublicKey) -> Result<SshSigningKey, StationError> {
    let bad = |problem: &str| StationError::Configuration { what: RECEIPT_KEY, problem: problem.to_owned() };
    let octets = Zeroizing::new(durable_file::read(&folder.join(RECEIPT_KEY), limits::SMALL_FILE_OCTETS)?);
    let text = std::str::from_utf8(&octets).map_err(|_| bad("expected 64 hexadecimal digits"))?;
    let seed = hex_decode(text.trim_end()).map(Zeroizing::new).ok_or(bad("expected 64 hexadecimal digits"))?;
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| bad("expected 64 hexadecimal digits"))?;
    let key = SshSigningKey::from_seed(seed)?;
    if key.public() == *expected {
        Ok(key)
    } else {
        Err(bad("expected the key that station.json names, found another"))
    }
}

/// Makes another recipient of a kind; gives its public form.
///
/// # Errors
/// As [`new_receipt_key`].
pub(super) fn new_recipient(folder: &Path, kind: RecipientKind) -> Result<String, StationError> {
    let identity = drawn()?;
    let public = recipient::recipient_of(kind, &identity).map_err(|e| StationError::Other(e.to_string()))?;
    let text = recipient::identity_text(kind, &identity);
    let mut file = Secret::with_capacity(text.len() + 1);
    text.expose().iter().chain(b"\n").for_each(|&octet| {
        file.push(octet);
    });
    let last = numbers(folder)?.last().copied().unwrap_or(0);
    durable_file::create(&path(folder, last + 1), file.expose())?;
    Ok(public)
}

/// Every recipient whose identity is here.
pub(super) fn recipients(folder: &Path) -> Result<Vec<(u32, String)>, StationError> {
    numbers(folder)?.into_iter().map(|number| Ok((number, public_of(read(folder, number)?.as_ref())?))).collect()
}

pub(super) fn identity_of(folder: &Path, wanted: &str) -> Result<Identity, StationError> {
    for number in numbers(folder)?.into_iter().rev() {
        let Some(identity) = read(folder, number)? else { continue };
        if public_of(Some(&identity))? == wanted {
            return Ok(identity);
        }
    }
    Err(StationError::Configuration {
        what: "recipient",
        problem: format!("expected an identity here for {}, found none", recipient::shown(wanted).escape_debug()),
    })
}

/// Overwrites and removes the identity of a recipient. Flash keeps old blocks: what is relied on is that no other copy was made.
///
/// # Errors
/// Where it is not here.
pub(super) fn shred(folder: &Path, wanted: &str) -> Result<(), StationError> {
    for number in numbers(folder)? {
        if public_of(read(folder, number)?.as_ref())? == wanted {
            let path = path(folder, number);
            durable_file::replace(&path, b"destroyed\n")?;
            return Ok(());
        }
    }
    Err(StationError::Configuration {
        what: "recipient",
        problem: "expected one of this station, found none".to_owned(),
    })
}

fn drawn() -> Result<Zeroizing<[u8; 32]>, StationError> {
    let mut octets = Zeroizing::new([0; 32]);
    getrandom::fill(octets.as_mut_slice())
        .map_err(|e| StationError::Other(format!("the machine's random source: {e}")))?;
    Ok(octets)
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("recipient-{number}.key"))
}

/// Numbers count up without a gap: a destroyed identity leaves its file, so that its number is not given again.
fn numbers(folder: &Path) -> Result<Vec<u32>, StationError> {
    Ok((1..=RECIPIENTS).take_while(|&number| path(folder, number).is_file()).collect())
}

/// `None` where the identity was destroyed.
fn read(folder: &Path, number: u32) -> Result<Option<Identity>, StationError> {
    let octets = durable_file::read(&path(folder, number), limits::SMALL_FILE_OCTETS)?;
    let mut text = Secret::take(octets);
    if text.expose().ends_with(b"\n") {
        text.pop();
    }
    if text.expose() == b"destroyed" {
        return Ok(None);
    }
    let bad = |problem: String| StationError::Configuration { what: "recipient", problem };
    Identity::parse(text.expose_text()).map(Some).map_err(|e| bad(e.to_string()))
}

/// Empty where the identity was destroyed.
fn public_of(identity: Option<&Identity>) -> Result<String, StationError> {
    let public = identity.map(Identity::recipient).transpose();
    Ok(public.map_err(|e| StationError::Other(e.to_string()))?.unwrap_or_default())
}
