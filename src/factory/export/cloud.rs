//! Lines for the bulk registration of two clouds: one JSON object a device, public values only.
//!
//! - AWS IoT, `start-thing-registration-task`: the parameters of a provisioning template, `ThingName`, `SerialNumber`, `CertificatePem`.
//! - Azure IoT Hub, `az iot hub device-identity import`: a device that is known by the thumbprint of its certificate.

use super::{certificate, certificate_pem};
use crate::factory::{Record, Refusal};
use serde_json::json;

/// A line for AWS IoT.
///
/// # Errors
/// Where the certificate cannot be written.
pub fn aws_iot_line(record: &Record) -> Result<String, Refusal> {
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
