//! Espressif's Matter factory data (esp-matter, `chip-factory` namespace; connectedhomeip `ESP32FactoryDataProvider`): certificates as
//! DER, the DAC's key as 32 and 65 raw octets, and a CSV that names the files for `esp-idf-nvs-partition-gen`.

use super::{ExportedFile, file, first_of_chain};
use crate::basics::Secret;
use crate::factory::record::DeviceKey;
use crate::factory::{Record, Refusal};
use crate::keys::Algorithm;
use crate::pki::Certificate;

/// Where the scalar stands in the PKCS#8 DER of a P-256 key as this tool writes it.
const SCALAR: std::ops::Range<usize> = 36..68;
/// Octets of that DER.
const PKCS8: usize = 138;

/// The files of one device: `nvs.csv`, `dac-cert.der`, `dac-key.bin`, `dac-pub-key.bin`, `pai-cert.der`. Commissioning values (passcode,
/// discriminator) are not in a bundle yet and not here.
///
/// # Errors
/// Where the device is none of Matter: no P-256 key inside, no vendor and product in its subject.
pub fn esp_matter(record: &Record, chain: &str) -> Result<Vec<ExportedFile>, Refusal> {
    let what = format!("Matter export of {}", record.device);
    let refuse = |expected: &str, found: &dyn ToString| Refusal::malformed(what.clone(), expected, found.to_string());
    let certificate = Certificate::parse(&record.certificate).map_err(|e| refuse("a certificate of ours", &e))?;
    let public = certificate.public_key().filter(|key| key.algorithm() == Algorithm::EcdsaP256);
    let public = public.ok_or_else(|| refuse("a P-256 key", &certificate.subject_key().word()))?;
    let subject = certificate.subject().map_err(|e| refuse("a subject of ours", &e))?;
    let number = |text: &Option<String>| text.as_deref().and_then(|text| u16::from_str_radix(text, 16).ok());
    let (Some(vendor), Some(product)) = (number(&subject.matter_vid), number(&subject.matter_pid)) else {
        return Err(refuse("vendor and product in the subject", &"none"));
    };
    let scalar = match &record.key {
        DeviceKey::Pkcs8(key) if key.len() == PKCS8 => key.expose().get(SCALAR).map(<[u8]>::to_vec),
        _ => None,
    };
    let scalar = scalar.map(Secret::take).ok_or_else(|| refuse("a P-256 private key inside", &"none"))?;
    let mut rows = vec!["key,type,encoding,value".to_owned(), "chip-factory,namespace,,".to_owned()];
    let mut files = vec![
        file("dac-cert.der", record.certificate.clone()),
        ExportedFile { name: "dac-key.bin".to_owned(), octets: scalar },
        file("dac-pub-key.bin", public.key_bits().to_vec()),
        file("pai-cert.der", first_of_chain(chain)?),
    ];
    for listed in &files {
        let key = listed.name.split('.').next().unwrap_or_default();
        rows.push(format!("{key},file,binary,{}", listed.name));
    }
    rows.push(format!("vendor-id,data,u32,{vendor}"));
    rows.push(format!("product-id,data,u32,{product}"));
    rows.push(format!("serial-num,data,string,{}", record.device));
    rows.push(format!("hw-ver-str,data,string,{}", record.lineage.sku.replace([',', '"'], " ")));
    files.push(file("nvs.csv", format!("{}\n", rows.join("\n")).into_bytes()));
    Ok(files)
}
