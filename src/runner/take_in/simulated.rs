//! The simulated other side of a rehearsal.

use super::Taking;
use crate::basics::{Realm, limits};
use crate::ceremony::event::{Answer, Via};
use crate::ceremony::{Ask, object};
use crate::devices::durable_file;
use crate::runner::folder::Folder;
use crate::transfer::sender::{self, Sender};

/// Sends the file that is asked for, as an envelope and as the texts of codes.
///
/// # Errors
/// Where the rehearsal has no such file, or it is not what is asked for.
pub fn simulated(realm: Realm, ask: &Ask, folder: &Folder) -> Result<Answer, String> {
    let mut taking = Taking::begin(realm, ask)?;
    let path = folder.incoming().join(&taking.name);
    let most = limits::ENVELOPE_OCTETS;
    let octets = durable_file::read(&path, most).map_err(|e| {
        format!(
            "{e}; the script's folder `rehearsal/`, or --incoming, holds what comes in, under the name {}; put there now, it is found when it is asked for again, or after `anchorite resume`",
            taking.name
        )
    })?;
    let sent = taking.file(octets)?;
    let arrived = match sender::single(&sent) {
        Some(text) => taking.text(&text)?,
        None => {
            let symbol = sender::symbol_octets_of(sender::USUAL_VERSION);
            let sender = Sender::new(&sent, symbol).map_err(|e| e.to_string())?;
            // From somewhere in the middle, as a camera that is switched on late: twice as many codes are plenty.
            let codes = u64::from(sender.source_frames());
            let mut arrived = None;
            for n in codes..codes * 3 + 2 {
                arrived = taking.text(&sender.frame(n))?;
                if arrived.is_some() {
                    break;
                }
            }
            arrived
        }
    };
    let arrived = arrived.filter(|arrived| arrived.digest() == sent.digest());
    let arrived = arrived.ok_or_else(|| format!("{}: what arrived is not what was sent", sent.name()))?;
    Ok(object::answer(&arrived, Via::Simulated))
}
