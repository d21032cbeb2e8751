//! One line a device, public values only, for registries.

use super::certificate;
use crate::basics::digest::hex_encode;
use crate::factory::{Record, Refusal};
use data_encoding::BASE64;

/// The first line of a registry.
pub const CSV_HEADER: &str = "device,certificate_serial,certificate_sha256,not_before,not_after,product,sku,firmware,order,certificate_der_base64";

/// One device of a registry (RFC 4180, without its line end). No secret is in it.
///
/// # Errors
/// Where the certificate is not one of ours.
pub fn csv_line(record: &Record) -> Result<String, Refusal> {
    let certificate = certificate(record)?;
    let lineage = &record.lineage;
    let fields = [
        record.device.as_str().to_owned(),
        hex_encode(certificate.serial()),
        certificate.digest().hex(),
        certificate.not_before().rfc3339(),
        certificate.not_after().rfc3339(),
        lineage.product.clone(),
        lineage.sku.clone(),
        lineage.firmware.version.clone(),
        lineage.order.hex(),
        BASE64.encode(&record.certificate),
    ];
    Ok(fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","))
}

/// A field that a spreadsheet would take for a formula gets quotes and an apostrophe before it.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@']);
    if !formula && !field.contains([',', '"', '\n', '\r']) {
        return field.to_owned();
    }
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}
