//! A manifest of secure elements in the format of Microchip's Trust Platform (DS50003064): public data of a batch for whoever registers
//! devices. A JSON array with one object a device, each a JWS in flattened JSON (RFC 7515 7.2.2) signed with ES256:
//!
//! ```text
//! [{"header":{"uniqueId":"LAMP-1"},"payload":"eyJ...","protected":"eyJ...","signature":"..."}]
//! protected  {"alg":"ES256","kid":"<subject key identifier>","typ":"JWT","x5t#S256":"<SHA-256 of the signer's certificate>"}
//! payload    {"distributor":{"organizationName":"..."},"groupId":"<bundle>","manufacturer":{...},"model":"lamp","partNumber":"LAMP-W",
//!             "provisioner":{"organizationName":"lyon"},"provisioningTimestamp":"2026-11-26T00:00:00.000Z",
//!             "publicKeySet":{"keys":[{"crv":"P-256","kid":"0","kty":"EC","x":"...","x5c":["<DER>", ...],"y":"..."}]},
//!             "uniqueId":"LAMP-1","version":1}
//! ```
//! `model` and `partNumber` are the order's product and SKU, `groupId` the bundle, `provisioner` the factory, `provisioningTimestamp` the
//! certificate's notBefore, as Microchip's own are; who made and who distributes the devices no record says, so the options must. Certificates of
//! `x5c` are the device's and those above it but the root. No secret is in it, and none is looked at.

use super::options::Entity;
use super::{Options, certificate, chain_of};
use crate::factory::{Record, Refusal};
use crate::keys::{Algorithm, PublicKey, SigningKey};
use crate::pki::Certificate;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

const WHAT: &str = "element manifest";

/// Who signs, and the certificate that readers know him by.
pub struct Signer {
    pub key: SigningKey,
    pub certificate: Certificate,
}

/// Whether the options say who made and who distributes the devices.
///
/// # Errors
/// What is missing.
pub fn needs(options: &Options) -> Result<(), Refusal> {
    Options::needed("manufacturer", options.manufacturer.as_ref())?;
    Options::needed("distributor", options.distributor.as_ref()).map(|_| ())
}

/// One device's object of the array.
///
/// # Errors
/// Where its key has no JWK, a value is missing, or the signer is none of P-256.
pub fn element(
    record: &Record,
    chain: &str,
    factory: &str,
    options: &Options,
    signer: &Signer,
) -> Result<String, Refusal> {
    let payload = payload(record, chain, factory, options)?;
    let protected = json!({
        "alg": "ES256", "typ": "JWT",
        "kid": BASE64URL_NOPAD.encode(signer.certificate.ski()),
        "x5t#S256": BASE64URL_NOPAD.encode(signer.certificate.digest().octets()),
    });
    let [protected, payload] = [protected, payload].map(|json| BASE64URL_NOPAD.encode(json.to_string().as_bytes()));
    let signature = es256(&signer.key, format!("{protected}.{payload}").as_bytes())?;
    let object = json!({
        "payload": payload, "protected": protected, "header": {"uniqueId": record.device.as_str()},
        "signature": BASE64URL_NOPAD.encode(&signature),
    });
    Ok(object.to_string())
}

fn payload(record: &Record, chain: &str, factory: &str, options: &Options) -> Result<Value, Refusal> {
    let own = certificate(record)?;
    let mut key = jwk(own.public_key().ok_or_else(|| unknown(record, &own.subject_key().word()))?, record)?;
    let mut chained = vec![BASE64.encode(&record.certificate)];
    for der in chain_of(chain)? {
        let above = Certificate::parse(&der).map_err(|e| Refusal::malformed("chain", "certificates", e))?;
        if above.subject_der() != above.issuer_der() {
            chained.push(BASE64.encode(&der));
        }
    }
    if let Some(members) = key.as_object_mut() {
        members.insert("kid".to_owned(), json!("0"));
        members.insert("x5c".to_owned(), json!(chained));
    }
    let lineage = &record.lineage;
    let manufacturer = Options::needed("manufacturer", options.manufacturer.as_ref())?;
    let distributor = Options::needed("distributor", options.distributor.as_ref())?;
    let time = own.not_before().rfc3339();
    Ok(json!({
        "version": 1,
        "model": lineage.product,
        "partNumber": lineage.sku,
        "manufacturer": entity(manufacturer),
        "provisioner": {"organizationName": factory},
        "distributor": entity(distributor),
        "groupId": lineage.bundle.hex(),
        "provisioningTimestamp": milliseconds(&time),
        "uniqueId": record.device.as_str(),
        "publicKeySet": {"keys": [key]},
    }))
}

/// RFC 3339 with three digits after the second, as every example of the format has them.
fn milliseconds(time: &str) -> String {
    let whole = time.trim_end_matches('Z');
    if whole.contains('.') { time.to_owned() } else { format!("{whole}.000Z") }
}

fn entity(entity: &Entity) -> Value {
    match &entity.unit {
        Some(unit) => json!({"organizationName": entity.organization, "organizationalUnitName": unit}),
        None => json!({"organizationName": entity.organization}),
    }
}

/// RFC 7518 6.2 and RFC 8037.
fn jwk(key: &PublicKey, record: &Record) -> Result<Value, Refusal> {
    let bits = key.key_bits();
    let curve = match key.algorithm() {
        Algorithm::EcdsaP256 => "P-256",
        Algorithm::EcdsaP384 => "P-384",
        Algorithm::Ed25519 => return Ok(json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&bits)})),
        other => return Err(unknown(record, other.word())),
    };
    let (x, y) = bits.get(1..).and_then(|xy| xy.split_at_checked(xy.len() / 2)).unwrap_or_default();
    Ok(json!({"kty": "EC", "crv": curve, "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y)}))
}

fn unknown(record: &Record, found: &str) -> Refusal {
    Refusal::malformed(format!("{WHAT}: {}", record.device), "a key on P-256, P-384 or Ed25519", found)
}

/// r and s, 32 octets each.
fn es256(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let refuse = |found: String| Refusal::malformed(WHAT, "a signing key of ecdsa-p256", found);
    if key.algorithm() != Algorithm::EcdsaP256 {
        return Err(refuse(key.algorithm().word().to_owned()));
    }
    let der = key.sign(message).map_err(|e| refuse(e.to_string()))?;
    let signature = p256::ecdsa::Signature::from_der(&der).map_err(|e| refuse(e.to_string()))?;
    Ok(signature.to_bytes().to_vec())
}
