//! A signature over a bundle's manifest comes in: made on its signer's own device (`ssh-keygen -Y sign -n bundle@anchorite`), checked
//! here, and put beside the manifest under the signer's name. No key is asked for, and nothing is overwritten.

use super::BundleError;
use super::check::{only_listed, signer};
use crate::basics::{Digest, limits};
use crate::devices::durable_file;
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use std::path::Path;

/// Adds the signature of `who`; gives the digest of the manifest that was signed and who has signed by now.
///
/// # Errors
/// Where the signers do not list `who` for manifests of this realm, the signature is not theirs over this manifest, or theirs is there.
pub fn sign(
    folder: &Path,
    who: &str,
    armoured: &[u8],
    signers: &[AllowedSigner],
) -> Result<(Digest, Vec<String>), BundleError> {
    let octets = durable_file::read(&folder.join(manifest::NAME), limits::BUNDLE_MANIFEST_OCTETS)?;
    let made = Manifest::parse(&octets)?;
    let namespace = made.realm.namespace(manifest::PURPOSE);
    let known: Vec<&str> =
        signers.iter().filter(|s| s.namespaces.contains(&namespace)).map(|signer| signer.who.as_str()).collect();
    if !known.contains(&who) {
        let expected = format!("one of {}, who are listed for {namespace}", known.join(", "));
        return Err(Refusal::new(Class::BadSignature, "signer", expected, who).into());
    }
    let name = manifest::signature_name(who);
    let theirs = signer(&name, armoured, &octets, &made, Some(signers))?;
    if theirs.as_deref() != Some(who) {
        let found = theirs.unwrap_or_else(|| "one by a key that nobody listed has".to_owned());
        return Err(Refusal::new(Class::BadSignature, &name, format!("a signature by {who}"), found).into());
    }
    durable_file::create(&folder.join(&name), armoured)?;
    let mut signed_by = Vec::new();
    for name in only_listed(folder, &made)? {
        let signature = durable_file::read(&folder.join(&name), limits::SMALL_FILE_OCTETS)?;
        signed_by.extend(signer(&name, &signature, &octets, &made, Some(signers))?);
    }
    signed_by.sort();
    signed_by.dedup();
    Ok((Digest::of(&octets), signed_by))
}
