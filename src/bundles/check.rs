//! Checks a bundle without opening a shard: everything a stranger can say of it who has neither identity nor ceremony. Octets, sizes and
//! names against the manifest, leaves against the root, the index against the leaves, the issuing certificate and its list
//! against the chain, signatures against the signers one brings.

use super::BundleError;
use super::folder::{Cached, digest_of, failed, names, open_file};
use crate::basics::{Digest, limits};
use crate::devices::durable_file;
use crate::factory::index::{HEADER_OCTETS, IndexHeader, ROW_OCTETS, Row};
use crate::factory::merkle::Tree;
use crate::factory::refusal::same;
use crate::factory::{Class, Issuing, Manifest, Refusal, manifest};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::keys::ssh::{claimed_signer, verify};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Signatures of one manifest.
const SIGNATURES: usize = 32;

/// What was found true.
#[derive(Debug)]
pub struct Checked {
    pub manifest: Manifest,
    pub digest: Digest,
    /// Who signed, as the signers one brought say; empty where none were brought.
    pub signed_by: Vec<String>,
    /// Signatures there are.
    pub signatures: usize,
    /// Subject of the issuing certificate.
    pub issuer: String,
    /// Subject of the chain's last certificate, which one must trust on other grounds.
    pub root: String,
    pub root_digest: Digest,
}

/// Checks the bundle in a folder. `signers` are those one trusts for `bundle@anchorite`, where one has them: at least `threshold` of them
/// must have signed.
///
/// # Errors
/// The first thing that is wrong, by name; what cannot be read.
pub fn check(folder: &Path, signers: Option<&[AllowedSigner]>, threshold: usize) -> Result<Checked, BundleError> {
    let octets = match durable_file::read(&folder.join(manifest::NAME), limits::BUNDLE_MANIFEST_OCTETS) {
        Err(error) if error.cause.kind() == std::io::ErrorKind::NotFound => {
            let found = "none: no bundle, or one that was not written to its end";
            return Err(Refusal::new(Class::Count, manifest::NAME, "a manifest", found).into());
        }
        read => read?,
    };
    let manifest = Manifest::parse(&octets)?;
    let signatures = only_listed(folder, &manifest)?;
    for listed in &manifest.files {
        let found = digest_of(folder, &listed.name, listed.size, Cached::Yes)?;
        if found != listed.sha256 {
            return Err(Refusal::new(Class::Tampered, &listed.name, listed.sha256, found).into());
        }
    }
    leaves(folder, &manifest)?;
    index(folder, &manifest)?;
    let issuing = issuing(folder, &manifest)?;
    let mut signed_by = Vec::new();
    for name in &signatures {
        let signature = durable_file::read(&folder.join(name), limits::SMALL_FILE_OCTETS)?;
        signed_by.extend(signer(name, &signature, &octets, &manifest, signers)?);
    }
    signed_by.sort();
    signed_by.dedup();
    if signers.is_some() && signed_by.len() < threshold {
        let expected = format!("{threshold} signatures by signers you trust");
        return Err(Refusal::new(Class::TooFewSignatures, manifest::NAME, expected, signed_by.len()).into());
    }
    Ok(Checked {
        digest: Digest::of(&octets),
        signed_by,
        signatures: signatures.len(),
        issuer: issuing.issuer().subject_text(),
        root: issuing.root().subject_text(),
        root_digest: issuing.root().digest(),
        manifest,
    })
}

/// What somebody knows of a bundle beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'e> {
    pub factory: Option<&'e str>,
    /// SHA-256 of the order.
    pub order: Option<Digest>,
    pub recipient: Option<&'e str>,
    /// The octets of the manifest before it, of the same factory.
    pub after: Option<&'e [u8]>,
}

impl Checked {
    /// Holds what was checked against what one knows.
    ///
    /// # Errors
    /// The first that differs, by the class under which a station counts it.
    pub fn expect(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        let what = &self.manifest;
        if let Some(factory) = expected.factory {
            same(Class::WrongFactory, "bundle: factory", &factory, &what.factory.as_str())?;
        }
        if let Some(order) = expected.order {
            same(Class::WrongOrder, "bundle: order", &order, &what.order)?;
        }
        if let Some(recipient) = expected.recipient {
            let found = what.recipients.first().map_or("", String::as_str);
            same(Class::WrongRecipient, "bundle: recipient", &recipient, &found)?;
        }
        let Some(before) = expected.after else { return Ok(()) };
        let digest = Digest::of(before);
        let before = Manifest::parse(before)?;
        if (before.bundle == what.bundle) || (digest == self.digest) {
            let found = format!("{}, which is that one", what.bundle);
            return Err(Refusal::new(Class::Replay, "bundle", format!("another than {}", before.bundle), found));
        }
        same(Class::WrongFactory, "bundle: factory", &before.factory, &what.factory)?;
        same(Class::Sequence, "bundle: sequence", &(before.sequence.saturating_add(1)), &what.sequence)?;
        let found = what.previous.map_or_else(|| "none".to_owned(), |previous| previous.hex());
        same(Class::Sequence, "bundle: previous", &digest.hex(), &found)
    }
}

/// The names of the signatures; every other name is one that the manifest lists, and each of those is there.
pub(super) fn only_listed(folder: &Path, manifest: &Manifest) -> Result<Vec<String>, BundleError> {
    let found = names(folder, manifest.files.len() + 1 + SIGNATURES)?;
    let mut signatures = Vec::new();
    for name in &found {
        let signature = name.strip_prefix("manifest.json.").is_some_and(|rest| rest.ends_with(".sig"));
        match (name == manifest::NAME, signature, manifest.file(name)) {
            (true, ..) | (_, _, Some(_)) => {}
            (_, true, _) => signatures.push(name.clone()),
            _ => return Err(Refusal::new(Class::Foreign, "folder", "files the manifest lists", name).into()),
        }
    }
    match manifest.files.iter().find(|listed| !found.contains(&listed.name)) {
        Some(missing) => Err(Refusal::new(Class::Count, &missing.name, "the file", "none").into()),
        None => Ok(signatures),
    }
}

