//! The certificate of one record, held against its bundle: by the bundle's issuer, on no list, valid when the manifest says, of an
//! end entity, with its key beside it or not as the mode has it, and like every other certificate of the bundle. Pure.

use crate::factory::issuing::Issuing;
use crate::factory::record::DeviceKey;
use crate::factory::{Class, Manifest, Mode, Record, Refusal};
use crate::pki::profile::NEVER;
use crate::pki::{Certificate, instants, oids};

/// What the certificates of a bundle have in common: the extensions with their criticality, in order, and the values of those that say what
/// a key may do. Names, keys and identifiers differ from device to device and are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(Vec<(String, bool, Vec<u8>)>);

/// Extensions whose values are the profile's, not the device's.
const SAME_VALUE: [const_oid::ObjectIdentifier; 3] =
    [oids::KEY_USAGE, oids::EXTENDED_KEY_USAGE, oids::BASIC_CONSTRAINTS];

impl Shape {
    /// Compares with the first one seen; keeps it where there was none.
    ///
    /// # Errors
    /// Where they differ: the certificates are not all of the one profile that the manifest names.
    pub fn same(self, seen: &mut Option<Self>, name: &str) -> Result<(), Refusal> {
        let Some(first) = seen else {
            *seen = Some(self);
            return Ok(());
        };
        if *first == self {
            return Ok(());
        }
        let differs =
            first.0.iter().find(|one| !self.0.contains(one)).or(self.0.iter().find(|one| !first.0.contains(one)));
        let found = differs.map_or_else(|| "another order of them".to_owned(), |(oid, ..)| format!("another {oid}"));
        Err(Refusal::new(Class::Policy, name, "the extensions of the bundle's other certificates", found))
    }
}

/// Checks the certificate of a record; gives it, and what it must have in common with the others.
///
/// # Errors
/// The first that does not hold, by class. Whether a private key is that of the certificate is for who may open it.
pub fn check(what: &Manifest, issuing: &Issuing, record: &Record) -> Result<(Certificate, Shape), Refusal> {
    let name = name(record);
    let refuse = |class, expected: &dyn ToString, found: &dyn ToString| {
        Err(Refusal::new(class, &name, expected.to_string(), found.to_string()))
    };
    of_the_order(what, record, &name)?;
    let certificate = match Certificate::parse(&record.certificate) {
        Ok(certificate) => certificate,
        Err(error) => return refuse(Class::Chain, &"a certificate", &error),
    };
    if let Err(found) = certificate.verify(issuing.issuer()) {
        return refuse(Class::Chain, &"a certificate signed by the bundle's issuer", &found);
    }
    if certificate.is_authority() || certificate.subject_der() == issuing.issuer().subject_der() {
        return refuse(Class::Policy, &"the certificate of an end entity", &"that of an authority");
    }
    if certificate.subject_key().spki_der() == issuing.issuer().subject_key().spki_der() {
        return refuse(Class::Policy, &"a key of its own", &"the issuer's");
    }
    valid(what, issuing, &certificate, &name)?;
    if issuing.has_revoked(certificate.serial()) {
        return refuse(Class::Revoked, &"a certificate that is on no list", &"it on the issuer's revocation list");
    }
    match (&record.key, what.mode) {
        (DeviceKey::Pkcs8(_), Mode::Injected) | (DeviceKey::None, Mode::DeviceGenerated | Mode::Delegated) => {}
        (DeviceKey::None, Mode::Injected) => return refuse(Class::KeyMismatch, &"a private key", &"none"),
        (DeviceKey::Pkcs8(_), _) => {
            return refuse(Class::KeyMismatch, &"no private key: it never left the device", &"one");
        }
    }
    let shape = shape(&certificate, record, what.mode);
    Ok((certificate, shape))
}

/// A record in messages.
#[must_use]
pub fn name(record: &Record) -> String {
    format!("record {} ({})", record.index, record.device)
}

/// The lineage says again what the manifest says.
fn of_the_order(what: &Manifest, record: &Record, name: &str) -> Result<(), Refusal> {
    let lineage = &record.lineage;
    let firmware = |firmware: &crate::factory::Firmware| format!("firmware {} {}", firmware.version, firmware.sha256);
    for (expected, found) in [
        (what.order.hex(), lineage.order.hex()),
        (format!("{} {}", what.product, what.sku), format!("{} {}", lineage.product, lineage.sku)),
        (firmware(&what.firmware), firmware(&lineage.firmware)),
    ] {
        if expected != found {
            return Err(Refusal::new(Class::WrongOrder, name, expected, found));
        }
    }
    Ok(())
}

/// From and until when the manifest says, to the second, and no longer than the issuer; but a certificate for ever may outlive it.
fn valid(what: &Manifest, issuing: &Issuing, certificate: &Certificate, name: &str) -> Result<(), Refusal> {
    let said =
        (instants::whole_second(what.certificates.not_before), instants::whole_second(what.certificates.not_after));
    let found = (certificate.not_before(), certificate.not_after());
    let text = |(from, until): (crate::basics::Instant, crate::basics::Instant)| {
        format!("a certificate from {} until {}", from.rfc3339(), until.rfc3339())
    };
    if found != said {
        return Err(Refusal::new(Class::Policy, name, text(said), text(found)));
    }
    let issuer = (issuing.issuer().not_before(), issuing.issuer().not_after());
    if found.0 < issuer.0 || (found.1 > issuer.1 && found.1 != NEVER) {
        let expected = format!("{}, as the issuer's", text(issuer));
        return Err(Refusal::new(Class::Policy, name, expected, text(found)));
    }
    Ok(())
}

fn shape(certificate: &Certificate, record: &Record, mode: Mode) -> Shape {
    // A private extension commits to the lineage, in all certificates of a bundle or in none.
    let mut commitment = vec![0x04, 0x20];
    commitment.extend_from_slice(crate::basics::Digest::of(&record.lineage.to_octets()).octets());
    let extensions = certificate.extensions().map(|(oid, critical, value)| {
        // Keys without their vendor's attestation get another policy; keys we made are all alike.
        let whole = SAME_VALUE.contains(&oid) || (oid == oids::CERTIFICATE_POLICIES && mode == Mode::Injected);
        let value = match value {
            _ if whole => value.to_vec(),
            _ if value == commitment => b"lineage".to_vec(),
            _ => Vec::new(),
        };
        (oid.to_string(), critical, value)
    });
    Shape(extensions.collect())
}
