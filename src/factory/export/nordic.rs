//! Nordic's Matter factory data (nRF Connect SDK, `scripts/tools/nrfconnect`): one JSON file a device, which its tools check against a
//! schema and write into the device's settings. `tests/vectors/nordic` has the constraints.

use super::Options;
use super::matter::Attestation;
use super::setup::{self, Setup};
use super::writing::Writing;
use crate::basics::Secret;
use crate::factory::{Record, Refusal};

/// Of the data's layout.
const VERSION: u8 = 1;
/// Characters of a serial number (Matter Core 11.1.5).
pub(super) const SERIAL: usize = 32;

/// Whether the options hold what no record does.
pub(super) fn needs(options: &Options) -> Result<(), Refusal> {
    let texts = [
        ("vendor_name", &options.vendor_name),
        ("product_name", &options.product_name),
        ("date", &options.date),
        ("hw_ver_str", &options.hw_ver_str),
    ];
    for (name, value) in texts {
        Options::needed(name, value.as_deref())?;
    }
    Options::needed("hw_ver", options.hw_ver.as_ref()).map(|_| ())
}

/// The JSON.
///
/// # Errors
/// Where the device is none of Matter, or a value is known neither by the record nor by the options.
pub(super) fn nordic(record: &Record, chain: &str, options: &Options) -> Result<Secret, Refusal> {
    needs(options)?;
    let attestation = Attestation::of(record, chain)?;
    let setup = Setup::of(record, options)?.ok_or_else(|| {
        let expected = "discriminator, iterations, salt and verifier in the record or the options";
        Refusal::malformed(format!("commissioning of {}", record.device), expected, "none")
    })?;
    if record.device.as_str().len() > SERIAL {
        return Err(Refusal::malformed("sn", format!("at most {SERIAL} characters"), &record.device));
    }
    let mut json = Json(Writing::new(16 * 1024 + 2 * record.certificate.len()));
    json.number("version", u32::from(VERSION), "{");
    json.string("sn", record.device.as_str())?;
    json.number("vendor_id", u32::from(attestation.vendor), ",");
    json.number("product_id", u32::from(attestation.product), ",");
    for (name, value) in [
        ("vendor_name", &options.vendor_name),
        ("product_name", &options.product_name),
        ("product_label", &options.product_label),
        ("product_url", &options.product_url),
        ("part_number", &options.part_number),
        ("date", &options.date),
        ("hw_ver_str", &options.hw_ver_str),
    ] {
        if let Some(value) = value {
            json.string(name, value)?;
        }
    }
    json.number("hw_ver", u32::from(options.hw_ver.unwrap_or_default()), ",");
    json.string("sw_ver_str", &record.lineage.firmware.version)?;
    json.octets("dac_cert", &record.certificate);
    json.octets("dac_key", attestation.scalar.expose());
    json.octets("pai_cert", &attestation.intermediate);
    if let Some(digits) = setup::passcode(record)? {
        json.0.text(",\"passcode\":").octets(digits.expose());
    }
    json.number("spake2_it", setup.iterations, ",");
    json.octets("spake2_salt", &setup.salt);
    json.octets("spake2_verifier", &setup.verifier);
    json.number("discriminator", u32::from(setup.discriminator), ",");
    for (name, extra, length) in [("rd_uid", "rd-id-uid", 16..=32), ("enable_key", "enable-key", 16..=16)] {
        if let Some(value) = setup::extra(record, extra, length)? {
            json.octets(name, value.expose());
        }
    }
    json.0.text("}\n");
    json.0.done("Nordic factory data")
}

/// Members, one after the other.
struct Json(Writing);

impl Json {
    /// `before` opens the object or separates from the member before.
    fn number(&mut self, name: &str, value: u32, before: &str) {
        self.0.text(before).text("\"").text(name).text("\":").text(&value.to_string());
    }

    fn string(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let value = serde_json::to_string(value).map_err(|e| Refusal::malformed(name, "text", e))?;
        self.0.text(",\"").text(name).text("\":").text(&value);
        Ok(())
    }

    /// `hex:` and digits.
    fn octets(&mut self, name: &str, octets: &[u8]) {
        self.0.text(",\"").text(name).text("\":\"hex:").hex(octets).text("\"");
    }
}
