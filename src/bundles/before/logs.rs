//! Devices that an authority in a factory's module certified: they are in the logs that came back and were checked. Such a certificate stands
//! until it or its authority ends, or the authority is revoked; no order names it in `[replaces]`, because it lives for weeks.

use crate::basics::{Digest, Instant};
use crate::bundles::{BundleError, logged};
use crate::factory::{Class, DeviceId, Refusal, issuance_log};
use crate::pki::Certificate;
use crate::plan::standing::StandingDelegated;
use crate::plan::standing::delegated::StandingLog;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A log that was checked before.
#[derive(Clone, Debug)]
pub struct LoggedBefore {
    /// What was kept of it.
    pub path: PathBuf,
    /// Name of its authority, and which of its logs it is.
    pub authority: String,
    pub sequence: u64,
    pub sha256: Digest,
    /// When its authority ends; nothing where that was revoked, or the one above it.
    pub until: Option<Instant>,
}

/// A certificate of such a log.
pub struct Logged<'c> {
    /// Nothing where it names none; then its log has an incident.
    pub device: Option<&'c DeviceId>,
    pub certificate: &'c Certificate,
    pub stands: bool,
}

impl LoggedBefore {
    /// A log as it stands; `path` is what was kept of it.
    #[must_use]
    pub fn of(authority: &StandingDelegated, log: &StandingLog, withdrawn: &BTreeSet<String>, path: PathBuf) -> Self {
        let until = authority.until(withdrawn);
        Self { path, authority: authority.name.clone(), sequence: log.sequence, sha256: log.sha256, until }
    }

    /// As people call it.
    #[must_use]
    pub fn told(&self) -> String {
        format!("log {} of {}", self.sequence, self.authority)
    }

    /// Every certificate that can be read, with whether it stands at this time. What cannot be read is an incident of its log.
    ///
    /// # Errors
    /// Where the file is not the one that was checked.
    pub fn each(&self, at: Instant, take: &mut dyn FnMut(&Logged<'_>)) -> Result<(), BundleError> {
        let (_, found) = logged::each(&self.path, &mut |der| {
            if let Ok(certificate) = Certificate::parse(der) {
                let device = issuance_log::device(&certificate);
                let stands = self.until.is_some_and(|until| at < until) && at < certificate.not_after();
                take(&Logged { device: device.as_ref(), certificate: &certificate, stands });
            }
        })?;
        if found == self.sha256 {
            return Ok(());
        }
        let what = format!("issued log: {}", self.told());
        Err(Refusal::new(Class::Tampered, what, format!("the file that was checked, SHA-256 {}", self.sha256), found)
            .into())
    }
}
