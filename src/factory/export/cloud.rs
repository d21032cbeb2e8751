//! Lines for the bulk registration of two clouds: one JSON object a device, public values only.
//!
//! - AWS IoT, `start-thing-registration-task`: the parameters of a provisioning template, `ThingName`, `SerialNumber`, `CertificatePem`.
//! - Azure IoT Hub, `az iot hub device-identity import`: a device that is known by the thumbprint of its certificate.

use super::{certificate, certificate_pem};
use crate::factory::{Class, Record, Refusal};
use crate::keys::{Algorithm, PublicKey};
use serde_json::json;

/// A line for AWS IoT. A thing's name there has no dot (`[a-zA-Z0-9:_-]{1,128}`), and a certificate is of RSA or ECDSA, key and signature.
///
/// # Errors
/// Where the service does not take such a device id or certificate; the certificate cannot be written.
pub fn aws_iot_line(record: &Record) -> Result<String, Refusal> {
    let what = |of: &str| format!("{of} of {} for AWS IoT", record.device);
    if record.device.as_str().contains('.') {
        return Err(Refusal::new(Class::Policy, what("device id"), "no dot: a thing's name has none", &record.device));
    }
    let certificate = certificate(record)?;
    let signature = Some(certificate.signature_algorithm());
    let key = certificate.public_key().map(PublicKey::algorithm);
    for (of, found) in [("key", key), ("signature", signature)] {
        // Keys of others are RSA and P-521, which it takes.
        if let Some(found) = found.filter(|found| !matches!(found, Algorithm::EcdsaP256 | Algorithm::EcdsaP384)) {
            return Err(Refusal::new(Class::Policy, what(of), "ECDSA or RSA", found.word()));
        }
    }
    let line = json!({
        "ThingName": record.device.as_str(), "SerialNumber": record.device.as_str(), "CertificatePem": certificate_pem(record)?,
    });
    Ok(line.to_string())
}

/// A line for Azure IoT Hub. Its thumbprint is SHA-256.
///
/// # Errors
/// Where the certificate is not one of ours.
pub fn azure_iot_line(record: &Record) -> Result<String, Refusal> {
    let thumbprint = certificate(record)?.digest().hex().to_uppercase();
    let line = json!({
        "id": record.device.as_str(), "importMode": "create", "status": "enabled",
        "authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}},
    });
    Ok(line.to_string())
}
