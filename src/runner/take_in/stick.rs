//! An object that lies on a medium, or in a file of this machine: found, read and looked at at once.

use super::Taking;
use crate::basics::SafeText;
use crate::devices::durable_file;
use crate::devices::medium::{self, Access, Medium, MediumError, Place};
use crate::runner::binding::Bound;
use crate::transfer::envelope::Envelope;
use crate::transfer::volume::{FileName, Label};
use std::path::Path;

/// Every file of a medium that could be what is waited for, with its place on it.
///
/// # Errors
/// Why there is none: the medium's own trouble, or what each file of it was.
pub(super) fn welcome(
    bound: &Bound,
    label: Option<&Label>,
    taking: &Taking,
) -> Result<Vec<(String, Envelope)>, String> {
    let offers = offers(bound, label, taking).map_err(|error| format!("{error}; {}", error.hint()))?;
    let mut refused = offers.refused;
    let mut found = Vec::new();
    for offer in offers.files {
        match taking.file(offer.octets) {
            Ok(envelope) => found.push((offer.at, envelope)),
            Err(why) => refused.push(format!("{}: {why}", offer.at)),
        }
    }
    if found.is_empty() {
        let expected = format!("expected {} on the medium", taking.words());
        return Err(match refused.as_slice() {
            [] => format!("{expected}, found no file; put it on the stick, or into its folder INBOX"),
            refused => {
                let named: Vec<&str> = refused.iter().take(NAMED).map(String::as_str).collect();
                let more = refused.len().saturating_sub(NAMED);
                let more = if more == 0 { String::new() } else { format!("; and {more} more") };
                format!("{expected}, found: {}{more}", named.join("; "))
            }
        });
    }
    if found.len() > CHOICES {
        return Err(format!(
            "{} files of the medium could be it: leave only the right one on it, or put it into the folder INBOX of another",
            found.len()
        ));
    }
    Ok(found)
}

/// Refused files that are named.
const NAMED: usize = 4;
/// Files to choose from.
const CHOICES: usize = 12;

fn offers(bound: &Bound, label: Option<&Label>, taking: &Taking) -> Result<medium::Offers, MediumError> {
    let place = Place::at(bound.path(), Access::Read)?;
    let medium = Medium::open(&place)?;
    let expected = label.map_or_else(|| "to read".to_owned(), ToString::to_string);
    if matches!(bound, Bound::Medium(_)) && !place.is_ours() && !medium.has_its_own_mount()? {
        return Err(MediumError::NotMounted { path: bound.path().to_owned(), expected });
    }
    // A stick of another machine has no label; one that has another is the wrong one.
    if medium.volume().is_some() {
        medium.expect(label)?;
    }
    let offers = medium.offers(taking.realm, taking.most_octets());
    drop(medium);
    place.leave()?;
    offers
}

/// A file of this machine: by its name in a folder, or by its path where there is none.
///
/// # Errors
/// Where it cannot be read, or is not what is waited for.
pub(super) fn file(folder: Option<&Path>, typed: &str, taking: &Taking) -> Result<Envelope, String> {
    let most = taking.most_octets();
    let octets = match folder {
        Some(folder) => {
            let name = FileName::parse(typed).map_err(|e| e.to_string())?;
            let read = medium::file_in(folder, &name, most).map_err(|e| e.to_string())?;
            read.ok_or_else(|| format!("{}: expected a file {name} in this folder, found none", folder.display()))?
        }
        None => durable_file::read(Path::new(typed), most).map_err(|e| e.to_string())?,
    };
    taking.file(octets).map_err(|why| format!("{}: {why}", SafeText::cut(typed, 200)))
}
