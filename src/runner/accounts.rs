//! Receipts against what was issued. Neither file needs trust: the outcomes have the digest that the signed receipt names, and the
//! records that were kept lead to the root in the manifest.

use crate::basics::Digest;
use crate::basics::digest::hex_decode;
use crate::bundles::kept::{self, Against, Outcomes};
use crate::bundles::rederive::issued_at;
use crate::ceremony::event::Outcome;
use crate::factory::Accounting;
use crate::factory::returned::Returned;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use std::path::{Path, PathBuf};

impl<R: RealmType> Run<'_, R> {
    pub(super) fn account(
        &mut self,
        receipt: &str,
        mut accounting: Accounting,
        records_root: Digest,
        count: u32,
    ) -> Result<Outcome, String> {
        let object = self.state.objects.get(receipt).ok_or_else(|| format!("receipt {receipt} has not come in"))?;
        let octets = hex_decode(&object.octets).ok_or("the receipt is not hexadecimal")?;
        let returned = Returned::parse(&octets).map_err(|e| e.to_string())?;
        let here = hex_decode(&returned.outcomes).ok_or("the outcomes are not hexadecimal")?;
        let beside = self.outcomes(receipt);
        let outcomes = match (&here, &beside) {
            (here, _) if !here.is_empty() => Outcomes::Here(here),
            (_, Some(path)) => Outcomes::At(path),
            (_, None) => return Ok(Outcome::Accounted { account: None }),
        };
        let kept = self.kept(&kept::name(&accounting.bundle))?;
        accounting.issued = issued_at(&self.state, &accounting.bundle);
        let against = Against::of(accounting, count, records_root, &returned.receipt);
        let what = format!("balance receipt {receipt}");
        let account = self.telling(&what, |told| kept::account(&kept, outcomes, against, told));
        let account = account.map_err(|e| e.to_string())?;
        Ok(Outcome::Accounted { account: Some(Box::new(account)) })
    }

    /// `NAME.outcomes.cbor`, where the outcomes are too many to come inside the receipt.
    fn outcomes(&self, receipt: &str) -> Option<PathBuf> {
        let name = format!("{receipt}.outcomes.cbor");
        let bound = self.room.binding.incoming.get("files").map(PathBuf::as_path);
        let folders = [Some(self.folder.incoming()), bound.map(Path::to_owned)];
        folders.into_iter().flatten().map(|folder| folder.join(&name)).find(|path| path.is_file())
    }

    /// What was kept of a bundle or a log: by this run, or where the binding says that earlier ones are.
    pub(super) fn kept(&self, name: &str) -> Result<PathBuf, String> {
        let own = self.folder.issued();
        let bound = self.room.binding.incoming.get("issued").cloned();
        let folders = [Some(own.clone()), bound.clone()];
        let found = folders.into_iter().flatten().map(|folder| folder.join(name)).find(|path| path.is_file());
        found.ok_or_else(|| {
            let bound = bound.map_or_else(|| "nothing, it binds no `issued`".to_owned(), |path| path.display().to_string());
            format!(
                "{name}: expected what was kept of this bundle or log in {} or in what the binding calls `issued` under [incoming] ({bound}), found it in neither: it is in the folder `issued` of the ceremony that made the bundle or checked the log",
                own.display()
            )
        })
    }
}
