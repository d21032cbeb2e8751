//! Who issued a bundle, as everybody checks it who has one: `chain.pem` up to a root, and `crl.pem`, the issuing authority's list.
//! Pure: the moment it is judged at is an argument. A station says now; who checks a bundle that lies in an archive says when it was made.

use crate::basics::{Instant, SafeText};
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::pki::{Certificate, CertificateList};
use std::collections::BTreeSet;

/// Certificates of one chain.
const MOST: usize = 8;
/// How far the clocks of a ceremony and a station may be apart, in milliseconds.
const APART: u64 = 24 * 3_600_000;

/// The authority that issued a bundle, with what is above it and what it revoked.
#[derive(Debug)]
pub struct Issuing {
    issuer: Certificate,
    /// The last of the chain, which one must trust on other grounds.
    root: Certificate,
    chain: Vec<Certificate>,
    list: CertificateList,
    revoked: BTreeSet<Vec<u8>>,
}

impl Issuing {
    /// Reads a bundle's chain and list. With a `root` the chain leads to it: its last certificate is that root or signed by it.
    ///
    /// # Errors
    /// The first that does not hold, by class: a chain that is no chain at `at`, a list that is not the issuer's, a certificate of the
    /// chain on the list.
    pub fn read(
        what: &Manifest,
        chain: &str,
        list: &str,
        root: Option<&Certificate>,
        at: Instant,
    ) -> Result<Self, Refusal> {
        let mut chain = certificates(chain)?;
        if let Some(root) = root.filter(|root| chain.last().is_some_and(|last| last.digest() != root.digest())) {
            chain.push(root.clone());
        }
        leads(&chain, what, at)?;
        let (Some(issuer), Some(root)) = (chain.first().cloned(), chain.last().cloned()) else {
            return Err(Refusal::new(Class::Chain, manifest::CHAIN, "the issuing certificate", "none"));
        };
        let list = self::list(manifest::CRL, list, &issuer, what, at)?;
        let revoked = revoked(&list);
        nobody_on(manifest::CRL, &list, &revoked, &chain)?;
        if list.next_update() <= what.issued {
            let expected = format!("a list for {}, when the bundle was made", what.issued.rfc3339());
            let found = format!("one until {}", list.next_update().rfc3339());
            return Err(Refusal::new(Class::Expired, manifest::CRL, expected, found));
        }
        if list.this_update().0 > what.issued.0.saturating_add(APART) {
            let expected = format!("a list for {}, when the bundle was made", what.issued.rfc3339());
            let found = format!("one from {} on", list.this_update().rfc3339());
            return Err(Refusal::new(Class::Chain, manifest::CRL, expected, found));
        }
        Ok(Self { issuer, root, chain, list, revoked })
    }

    /// Takes a newer list of the same authority in the place of the bundle's; `name` is what messages call it.
    ///
    /// # Errors
    /// Where it is not the authority's, or older than the bundle's.
    pub fn renew(&mut self, name: &str, list: &str, what: &Manifest, at: Instant) -> Result<(), Refusal> {
        let newer = self::list(name, list, &self.issuer, what, at)?;
        if newer.number() < self.list.number() {
            let expected = format!("a list not older than the bundle's, number {}", self.list.number());
            return Err(Refusal::new(Class::Sequence, name, expected, format!("number {}", newer.number())));
        }
        let revoked = revoked(&newer);
        nobody_on(name, &newer, &revoked, &self.chain)?;
        (self.revoked, self.list) = (revoked, newer);
        Ok(())
    }

    /// Whether the list is still one at this moment.
    ///
    /// # Errors
    /// Where another should have followed by then.
    pub fn is_current(&self, at: Instant) -> Result<(), Refusal> {
        if at < self.list.next_update() {
            return Ok(());
        }
        let expected = format!("a list for {}", at.rfc3339());
        let found = format!("number {}, until {}", self.list.number(), self.list.next_update().rfc3339());
        Err(Refusal::new(Class::Expired, manifest::CRL, expected, found))
    }

    #[must_use]
    pub const fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    #[must_use]
    pub const fn root(&self) -> &Certificate {
        &self.root
    }

    #[must_use]
    pub const fn list(&self) -> &CertificateList {
        &self.list
    }

    /// Whether a serial number of the issuing authority is on its list.
    #[must_use]
    pub fn has_revoked(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }
}

