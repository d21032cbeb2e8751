//! The certificate of a key that signs statements for others to read and certifies nobody: self-signed, no authority, digitalSignature. It
//! carries a key to a reader that wants certificates; what makes the key trusted is told beside it.

use super::tbs::{Criticality, Tbs, Validity, extension};
use super::{Certificate, assemble, key_identifier};
use crate::basics::{Instant, Realm};
use crate::keys::{SigningKey, SubjectKey};
use crate::pki::name::{Subject, marked};
use crate::pki::profile::NEVER;
use crate::pki::{PkiError, instants, oids};
use der::asn1::{Any, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier};

const WHAT: &str = "signer's certificate";

/// Makes one; it does not end. `serial` is as [`crate::pki::serial`] makes them.
///
/// # Errors
/// Where the subject or the key cannot be encoded.
pub fn own_signer(
    realm: Realm,
    subject: &Subject,
    key: &SigningKey,
    serial: &[u8; 20],
    not_before: Instant,
) -> Result<Certificate, PkiError> {
    let encoding = PkiError::encoding(WHAT);
    let public = SubjectKey::from(key.public_key());
    let name = marked(realm, subject).to_der()?;
    let name = Any::from_der(&name).map_err(&encoding)?;
    let time = |instant| Any::encode_from(&instants::to_time(instant)?).map_err(PkiError::encoding(WHAT));
    let identifier = || OctetString::new(key_identifier(&public)).map_err(PkiError::encoding(WHAT));
    let constraints = BasicConstraints { ca: false, path_len_constraint: None };
    let authority = AuthorityKeyIdentifier { key_identifier: Some(identifier()?), ..Default::default() };
    let tbs = Tbs {
        version: 2,
        serial: Any::new(der::Tag::Integer, serial.as_slice()).map_err(&encoding)?,
        signature: oids::signature_identifier(key.algorithm()),
        issuer: name.clone(),
        validity: Validity { not_before: time(not_before)?, not_after: time(NEVER)? },
        subject: name,
        key: Any::from_der(public.spki_der()).map_err(&encoding)?,
        extensions: Some(vec![
            extension(oids::BASIC_CONSTRAINTS, Criticality::Critical, &constraints).map_err(&encoding)?,
            extension(oids::KEY_USAGE, Criticality::Critical, &KeyUsage(FlagSet::from(KeyUsages::DigitalSignature)))
                .map_err(&encoding)?,
            extension(oids::SUBJECT_KEY_IDENTIFIER, Criticality::Optional, &SubjectKeyIdentifier(identifier()?))
                .map_err(&encoding)?,
            extension(oids::AUTHORITY_KEY_IDENTIFIER, Criticality::Optional, &authority).map_err(&encoding)?,
        ]),
    };
    let tbs = tbs.to_der().map_err(&encoding)?;
    let der = assemble(&tbs, key.algorithm(), &key.sign(&tbs)?)?;
    let certificate = Certificate::parse(&der)?;
    certificate.verify_self_signed()?;
    Ok(certificate)
}
