//! The TBSCertificate of RFC 5280 4.1 as we write it. Reading is done by another implementation (`x509-cert`), so that a
//! mistake in one shows in the other. Fields are plain values, so that tests can plant defects in them.
//!
//! ```text
//! 30 len  a0 03 02 01 02                     version 3
//!         02 14 <20 octets>                  serial number
//!         30 0a 06 08 2a8648ce3d040303       signature algorithm, no parameters
//!         30 len issuer                      same octets as the subject
//!         30 1e 17 0d 261122140000Z 17 0d 461122140000Z
//!         30 len subject   30 len key
//!         a3 len 30 len extensions
//! ```

use crate::pki::certificate::{RootRequest, key_identifier};
use crate::pki::profile::{KeyUsage as Usage, Profile};
use crate::pki::{PkiError, instants, oids};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};

#[derive(Clone, Sequence)]
pub(crate) struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub version: u8,
    pub serial: Any,
    pub signature: AlgorithmIdentifierOwned,
    pub issuer: Any,
    pub validity: Validity,
    pub subject: Any,
    pub key: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub extensions: Option<Vec<Extension>>,
}

#[derive(Clone, Sequence)]
pub(crate) struct Validity {
    pub not_before: Any,
    pub not_after: Any,
}

pub(crate) fn of_root(request: &RootRequest) -> Result<Tbs, PkiError> {
    let encoding = PkiError::encoding("root certificate");
    let name = Any::from_der(&request.subject.to_der()?).map_err(&encoding)?;
    let time = |instant| Any::encode_from(&instants::to_time(instant)?).map_err(PkiError::encoding("time"));
    Ok(Tbs {
        version: 2,
        serial: Any::new(der::Tag::Integer, request.serial.as_slice()).map_err(&encoding)?,
        signature: oids::signature_identifier(request.key.algorithm()),
        issuer: name.clone(),
        validity: Validity { not_before: time(request.not_before)?, not_after: time(request.not_after)? },
        subject: name,
        key: Any::from_der(request.key.spki_der()).map_err(&encoding)?,
        extensions: Some(extensions(request).map_err(&encoding)?),
    })
}

fn extensions(request: &RootRequest) -> Result<Vec<Extension>, der::Error> {
    let identifier = OctetString::new(key_identifier(&request.key))?;
    let constraints = BasicConstraints { ca: true, path_len_constraint: request.profile.path_len };
    let authority = AuthorityKeyIdentifier { key_identifier: Some(identifier.clone()), ..Default::default() };
    let mut extensions = vec![
        extension(oids::BASIC_CONSTRAINTS, Criticality::Critical, &constraints)?,
        extension(oids::KEY_USAGE, Criticality::Critical, &key_usage(&request.profile))?,
        extension(oids::SUBJECT_KEY_IDENTIFIER, Criticality::Optional, &SubjectKeyIdentifier(identifier))?,
        extension(oids::AUTHORITY_KEY_IDENTIFIER, Criticality::Optional, &authority)?,
    ];
    if let Some(policy) = &request.policy_oid {
        let policy_identifier = ObjectIdentifier::new(policy).map_err(der::Error::from)?;
        let policies = CertificatePolicies(vec![PolicyInformation { policy_identifier, policy_qualifiers: None }]);
        extensions.push(extension(oids::CERTIFICATE_POLICIES, Criticality::Optional, &policies)?);
    }
    Ok(extensions)
}

pub(crate) fn key_usage(profile: &Profile) -> KeyUsage {
    let flags = profile.key_usages.iter().map(|usage| match usage {
        Usage::KeyCertSign => KeyUsages::KeyCertSign,
        Usage::CrlSign => KeyUsages::CRLSign,
    });
    KeyUsage(flags.fold(FlagSet::default(), |set, flag| set | flag))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criticality {
    Critical,
    Optional,
}

pub(crate) fn extension<T: Encode>(
    oid: ObjectIdentifier,
    criticality: Criticality,
    value: &T,
) -> Result<Extension, der::Error> {
    let critical = criticality == Criticality::Critical;
    Ok(Extension { extn_id: oid, critical, extn_value: OctetString::new(value.to_der()?)? })
}
