//! The TBSCertificate of RFC 5280 4.1 as we write it. Reading is done by another implementation (`x509-cert`), so that a
//! mistake in one shows in the other. Fields are plain values, so that tests can plant defects in them.
//!
//! ```text
//! 30 len  a0 03 02 01 02                     version 3
//!         02 14 <20 octets>                  serial number
//!         30 0a 06 08 2a8648ce3d040303       signature algorithm, no parameters
//!         30 len issuer                      same octets as the issuer's subject
//!         30 1e 17 0d 261122140000Z 17 0d 461122140000Z
//!         30 len subject   30 len key
//!         a3 len 30 len extensions
//! ```

use crate::pki::certificate::CertificateRequest;
use crate::pki::general_name::{AltName, Subtree};
use crate::pki::profile::{Extra, KeyUsage as Usage, NameConstraints as Limits, Profile, purpose};
use crate::pki::{PkiError, additions, instants, oids};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, Ia5String, Null, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::{PolicyInformation, PolicyQualifierInfo};
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
    CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, KeyUsages, NameConstraints, SubjectAltName,
    SubjectKeyIdentifier,
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

pub(crate) fn of(request: &CertificateRequest<'_>) -> Result<Tbs, PkiError> {
    let encoding = PkiError::encoding(WHAT);
    let name = |octets: &[u8]| Any::from_der(octets).map_err(PkiError::encoding(WHAT));
    let time = |instant| Any::encode_from(&instants::to_time(instant)?).map_err(PkiError::encoding("time"));
    let signer = request.signer().ok_or(PkiError::malformed("issuer", "a key of a kind that signs here"))?;
    Ok(Tbs {
        version: 2,
        serial: Any::new(der::Tag::Integer, request.serial.as_slice()).map_err(&encoding)?,
        signature: oids::signature_identifier(signer.algorithm()),
        issuer: name(&request.issuer_der()?)?,
        validity: Validity { not_before: time(request.not_before)?, not_after: time(request.not_after)? },
        subject: name(&request.subject.to_der()?)?,
        key: Any::from_der(request.key.spki_der()).map_err(&encoding)?,
        extensions: Some(extensions(request)?),
    })
}

const WHAT: &str = "certificate";

/// In one fixed order, so that equal requests give equal octets.
fn extensions(request: &CertificateRequest<'_>) -> Result<Vec<Extension>, PkiError> {
    use Criticality::{Critical, Optional};
    let (profile, additions) = (&request.profile, &request.additions);
    let octets = |octets: Vec<u8>| OctetString::new(octets).map_err(PkiError::encoding(WHAT));
    let constraints = BasicConstraints { ca: profile.kind.is_authority(), path_len_constraint: profile.path_len };
    let identifier = SubjectKeyIdentifier(octets(request.key_identifier())?);
    let authority =
        AuthorityKeyIdentifier { key_identifier: Some(octets(request.issuer_key_identifier())?), ..Default::default() };
    let mut list = List(Vec::new());
    list.add(oids::BASIC_CONSTRAINTS, Critical, &constraints)?;
    list.add(oids::KEY_USAGE, Critical, &key_usage(profile))?;
    if !profile.extended_key_usages.is_empty() {
        let purposes = ExtendedKeyUsage(profile.extended_key_usages.iter().map(purpose::Purpose::oid).collect());
        let critical = purpose::is_critical(&profile.extended_key_usages);
        list.add(oids::EXTENDED_KEY_USAGE, if critical { Critical } else { Optional }, &purposes)?;
    }
    list.add(oids::SUBJECT_KEY_IDENTIFIER, Optional, &identifier)?;
    list.add(oids::AUTHORITY_KEY_IDENTIFIER, Optional, &authority)?;
    if !additions.policies.is_empty() {
        list.add(oids::CERTIFICATE_POLICIES, Optional, &policies(&additions.policies)?)?;
    }
    if !additions.alternative_names.is_empty() {
        let names = additions.alternative_names.iter().map(AltName::to_general_name);
        list.add(oids::SUBJECT_ALTERNATIVE_NAME, Optional, &SubjectAltName(names.collect::<Result<_, _>>()?))?;
    }
    if let Some(limits) = &profile.name_constraints {
        list.add(oids::NAME_CONSTRAINTS, Critical, &name_constraints(limits)?)?;
    }
    if !additions.crl_urls.is_empty() {
        list.add(oids::CRL_DISTRIBUTION, Optional, &distribution(&additions.crl_urls)?)?;
    }
    let access = access(&additions.ocsp_urls, &additions.issuer_urls)?;
    if !access.0.is_empty() {
        list.add(oids::AUTHORITY_INFO, Optional, &access)?;
    }
    for extra in &profile.extensions {
        match extra {
            Extra::OcspNoCheck => list.add(oids::OCSP_NO_CHECK, Optional, &Null)?,
        }
    }
    if let Some(lineage) = &additions.lineage {
        let digest = octets(lineage.digest.octets().to_vec())?;
        list.add(oid(&lineage.oid)?, Optional, &digest)?;
    }
    Ok(list.0)
}

