//! Issuance logs of authorities in factories' modules: the file is found by its digest, kept beside what is kept of bundles, and judged
//! beside the logs before it.
//!
//! ```text
//! DIR/issued/<SHA-256>.log.pem    the file, copied
//! ```

use crate::basics::Digest;
use crate::basics::digest::hex_decode;
use crate::bundles::before::IssuedBefore;
use crate::bundles::logged;
use crate::bundles::rederive::issuer;
use crate::ceremony::batch;
use crate::ceremony::event::Outcome;
use crate::devices::durable_file;
use crate::factory::issuance_log::{LogCheck, LogStatement};
use crate::runner::room::RealmType;
use crate::runner::run::Run;

/// What the script says is to be checked.
pub(super) struct Wanted<'w> {
    pub(super) log: &'w str,
    pub(super) order: &'w str,
    pub(super) authority: &'w str,
    pub(super) profile: &'w str,
    pub(super) sha256: &'w Digest,
    pub(super) earlier: &'w [Digest],
    pub(super) seen: &'w [String],
    /// Whether anything else that was issued is to be looked at.
    pub(super) elsewhere: bool,
}

impl<R: RealmType> Run<'_, R> {
    pub(super) fn check_log(&mut self, wanted: &Wanted<'_>) -> Result<Outcome, String> {
        let octets = self.object(wanted.log)?;
        let signed = LogStatement::read(&octets, self.plan.realm).map_err(|e| e.to_string())?;
        let (order, _) = batch::order(&self.state, wanted.order)?;
        let issuer = issuer(&self.state, wanted.authority)?;
        let profile = self.plan.profiles.get(wanted.profile);
        let profile = profile.ok_or_else(|| format!("there is no profile {}", wanted.profile))?.clone();
        let folder = self.folder.issued();
        durable_file::folder(&folder).map_err(|e| e.to_string())?;
        let copy = folder.join(logged::name(wanted.sha256));
        let said = (signed.statement.size, signed.statement.sha256);
        self.copied(&format!("{}.log.pem", wanted.log), said, &copy)?;
        let mut earlier = Vec::new();
        for sha256 in wanted.earlier {
            earlier.push((self.kept(&logged::name(sha256))?, *sha256));
        }
        let mut seen = Vec::new();
        for name in wanted.seen {
            seen.push((name.clone(), self.object(name)?));
        }
        let before =
            if wanted.elsewhere { self.issued_before(Some(wanted.authority))? } else { IssuedBefore::default() };
        let at = self.room.clock.now();
        let check = LogCheck::new(&order, &issuer, &profile);
        let what = format!("check log {}", wanted.log);
        let found = self.telling(&what, |told| {
            logged::judge(&copy, &signed.statement, &earlier, (&before, at), &seen, check, told)
        });
        let found = found.map_err(|e| e.to_string())?;
        Ok(Outcome::LogChecked { at, found: Box::new(found) })
    }

    fn object(&self, name: &str) -> Result<Vec<u8>, String> {
        let object = self.state.objects.get(name).ok_or_else(|| format!("{name} has not come in"))?;
        hex_decode(&object.octets).ok_or_else(|| format!("{name}: not hexadecimal"))
    }
}