fn revoked(list: &CertificateList) -> BTreeSet<Vec<u8>> {
    list.revoked().iter().map(|entry| entry.serial.clone()).collect()
}

/// A chain of one is a root that issues devices itself: its own certificate is among those its list can revoke.
fn nobody_on(
    name: &str,
    list: &CertificateList,
    revoked: &BTreeSet<Vec<u8>>,
    chain: &[Certificate],
) -> Result<(), Refusal> {
    for certificate in chain {
        if certificate.issuer_der() == list.issuer_der() && revoked.contains(certificate.serial()) {
            let found = format!("{} on it", certificate.subject_text());
            return Err(Refusal::new(Class::Revoked, name, "no certificate of the chain on it", found));
        }
    }
    Ok(())
}

fn certificates(text: &str) -> Result<Vec<Certificate>, Refusal> {
    let refuse =
        |expected: &str, found: &dyn ToString| Refusal::new(Class::Chain, manifest::CHAIN, expected, found.to_string());
    let mut chain = Vec::new();
    for block in text.split_inclusive("-----END CERTIFICATE-----\n").take(MOST + 1) {
        chain.push(Certificate::from_pem(block).map_err(|e| refuse("certificates", &e))?);
    }
    if chain.len() > MOST {
        return Err(refuse("at most 8 certificates", &"more"));
    }
    Ok(chain)
}

/// The first is the manifest's issuer, each is signed by the next, valid then, and an authority that may have so many below it.
fn leads(chain: &[Certificate], what: &Manifest, at: Instant) -> Result<(), Refusal> {
    let refuse = |expected: String, found: &dyn ToString| {
        Refusal::new(Class::Chain, manifest::CHAIN, expected, found.to_string())
    };
    let found = chain.first().map_or_else(|| "none".to_owned(), |first| first.digest().hex());
    if found != what.issuer.hex() {
        return Err(refuse(format!("the issuing certificate {}", what.issuer), &found));
    }
    for (below, certificate) in chain.iter().enumerate() {
        let name = named(certificate);
        let (from, until) = (certificate.not_before(), certificate.not_after());
        if at < from || at >= until {
            let found = format!("it valid from {} until {}", from.rfc3339(), until.rfc3339());
            return Err(refuse(format!("{name} valid at {}", at.rfc3339()), &found));
        }
        if !certificate.is_authority() {
            let found = "the certificate of an end entity, or of one that may not sign certificates";
            return Err(refuse(format!("{name} to be an authority"), &found));
        }
        // The authorities between this one and the devices, itself not counted.
        if let Some(most) = certificate.path_len().filter(|most| usize::from(*most) < below) {
            return Err(refuse(format!("{name} with a path of {below}"), &format!("one of {most} allowed")));
        }
    }
    for (child, parent) in chain.iter().zip(chain.iter().skip(1)) {
        child.verify(parent).map_err(|e| refuse(format!("{} signed by {}", named(child), named(parent)), &e))?;
    }
    Ok(())
}

/// The issuer's list, read strictly, begun, and not over before it began.
fn list(
    name: &str,
    text: &str,
    issuer: &Certificate,
    what: &Manifest,
    at: Instant,
) -> Result<CertificateList, Refusal> {
    let refuse = |class, expected: String, found: &dyn ToString| Refusal::new(class, name, expected, found.to_string());
    let list = CertificateList::from_pem(text)
        .map_err(|e| refuse(Class::Malformed, "the issuer's revocation list".to_owned(), &e))?;
    list.verify(issuer).map_err(|e| refuse(Class::Chain, format!("a list of {}", named(issuer)), &e))?;
    let (this, next) = (list.this_update(), list.next_update());
    if this >= next {
        return Err(refuse(Class::Malformed, format!("a next update after {}", this.rfc3339()), &next.rfc3339()));
    }
    if this.0 > at.0.saturating_add(APART) {
        let expected = format!("a list that has begun at {}", at.rfc3339());
        return Err(refuse(Class::Chain, expected, &format!("one from {} on", this.rfc3339())));
    }
    if what.issued.0 > at.0.saturating_add(APART) {
        let expected = format!("a bundle made before {}", at.rfc3339());
        let found = what.issued.rfc3339();
        return Err(Refusal::new(Class::Malformed, format!("{}: issued", manifest::NAME), expected, found));
    }
    Ok(list)
}

fn named(certificate: &Certificate) -> SafeText {
    SafeText::cut(&certificate.subject_text(), 100)
}
