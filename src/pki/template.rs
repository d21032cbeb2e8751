//! The certificates of a batch differ in few places: serial number, device, key and its identifier, lineage. The general builder
//! writes two of them; where they differ is found by comparing, and every further one is that text with its own values put in.
//! So it cannot say anything the builder would not: `strongroom` lints samples against the general request, and a test
//! compares every octet.

use super::{PkiError, oids};
use crate::basics::Digest;
use crate::keys::Algorithm;
use der::Encode;

const WHAT: &str = "certificate template";

/// What differs from device to device.
#[derive(Clone, Copy)]
pub struct Places<'p> {
    /// 20 octets, the first from 40 to 7f.
    pub serial: &'p [u8; 20],
    /// ASCII, of the template's length; stands in subject and alternative names.
    pub device: &'p str,
    /// SubjectPublicKeyInfo.
    pub spki: &'p [u8],
    /// Subject key identifier.
    pub ski: &'p [u8; 20],
    /// Left out where the certificates carry none.
    pub lineage: Option<&'p Digest>,
}

/// The octets to be signed of any device with an id of one length.
pub struct Template {
    tbs: Vec<u8>,
    serial: Vec<usize>,
    device: Vec<usize>,
    spki: Vec<usize>,
    ski: Vec<usize>,
    lineage: Vec<usize>,
    lengths: [usize; 5],
}

impl Template {
    /// The template for device ids of `length` characters. `build` makes the octets to be signed of one device, by the general
    /// builder; `keys` are two SubjectPublicKeyInfo of the batch's algorithm with their key identifiers.
    ///
    /// # Errors
    /// What `build` says, and where places overlap or are not there.
    pub fn new<E: From<PkiError>>(
        length: usize,
        keys: [(&[u8], [u8; 20]); 2],
        lineage: bool,
        build: impl Fn(&Places<'_>) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let [(spki, ski), (other_spki, other_ski)] = keys;
        let (low, high) = (Digest::from_octets([0; 32]), Digest::from_octets([0xff; 32]));
        let (serial, other_serial) = (&[0x40; 20], &[0x7f; 20]);
        let (device, other_device) = ("A".repeat(length), "B".repeat(length));
        let base = Places { serial, device: &device, spki, ski: &ski, lineage: lineage.then_some(&low) };
        let tbs = build(&base)?;
        let differs = |places: Places<'_>, width: usize, least: usize| -> Result<Vec<usize>, E> {
            places_of(&tbs, &build(&places)?, width, least).map_err(E::from)
        };
        let serial = differs(Places { serial: other_serial, ..base }, 20, 1)?;
        let device = differs(Places { device: &other_device, ..base }, length, 1)?;
        let lineage = match lineage {
            true => differs(Places { lineage: Some(&high), ..base }, 32, 1)?,
            false => Vec::new(),
        };
        // Two keys have octets in common, so they are looked for instead; the second one shows that nothing else follows them.
        let (spki_at, ski_at) = (find(&tbs, spki)?, find(&tbs, &ski)?);
        let lengths = [20, length, spki.len(), 20, 32];
        let template = Self { tbs, serial, device, spki: vec![spki_at], ski: vec![ski_at], lineage, lengths };
        let other = Places { spki: other_spki, ski: &other_ski, ..base };
        let (mut filled, built) = (Vec::new(), build(&other)?);
        template.fill(&other, &mut filled)?;
        if filled != built {
            return Err(PkiError::malformed(WHAT, "the general builder's octets for another key").into());
        }
        Ok(template)
    }

    /// The octets to be signed of one device, into `tbs`.
    ///
    /// # Errors
    /// Where a value has another length than the template's.
    pub fn fill(&self, places: &Places<'_>, tbs: &mut Vec<u8>) -> Result<(), PkiError> {
        let [_, device, spki, ..] = self.lengths;
        let with_lineage = places.lineage.is_some() != self.lineage.is_empty();
        if places.device.len() != device || places.spki.len() != spki || !with_lineage {
            return Err(PkiError::malformed(WHAT, "values of the template's lengths"));
        }
        tbs.clear();
        tbs.extend_from_slice(&self.tbs);
        let mut put = |at: &[usize], value: &[u8]| {
            for start in at {
                // invariant: `new` found the place inside these octets.
                if let Some(slot) = tbs.get_mut(*start..start + value.len()) {
                    slot.copy_from_slice(value);
                }
            }
        };
        put(&self.serial, places.serial);
        put(&self.device, places.device.as_bytes());
        put(&self.spki, places.spki);
        put(&self.ski, places.ski);
        if let Some(lineage) = places.lineage {
            put(&self.lineage, lineage.octets());
        }
        Ok(())
    }
}

/// Where runs of exactly `width` octets differ between two texts of one length.
fn places_of(one: &[u8], other: &[u8], width: usize, least: usize) -> Result<Vec<usize>, PkiError> {
    let refuse = || PkiError::malformed(WHAT, "octets that differ in whole values only");
    if one.len() != other.len() || width == 0 {
        return Err(refuse());
    }
    let differing: Vec<usize> =
        one.iter().zip(other).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    let mut starts = Vec::new();
    for run in differing.chunks(width) {
        let start = run.first().copied().unwrap_or_default();
        let whole = run.len() == width && run.iter().enumerate().all(|(n, at)| *at == start + n);
        if !whole {
            return Err(refuse());
        }
        starts.push(start);
    }
    if starts.len() < least {
        return Err(refuse());
    }
    Ok(starts)
}

fn find(text: &[u8], wanted: &[u8]) -> Result<usize, PkiError> {
    let mut found = text.windows(wanted.len().max(1)).enumerate().filter(|(_, window)| *window == wanted);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        _ => Err(PkiError::malformed(WHAT, "the key and its identifier in one place each")),
    }
}

/// Puts signatures by a key of one algorithm round octets to be signed, without reading these again.
pub struct Wrapping {
    identifier: Vec<u8>,
}

impl Wrapping {
    /// # Errors
    /// Never for our algorithms; the encoder says so in its type.
    pub fn of(algorithm: Algorithm) -> Result<Self, PkiError> {
        let identifier = oids::signature_identifier(algorithm).to_der().map_err(PkiError::encoding(WHAT))?;
        Ok(Self { identifier })
    }

    /// The certificate: what [`super::certificate::assemble`] gives for octets that it would accept.
    #[must_use]
    pub fn certificate(&self, tbs: &[u8], signature: &[u8]) -> Vec<u8> {
        let bits = 1 + signature.len();
        let content = tbs.len() + self.identifier.len() + 1 + length_octets(bits) + bits;
        let mut der = Vec::with_capacity(content + 6);
        head(&mut der, 0x30, content);
        der.extend_from_slice(tbs);
        der.extend_from_slice(&self.identifier);
        head(&mut der, 0x03, bits);
        der.push(0);
        der.extend_from_slice(signature);
        der
    }
}

const fn length_octets(length: usize) -> usize {
    match length {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 4,
    }
}

/// Tag and length, DER: at most 2^24 - 1 octets.
fn head(der: &mut Vec<u8>, tag: u8, length: usize) {
    let octets = length.to_be_bytes();
    let significant = length_octets(length) - 1;
    der.push(tag);
    if significant > 0 {
        der.push(0x80 | u8::try_from(significant).unwrap_or_default());
        der.extend_from_slice(octets.get(octets.len() - significant..).unwrap_or_default());
    } else {
        der.push(u8::try_from(length).unwrap_or_default());
    }
}