fn leaves(folder: &Path, manifest: &Manifest) -> Result<(), BundleError> {
    let (file, _) = open_file(folder, manifest::LEAVES)?;
    let (mut file, mut tree) = (BufReader::new(file), Tree::default());
    for _ in 0..manifest.count {
        let mut leaf = [0; 32];
        file.read_exact(&mut leaf).map_err(failed(&folder.join(manifest::LEAVES), "reading"))?;
        tree.push(Digest::from_octets(leaf));
    }
    if tree.root() == manifest.records_root {
        return Ok(());
    }
    Err(Refusal::new(Class::Tampered, "records root", manifest.records_root, tree.root()).into())
}

/// Rows rise, each record has one, and each says the shard and the leaf that its record has.
fn index(folder: &Path, manifest: &Manifest) -> Result<(), BundleError> {
    let path = folder.join(manifest::INDEX);
    let (file, _) = open_file(folder, manifest::INDEX)?;
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut header = [0; HEADER_OCTETS];
    file.read_exact(&mut header).map_err(failed(&path, "reading"))?;
    let header = IndexHeader::parse(&header)?;
    same(Class::Foreign, "index.cbor: bundle", &manifest.bundle, &header.bundle)?;
    same(Class::Count, "index.cbor: records", &manifest.count, &header.records)?;
    let (leaves, _) = open_file(folder, manifest::LEAVES)?;
    let mut leaves = BufReader::with_capacity(4096, leaves);
    let mut seen = vec![0_u64; (manifest.count as usize).div_ceil(64)];
    let mut before: Option<Digest> = None;
    for n in 0..manifest.count {
        let mut octets = [0; ROW_OCTETS];
        file.read_exact(&mut octets).map_err(failed(&path, "reading"))?;
        let row = Row::parse(&octets)?;
        let what = format!("index.cbor: row {n}");
        if before.is_some_and(|before| before >= row.device) {
            return Err(Refusal::new(Class::Malformed, what, "rows that rise", "one that does not").into());
        }
        before = Some(row.device);
        let bit = 1_u64 << (row.record % 64);
        let word = seen.get_mut((row.record / 64) as usize).filter(|_| row.record < manifest.count);
        let first = word.is_some_and(|word| std::mem::replace(word, *word | bit) & bit == 0);
        if !first || row.shard != row.record / manifest.shard_records {
            let found = format!("record {} in shard {}", row.record, row.shard);
            return Err(Refusal::new(Class::Foreign, what, "each record once, in its shard", found).into());
        }
        let mut leaf = [0; 32];
        let at = SeekFrom::Start(u64::from(row.record) * 32);
        leaves.seek(at).and_then(|_| leaves.read_exact(&mut leaf)).map_err(failed(&path, "reading"))?;
        same(Class::Foreign, &what, &Digest::from_octets(leaf), &row.leaf)?;
    }
    Ok(())
}

/// The authority that issued it, as it was when the bundle was made: what lies in an archive stays what it is.
fn issuing(folder: &Path, manifest: &Manifest) -> Result<Issuing, BundleError> {
    let (chain, list) = (text(folder, manifest::CHAIN)?, text(folder, manifest::CRL)?);
    Ok(Issuing::read(manifest, &chain, &list, None, manifest.issued)?)
}

fn text(folder: &Path, name: &str) -> Result<String, BundleError> {
    let octets = durable_file::read(&folder.join(name), limits::EVIDENCE_FILE_OCTETS)?;
    String::from_utf8(octets).map_err(|_| Refusal::malformed(name, "text", "other octets").into())
}

/// Who made a signature over the manifest, as the signers say; nobody where there are none to say it.
pub(super) fn signer(
    name: &str,
    signature: &[u8],
    octets: &[u8],
    manifest: &Manifest,
    signers: Option<&[AllowedSigner]>,
) -> Result<Option<String>, BundleError> {
    let refuse = |expected: &str, found: String| Refusal::new(Class::BadSignature, name, expected, found);
    let armoured = std::str::from_utf8(signature).map_err(|_| refuse("text", "other octets".to_owned()))?;
    let claimed = claimed_signer(armoured).map_err(|e| refuse("an OpenSSH signature", e.to_string()))?;
    let namespace = manifest.realm.namespace(manifest::PURPOSE);
    verify(&claimed, &namespace, octets, armoured)
        .map_err(|e| refuse("a signature over this manifest", e.to_string()))?;
    // A file that names somebody who is listed holds that person's signature, or somebody lies.
    let named = name.strip_prefix("manifest.json.").and_then(|rest| rest.strip_suffix(".sig")).unwrap_or_default();
    let listed = |signer: &&AllowedSigner| signer.who == named && signer.namespaces.contains(&namespace);
    let mut theirs = signers.unwrap_or_default().iter().filter(listed).peekable();
    if theirs.peek().is_some() && !theirs.any(|signer| signer.key == claimed) {
        return Err(refuse(&format!("a signature by {named}, as listed"), "one by another key".to_owned()).into());
    }
    let known = signers.unwrap_or_default().iter().find(|signer| signer.key == claimed);
    Ok(known.filter(|signer| signer.namespaces.contains(&namespace)).map(|signer| signer.who.clone()))
}
