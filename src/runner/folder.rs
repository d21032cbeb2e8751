//! The output folder of a run: what is where.
//!
//! ```text
//! DIR/evidence/   the evidence folder (transcripts/README.md)
//! DIR/media/LABEL what each removable medium holds (rehearsal), and each custodian's card
//! DIR/bundles/ID  each bundle of device identities, sealed to its factory
//! DIR/issued/ID.cbor  what of each bundle's records is public: it stays on the ceremony side
//! DIR/requests/   requests of devices that were judged (runner/requests.rs)
//! DIR/state/      what a resume needs: run.json, vault/, ledger.sqlite, serial-seed
//! ```

use crate::devices::durable_file::{self, FileError};
use std::path::{Path, PathBuf};

/// Paths inside one run's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the folder, which must not exist, and everything in it.
    ///
    /// # Errors
    /// Where it exists, or the disk refuses.
    pub fn make(root: &Path) -> Result<Self, FileError> {
        durable_file::new_folder(root)?;
        let folder = Self::at(root);
        for path in [
            folder.evidence(),
            folder.media(),
            folder.state(),
            folder.vault(),
            folder.checkpoints(),
            folder.artifacts(),
            folder.profiles(),
            folder.approval(),
        ] {
            durable_file::new_folder(&path)?;
        }
        Ok(folder)
    }

    /// Everything a resume writes into is a folder of its own: a link would take it elsewhere.
    ///
    /// # Errors
    /// The first that is none.
    pub fn has_no_links(&self) -> Result<(), String> {
        let inside = [
            self.evidence(),
            self.media(),
            self.state(),
            self.vault(),
            self.checkpoints(),
            self.artifacts(),
            self.profiles(),
            self.approval(),
        ];
        let incoming = self.incoming().symlink_metadata().is_ok().then(|| self.incoming());
        for path in inside.into_iter().chain(incoming) {
            if !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                return Err(format!(
                    "{}: expected a folder that a ceremony made, found none or a link",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    #[must_use]
    pub fn evidence(&self) -> PathBuf {
        self.root.join("evidence")
    }

    #[must_use]
    pub fn media(&self) -> PathBuf {
        self.root.join("media")
    }

    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.state().join("vault")
    }

    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.evidence().join("checkpoints")
    }

    #[must_use]
    pub fn artifacts(&self) -> PathBuf {
        self.evidence().join("artifacts")
    }

    #[must_use]
    pub fn profiles(&self) -> PathBuf {
        self.evidence().join("profiles")
    }

    #[must_use]
    pub fn approval(&self) -> PathBuf {
        self.evidence().join("approval")
    }

    /// What is kept of the bundles of this chain; the folder is there once there is one.
    #[must_use]
    pub fn issued(&self) -> PathBuf {
        self.root.join("issued")
    }

    /// Bundles that were made; the folder is there once there is one.
    #[must_use]
    pub fn bundles(&self) -> PathBuf {
        self.root.join("bundles")
    }

    /// Requests that were judged; the folder is there once there are some.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.root.join("requests")
    }

    /// Device keys that the chain has certified from requests.
    #[must_use]
    pub fn device_keys(&self) -> PathBuf {
        self.state().join("device-keys.bin")
    }

    #[must_use]
    pub fn script(&self) -> PathBuf {
        self.evidence().join("script.toml")
    }

    /// What comes into a rehearsal, by name: copied here when it begins, so that a resume finds it.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.state().join("incoming")
    }

    /// What the ceremony before this one left.
    #[must_use]
    pub fn standing(&self) -> PathBuf {
        self.evidence().join("standing.json")
    }

    #[must_use]
    pub fn transcript(&self) -> PathBuf {
        self.evidence().join("transcript.jsonl")
    }

    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.state().join("run.json")
    }

    #[must_use]
    pub fn serial_seed(&self) -> PathBuf {
        self.state().join("serial-seed")
    }

    /// A rehearsal's own ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.state().join("ledger.sqlite")
    }
}
