//! The forms in which one drawn identity leaves.

use super::{ExportedFile, Options, Protection, esp_matter, esp_secure_cert, files, matter, nordic, pkcs12};
use crate::basics::Secret;
use crate::factory::{Record, Refusal};
use crate::keys::Algorithm;
use crate::pki::Certificate;

/// A form of one identity.
pub enum Form {
    /// PEM and DER files.
    Files,
    /// One file of RFC 7292, under a password.
    Pkcs12(Protection),
    /// The files and the CSV that `esp_idf_nvs_partition_gen generate` makes a `fctry` partition of.
    EspMatter,
    /// The files and the CSV that `configure_esp_secure_cert.py` makes an `esp_secure_cert` partition of.
    EspSecureCert,
    /// Nordic's Matter factory data: one JSON file.
    Nordic,
}

/// What came of it.
pub enum Made {
    One(Secret),
    Folder(Vec<ExportedFile>),
}

impl Form {
    /// Whether it comes as several files.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self, Self::Files | Self::EspMatter | Self::EspSecureCert)
    }

    /// What can be known before an identity is reserved: whether a key of this algorithm under this issuer (DER) can have the form at all,
    /// and whether the options have what no record holds.
    ///
    /// # Errors
    /// What does not fit.
    pub fn fits(&self, key: Option<Algorithm>, issuer: &[u8], options: &Options) -> Result<(), Refusal> {
        let found = key.map_or("another", Algorithm::word);
        let expect = |good: bool, what: &str, expected: &str| {
            if good { Ok(()) } else { Err(Refusal::malformed(what, expected, found)) }
        };
        match self {
            Self::Files | Self::Pkcs12(_) => Ok(()),
            Self::EspSecureCert => esp_secure_cert::key_size(key).map(|_| ()),
            Self::EspMatter | Self::Nordic => {
                expect(key == Some(Algorithm::EcdsaP256), "Matter export", "a bundle of ecdsa-p256 keys")?;
                let issuer = Certificate::parse(issuer).map_err(|e| Refusal::malformed("chain", "certificates", e))?;
                matter::vendor_of_issuer(&issuer)?;
                if matches!(self, Self::Nordic) { nordic::needs(options) } else { Ok(()) }
            }
        }
    }

    /// The identity in this form; `chain` is the bundle's `chain.pem`.
    ///
    /// # Errors
    /// Where the record is not for it, or a value is not known.
    pub fn of(&self, record: &Record, chain: &str, options: &Options) -> Result<Made, Refusal> {
        match self {
            Self::Files => files::files(record, chain).map(Made::Folder),
            Self::Pkcs12(protection) => pkcs12::pkcs12(record, chain, protection).map(Made::One),
            Self::EspMatter => esp_matter::esp_matter(record, chain, options).map(Made::Folder),
            Self::EspSecureCert => esp_secure_cert::esp_secure_cert(record, chain).map(Made::Folder),
            Self::Nordic => nordic::nordic(record, chain, options).map(Made::One),
        }
    }
}
