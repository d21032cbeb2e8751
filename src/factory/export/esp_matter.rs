//! Espressif's Matter factory data (esp-matter, `chip-factory` namespace; connectedhomeip `ESP32FactoryDataProvider`): certificates as
//! DER, the DAC's key as 32 and 65 raw octets, and a CSV that names the files for `esp-idf-nvs-partition-gen`.

use super::matter::Attestation;
use super::setup::{self, Setup};
use super::writing::Writing;
use super::{ExportedFile, Options, file, nordic};
use crate::factory::{Record, Refusal};

/// The files of one device: `nvs.csv`, `dac-cert.der`, `dac-key.bin`, `dac-pub-key.bin`, `pai-cert.der`. What a device is commissioned with is
/// in the CSV where the record or the options hold it; without it the partition is for firmware that gets it another way.
///
/// # Errors
/// Where the device is none of Matter, or a value is out of its range.
pub(super) fn esp_matter(record: &Record, chain: &str, options: &Options) -> Result<Vec<ExportedFile>, Refusal> {
    let Attestation { vendor, product, public, scalar, intermediate } = Attestation::of(record, chain)?;
    if record.device.as_str().len() > nordic::SERIAL {
        let expected = format!("at most {} characters", nordic::SERIAL);
        return Err(Refusal::malformed("serial-num", expected, &record.device));
    }
    let files = vec![
        file("dac-cert.der", record.certificate.clone()),
        ExportedFile { name: "dac-key.bin".to_owned(), octets: scalar },
        file("dac-pub-key.bin", public.key_bits()),
        file("pai-cert.der", intermediate),
    ];
    let mut csv = Writing::new(8 * 1024);
    csv.text("key,type,encoding,value\nchip-factory,namespace,,\n");
    for listed in &files {
        let key = listed.name.split('.').next().unwrap_or_default();
        csv.text(key).text(",file,binary,").text(&listed.name).text("\n");
    }
    let mut number = |key: &str, value: u32| {
        csv.text(key).text(",data,u32,").text(&value.to_string()).text("\n");
    };
    number("vendor-id", u32::from(vendor));
    number("product-id", u32::from(product));
    if let Some(version) = options.hw_ver {
        number("hardware-ver", u32::from(version));
    }
    let setup = Setup::of(record, options)?;
    if let Some(setup) = &setup {
        number("discriminator", u32::from(setup.discriminator));
        number("iteration-count", setup.iterations);
    }
    let serial = Some(record.device.as_str().to_owned());
    for (key, value) in [
        ("serial-num", &serial),
        ("vendor-name", &options.vendor_name),
        ("product-name", &options.product_name),
        ("product-label", &options.product_label),
        ("product-url", &options.product_url),
        ("part-number", &options.part_number),
        ("mfg-date", &options.date),
        ("hw-ver-str", &options.hw_ver_str),
    ] {
        if let Some(value) = value {
            csv.text(key).text(",data,string,\"").text(&value.replace('"', "\"\"")).text("\"\n");
        }
    }
    if let Some(setup) = &setup {
        // As connectedhomeip keeps them: base64 in a string.
        csv.text("salt,data,string,").base64(&setup.salt).text("\n");
        csv.text("verifier,data,string,").base64(&setup.verifier).text("\n");
    }
    if let Some(value) = setup::extra(record, "rd-id-uid", 16..=32)? {
        csv.text("rd-id-uid,data,hex2bin,").hex(value.expose()).text("\n");
    }
    let csv = ExportedFile { name: "nvs.csv".to_owned(), octets: csv.done("nvs.csv")? };
    Ok(std::iter::once(csv).chain(files).collect())
}
