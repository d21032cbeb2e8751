//! Public data of devices, for whoever registers them. The record of a device that was drawn is opened once more, its key and its extras are
//! overwritten at once, and what is left is handed on. What no line has drawn stays sealed: reserve before open.

use crate::basics::{Instant, SafeText, limits};
use crate::devices::durable_file;
use crate::factory::record::DeviceKey;
use crate::factory::{Record, manifest};
use crate::station::state::State;
use crate::station::store::Bundle;
use crate::station::{Station, StationError};

/// Rows read at once.
const PAGE: usize = 1_000;

impl State {
    /// Whether an identity in this state may have been opened: a line had it.
    #[must_use]
    pub const fn was_drawn(self) -> bool {
        matches!(self, Self::Reserved | Self::Injected | Self::Verified | Self::Reported | Self::Scrapped)
    }
}

impl Station {
    /// An imported bundle.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub fn bundle(&mut self, bundle: &str) -> Result<Bundle, StationError> {
        let known = self.look(|tx| tx.bundles())?.into_iter().find(|known| known.bundle == bundle);
        known.ok_or_else(|| {
            StationError::NothingReleased(format!("no bundle {} was imported", SafeText::cut(bundle, 64)).into())
        })
    }

    /// `chain.pem` of a bundle, as it was checked when it was imported.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn chain(&self, bundle: &str) -> Result<String, StationError> {
        let octets =
            durable_file::read(&self.bundle_folder(bundle).join(manifest::CHAIN), limits::EVIDENCE_FILE_OCTETS)?;
        String::from_utf8(octets)
            .map_err(|_| StationError::Other("chain.pem: expected text, found other octets".to_owned()))
    }

    /// Hands every device of a bundle that is in one of these states to `each`, in drawing order, without its key and without extras; gives how
    /// many there were.
    ///
    /// # Errors
    /// Where a state is one of devices that nobody drew, a record does not open, or `each` fails.
    pub fn export(
        &mut self,
        bundle: &str,
        states: &[State],
        now: Instant,
        each: &mut dyn FnMut(&Record) -> Result<(), StationError>,
    ) -> Result<u64, StationError> {
        if let Some(state) = states.iter().find(|state| !state.was_drawn()) {
            let problem = format!("expected states of devices that a line has drawn, found {state}");
            return Err(StationError::Configuration { what: "export", problem });
        }
        self.is_current(now)?;
        let bundle = self.bundle(bundle)?;
        let (mut after, mut count) = (0, 0);
        loop {
            let page = self.look(|tx| tx.identities(Some(&bundle.bundle), after, PAGE))?;
            let Some(last) = page.last() else { return Ok(count) };
            after = last.id;
            for identity in page.iter().filter(|identity| states.contains(&identity.state) && identity.line > 0) {
                let mut record = self.opened(identity, &bundle).map_err(StationError::Other)?;
                record.key = DeviceKey::None;
                record.extras.clear();
                each(&record)?;
                count += 1;
            }
        }
    }
}