struct List(Vec<Extension>);

impl List {
    fn add<T: Encode>(&mut self, oid: ObjectIdentifier, critical: Criticality, value: &T) -> Result<(), PkiError> {
        self.0.push(extension(oid, critical, value).map_err(PkiError::encoding(WHAT))?);
        Ok(())
    }
}

fn oid(dotted: &str) -> Result<ObjectIdentifier, PkiError> {
    ObjectIdentifier::new(dotted).map_err(|_| PkiError::malformed(WHAT, "an object identifier"))
}

fn uri(url: &str) -> Result<GeneralName, PkiError> {
    let text = Ia5String::new(url).map_err(PkiError::encoding(WHAT))?;
    Ok(GeneralName::UniformResourceIdentifier(text))
}

fn policies(policies: &[additions::Policy]) -> Result<CertificatePolicies, PkiError> {
    let encoding = PkiError::encoding(WHAT);
    let each = policies.iter().map(|policy| {
        let qualifier = policy.cps.as_ref().map(|cps| {
            let cps = Ia5String::new(cps).map_err(&encoding)?;
            let qualifier = Some(Any::encode_from(&cps).map_err(&encoding)?);
            Ok::<_, PkiError>(vec![PolicyQualifierInfo { policy_qualifier_id: oids::POLICY_CPS, qualifier }])
        });
        Ok(PolicyInformation { policy_identifier: oid(&policy.oid)?, policy_qualifiers: qualifier.transpose()? })
    });
    each.collect::<Result<_, _>>().map(CertificatePolicies)
}

fn name_constraints(limits: &Limits) -> Result<NameConstraints, PkiError> {
    let subtrees = |subtrees: &[Subtree]| -> Result<Option<Vec<GeneralSubtree>>, PkiError> {
        let each = subtrees
            .iter()
            .map(|subtree| Ok(GeneralSubtree { base: subtree.to_general_name()?, minimum: 0, maximum: None }));
        let each = each.collect::<Result<Vec<_>, PkiError>>()?;
        Ok((!each.is_empty()).then_some(each))
    };
    Ok(NameConstraints {
        permitted_subtrees: subtrees(&limits.permitted)?,
        excluded_subtrees: subtrees(&limits.excluded)?,
    })
}

/// One distribution point for each address, since each is the whole list.
fn distribution(urls: &[String]) -> Result<CrlDistributionPoints, PkiError> {
    let each = urls.iter().map(|url| {
        let distribution_point = Some(DistributionPointName::FullName(vec![uri(url)?]));
        Ok(DistributionPoint { distribution_point, reasons: None, crl_issuer: None })
    });
    each.collect::<Result<_, _>>().map(CrlDistributionPoints)
}

fn access(ocsp: &[String], issuers: &[String]) -> Result<AuthorityInfoAccessSyntax, PkiError> {
    let each = |access_method, urls: &[String]| {
        let each = urls.iter().map(|url| Ok(AccessDescription { access_method, access_location: uri(url)? }));
        each.collect::<Result<Vec<_>, PkiError>>()
    };
    let all = [each(oids::ACCESS_OCSP, ocsp)?, each(oids::ACCESS_ISSUERS, issuers)?].concat();
    Ok(AuthorityInfoAccessSyntax(all))
}

pub(crate) fn key_usage(profile: &Profile) -> KeyUsage {
    let flags = profile.key_usages.iter().map(|usage| match usage {
        Usage::DigitalSignature => KeyUsages::DigitalSignature,
        Usage::ContentCommitment => KeyUsages::NonRepudiation,
        Usage::KeyAgreement => KeyUsages::KeyAgreement,
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
