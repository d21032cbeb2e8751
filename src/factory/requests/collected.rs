//! One request of a collection:
//!
//! ```text
//! 85                      array of 5
//!   6d "LAMP-00000001"    device id
//!   a1 63 "soc" 64 ".."   hardware ids by kind; an empty map where there are none
//!   59 01c2 <450>         PKCS#10, DER
//!   81 59 .. <..>         attestation: certificates, DER, the attesting or attested key's first; an empty array where there is none
//!   40                    signature of the attesting key; empty where the first certificate is of the device's own key
//! ```
//! Requests stand one after the other, nothing between them and nothing after the last (a CBOR sequence, RFC 8742).

use crate::basics::{Digest, Realm, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::lineage::{read_texts, write_texts};
use crate::factory::{DeviceId, Refusal};
use std::collections::BTreeMap;

const WHAT: &str = "request";

/// A request as the factory collected it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    pub device: DeviceId,
    /// Kind to id.
    pub hardware: BTreeMap<String, String>,
    /// DER of the PKCS#10.
    pub request: Vec<u8>,
    /// DER of certificates.
    pub attestation: Vec<Vec<u8>>,
    pub signature: Vec<u8>,
}

impl Collected {
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(1_024);
        let mut w = Writer::new(&mut octets);
        w.array(5).text(self.device.as_str());
        write_texts(&mut w, &self.hardware);
        w.octets(&self.request).array(self.attestation.len() as u64);
        for certificate in &self.attestation {
            w.octets(certificate);
        }
        w.octets(&self.signature);
        octets
    }

    /// Reads one request from the front of `octets`; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`Collected::to_octets`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(WHAT, octets);
        r.array(5)?;
        let device = DeviceId::parse(r.text(limits::DEVICE_ID_CHARS)?)?;
        let hardware = read_texts(&mut r)?;
        let request = r.octets(limits::REQUEST_OCTETS)?.to_vec();
        let mut attestation = Vec::new();
        for _ in 0..r.array_up_to(limits::ATTESTATION_CHAIN as u64)? {
            attestation.push(r.octets(limits::DEVICE_CERTIFICATE_OCTETS)?.to_vec());
        }
        let signature = r.octets(limits::DEVICE_SIGNATURE_OCTETS)?.to_vec();
        let used = r.position();
        let read = Self { device, hardware, request, attestation, signature };
        same_octets(WHAT, &read.to_octets(), octets.get(..used).unwrap_or_default())?;
        if used > limits::COLLECTED_REQUEST_OCTETS {
            return Err(Refusal::malformed(WHAT, format!("at most {} octets", limits::COLLECTED_REQUEST_OCTETS), used));
        }
        Ok((read, used))
    }

    /// What an attesting key signs: 32 octets that bind the request to its order.
    #[must_use]
    pub fn attested_message(&self, realm: Realm, order: &Digest, nonce: &Digest) -> Digest {
        let request = Digest::of(&self.request);
        Digest::tagged("request-attestation", realm, &[order.octets(), nonce.octets(), request.octets()])
    }
}
