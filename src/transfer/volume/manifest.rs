//! The manifest of one export: what is in it, by name, size and SHA-256; and which medium and realm it is of.

use super::{ExportName, FileName, MANIFEST, MediumId, VolumeError};
use crate::basics::{Digest, Realm, SafeText, canonical, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const FORMAT: &str = "anchorite-export/1";

/// One file as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    pub name: FileName,
    pub sha256: Digest,
    pub size: u64,
}

/// What one export holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    export: ExportName,
    medium: MediumId,
    realm: Realm,
    files: Vec<ListedFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenManifest {
    export: String,
    files: Vec<WrittenEntry>,
    format: String,
    medium: String,
    realm: Realm,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    name: String,
    sha256: Digest,
    size: u64,
}

impl Manifest {
    /// A manifest of these files, put in order.
    ///
    /// # Errors
    /// Where there are none or too many, one is too long, or two names are one where case does not count.
    pub fn new(
        export: ExportName,
        medium: MediumId,
        realm: Realm,
        mut files: Vec<ListedFile>,
    ) -> Result<Self, VolumeError> {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let manifest = Self { export, medium, realm, files };
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads the file `MANIFEST`.
    ///
    /// # Errors
    /// Where the octets are not exactly what [`Manifest::to_octets`] writes.
    pub fn parse(octets: &[u8]) -> Result<Self, VolumeError> {
        let written: WrittenManifest = canonical::parse(octets, limits::MANIFEST_OCTETS)
            .map_err(|cause| VolumeError::Canonical { what: MANIFEST, cause })?;
        if written.format != FORMAT {
            let found = SafeText::cut(&written.format, 60);
            return Err(VolumeError::Format { what: MANIFEST, expected: FORMAT, found });
        }
        let listed = |entry: WrittenEntry| {
            Ok(ListedFile { name: FileName::parse(&entry.name)?, sha256: entry.sha256, size: entry.size })
        };
        let manifest = Self {
            export: ExportName::parse(&written.export)?,
            medium: MediumId::parse(&written.medium)?,
            realm: written.realm,
            files: written.files.into_iter().map(listed).collect::<Result<_, _>>()?,
        };
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), VolumeError> {
        if self.files.is_empty() || self.files.len() > limits::EXPORT_FILES {
            return Err(VolumeError::Count { most: limits::EXPORT_FILES, found: self.files.len() });
        }
        for (first, second) in self.files.iter().zip(self.files.iter().skip(1)) {
            if first.name >= second.name {
                return Err(VolumeError::Order { first: first.name.clone(), second: second.name.clone() });
            }
        }
        let mut folded: BTreeMap<String, &FileName> = BTreeMap::new();
        let mut total = 0_u64;
        for file in &self.files {
            if let Some(first) = folded.insert(file.name.as_str().to_ascii_lowercase(), &file.name) {
                return Err(VolumeError::Case { first: first.clone(), second: file.name.clone() });
            }
            if file.size > limits::MEDIUM_FILE_OCTETS as u64 {
                let most = limits::MEDIUM_FILE_OCTETS as u64;
                return Err(VolumeError::Size { name: file.name.clone(), most, found: file.size });
            }
            total += file.size;
        }
        if total > limits::EXPORT_OCTETS {
            return Err(VolumeError::Total { most: limits::EXPORT_OCTETS, found: total });
        }
        Ok(())
    }

    /// The octets of the file.
    ///
    /// # Errors
    /// Never for what was checked; the writer of JSON says so in its type.
    pub fn to_octets(&self) -> Result<Vec<u8>, VolumeError> {
        let entry = |f: &ListedFile| WrittenEntry { name: f.name.as_str().to_owned(), sha256: f.sha256, size: f.size };
        let written = WrittenManifest {
            export: self.export.to_string(),
            files: self.files.iter().map(entry).collect(),
            format: FORMAT.to_owned(),
            medium: self.medium.hex(),
            realm: self.realm,
        };
        canonical::to_octets(&written).map_err(|cause| VolumeError::Canonical { what: MANIFEST, cause })
    }

    /// What people compare: SHA-256 of the file as it is on the medium. It covers realm, medium and every name, size and content.
    ///
    /// # Errors
    /// As [`Manifest::to_octets`].
    pub fn digest(&self) -> Result<Digest, VolumeError> {
        Ok(Digest::of(&self.to_octets()?))
    }

    #[must_use]
    pub const fn export(&self) -> ExportName {
        self.export
    }

    #[must_use]
    pub const fn medium(&self) -> MediumId {
        self.medium
    }

    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.realm
    }

    #[must_use]
    pub fn files(&self) -> &[ListedFile] {
        &self.files
    }
}
