//! The key that signs element manifests. Readers of that format take ES256 and not the Ed25519 of the receipt key, so a station makes a P-256 key
//! when it is first asked for such a manifest, and a certificate for it that says what it is and certifies nobody.
//!
//! ```text
//! element-signer.key       0600: 64 octets of material (`SigningKey::from_material`), hexadecimal digits
//! element-signer.pem       its certificate, self-signed
//! element-signer.pem.sig   OpenSSH signature over that file by the receipt key, namespace REALM-signer@anchorite
//! ```
//! The receipt key is the one the ceremony side knows since enrolment: whoever trusts receipts of this station can check the signature and then trust
//! the certificate. The ledger names the certificate once.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Instant, Secret, limits};
use crate::devices::durable_file;
use crate::factory::export::element::Signer;
use crate::keys::{Algorithm, SigningKey};
use crate::pki::{Certificate, Subject, certificate, serial};
use crate::station::chain::What;
use crate::station::{Station, StationError};
use std::path::PathBuf;
use zeroize::Zeroizing;

const KEY: &str = "element-signer.key";
const CERTIFICATE: &str = "element-signer.pem";
/// What the receipt key's signature over the certificate is for.
pub const PURPOSE: &str = "signer";
/// Where the store keeps which certificate its ledger names.
const NAMED: &str = "element-signer";

impl Station {
    /// Where the signer's certificate is.
    #[must_use]
    pub fn element_signer_certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// The key and its certificate, made where they are not there yet.
    ///
    /// # Errors
    /// Where a file is not one of these, or cannot be written.
    pub fn element_signer(&mut self, now: Instant) -> Result<Signer, StationError> {
        let key = self.element_key()?;
        let path = self.element_signer_certificate();
        if !path.exists() {
            let made = self.new_certificate(&key, now)?;
            durable_file::create(&path, made.as_bytes())?;
        }
        let bad = |problem: String| StationError::Configuration { what: CERTIFICATE, problem };
        let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
        let text = String::from_utf8(octets).map_err(|_| bad("expected text, found other octets".to_owned()))?;
        let certificate = Certificate::from_pem(&text).map_err(|e| bad(e.to_string()))?;
        certificate.verify_self_signed().map_err(|e| bad(e.to_string()))?;
        if certificate.public_key() != Some(&key.public_key()) {
            return Err(bad(format!("expected the certificate of {KEY}, found one of another key")));
        }
        let signature = path.with_extension("pem.sig");
        if !signature.exists() {
            let namespace = self.home.realm.namespace(PURPOSE);
            let signed = self.receipt_key()?.sign(&namespace, text.as_bytes())?;
            durable_file::create(&signature, signed.as_bytes())?;
        }
        let digest = certificate.digest();
        if self.look(|tx| tx.value(NAMED))?.as_deref() != Some(&digest.hex()) {
            self.change(now, |book| {
                book.tx.set_value(NAMED, &digest.hex())?;
                book.write(&What::Signer { certificate: digest })
            })?;
        }
        Ok(Signer { key, certificate })
    }

    fn element_key(&self) -> Result<SigningKey, StationError> {
        let bad = |problem: &str| StationError::Configuration { what: KEY, problem: problem.to_owned() };
        let path = self.folder.join(KEY);
        let algorithm = Algorithm::EcdsaP256;
        if !path.exists() {
            let mut material = Zeroizing::new(vec![0; algorithm.material_octets()]);
            getrandom::fill(&mut material)
                .map_err(|e| StationError::Other(format!("the machine's random source: {e}")))?;
            // Refused before it is written, once in 2^64 draws.
            SigningKey::from_material(algorithm, &material)?;
            let mut text = Secret::with_capacity(2 * material.len() + 1);
            let hex = Zeroizing::new(hex_encode(&material));
            hex.bytes().chain([b'\n']).for_each(|octet| {
                text.push(octet);
            });
            durable_file::create(&path, text.expose())?;
        }
        let octets = Zeroizing::new(durable_file::read(&path, limits::SMALL_FILE_OCTETS)?);
        let text = std::str::from_utf8(&octets).map_err(|_| bad("expected hexadecimal digits"))?;
        let material = hex_decode(text.trim_end()).map(Zeroizing::new).ok_or(bad("expected hexadecimal digits"))?;
        Ok(SigningKey::from_material(algorithm, &material)?)
    }

    fn new_certificate(&self, key: &SigningKey, now: Instant) -> Result<String, StationError> {
        let bad = |problem: String| StationError::Configuration { what: CERTIFICATE, problem };
        let home = &self.home;
        let name = format!("Element manifests {}", home.store.get(..8).unwrap_or_default());
        let subject = Subject::authority(None, &home.factory, &name);
        // Positive, 20 octets, of this key and no other.
        let serial = serial::of(&key.public_key().digest(), 0).map_err(bad)?;
        let made = certificate::own_signer(home.realm, &subject, key, &serial, now);
        made.and_then(|made| made.to_pem()).map_err(|e| bad(e.to_string()))
    }
}
