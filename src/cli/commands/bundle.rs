//! `bundle`: what anyone can say of a bundle without opening a shard.

pub(super) mod log;
mod requests;

use crate::basics::{Digest, SafeText, limits};
use crate::bundles::{self, BundleError, Expected};
use crate::cli::args::bundle::{BundleVerb, CheckBundle};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::DeviceId;
use crate::keys::ssh::allowed_signers;
use serde_json::json;
use std::path::Path;

/// Checks a bundle, or proves that a device is in it.
///
/// # Errors
/// The first thing that is wrong, by name.
pub fn bundle(verb: BundleVerb) -> Result<ExitCode, Failure> {
    match verb {
        BundleVerb::Check(args) => check(&args),
        BundleVerb::Prove { folder, device, json } => prove(&folder, &device, json),
        BundleVerb::Log(args) => log::log(&args),
        BundleVerb::Requests(args) => requests::requests(&args),
        BundleVerb::Sign { folder, who, signature, signers, json } => sign(&folder, &who, &signature, &signers, json),
        BundleVerb::Split { folder, to, most } => {
            for part in bundles::split(&folder, &to, most)? {
                output::data(&format!("{}: {} files, {} octets", part.folder.display(), part.files, part.octets));
            }
            Ok(ExitCode::Done)
        }
        BundleVerb::Join { parts, out } => {
            let manifest = bundles::join(&parts, &out)?;
            output::data(&format!("{}: bundle {}, {} records", out.display(), manifest.bundle, manifest.count));
            output::words("put together and as its manifest lists; `anchorite bundle check` says the rest");
            Ok(ExitCode::Done)
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::File(error) => error.into(),
            BundleError::Refused(refusal) => Self::new(ExitCode::Refuted, refusal.to_string()).with_hint(
                "nothing was changed; use no part of this bundle, and tell whoever made it what is said here",
            ),
            other => Self::new(ExitCode::Failure, other.to_string()),
        }
    }
}

fn check(args: &CheckBundle) -> Result<ExitCode, Failure> {
    let (folder, as_json) = (&args.folder, args.json);
    let usage = |message: String| Failure::new(ExitCode::Usage, message);
    let trusted = match &args.signers {
        Some(path) => {
            let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS)?;
            let parsed = allowed_signers::parse(&String::from_utf8_lossy(&octets));
            Some(parsed.map_err(|e| usage(format!("{}: {e}", path.display())))?)
        }
        None => None,
    };
    let order = args.order.as_deref().map(|hex| {
        Digest::parse(hex)
            .ok_or_else(|| usage("--order: expected 64 hexadecimal digits, found another text".to_owned()))
    });
    let before =
        args.after.as_deref().map(|path| durable_file::read(path, limits::BUNDLE_MANIFEST_OCTETS)).transpose()?;
    let expected = Expected {
        factory: args.factory.as_deref(),
        order: order.transpose()?,
        recipient: args.recipient.as_deref(),
        after: before.as_deref(),
    };
    let checked = bundles::check(folder, trusted.as_deref(), args.threshold.max(1))?;
    checked.expect(&expected).map_err(BundleError::from)?;
    let safe = |text: &str| SafeText::cut(text, 200).to_string();
    let manifest = &checked.manifest;
    if as_json {
        output::json(&json!({
            "digest": checked.digest, "words": checked.digest.twelve_words(), "manifest": manifest,
            "signatures": checked.signatures, "signed_by": checked.signed_by, "issuer": safe(&checked.issuer),
            "root": safe(&checked.root), "root_sha256": checked.root_digest, "pinned": trusted.is_some(),
        }))?;
    } else {
        output::data(&format!("bundle {} ({}), number {}", manifest.bundle, manifest.realm, manifest.sequence));
        let (count, shards) = (manifest.count, manifest.shards());
        output::data(&format!("  {count} {} identities in {shards} shards, all as listed", manifest.mode));
        output::data(&format!(
            "  for {}: {} {}",
            safe(&manifest.factory),
            safe(&manifest.product),
            safe(&manifest.sku)
        ));
        output::data(&format!("  until {}", manifest.expires.rfc3339()));
        output::data(&format!("  manifest {}", checked.digest.grouped()));
        output::data(&format!("           {}", checked.digest.twelve_words()));
        output::data(&format!("  issued by {}", safe(&checked.issuer)));
        output::data(&format!("  under {} {}", safe(&checked.root), checked.root_digest));
        let signed_by: Vec<String> = checked.signed_by.iter().map(|who| safe(who)).collect();
        output::data(&format!(
            "  signed by {}",
            if signed_by.is_empty() { "?".to_owned() } else { signed_by.join(", ") }
        ));
    }
    if trusted.is_some() {
        return Ok(ExitCode::Done);
    }
    let count = checked.signatures;
    output::words(&format!(
        "consistent, and {count} signatures verify, but nothing says whose they are: --signers FILE"
    ));
    Ok(ExitCode::Unpinned)
}

fn sign(folder: &Path, who: &str, signature: &Path, signers: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let octets = durable_file::read(signers, limits::SMALL_FILE_OCTETS)?;
    let known = allowed_signers::parse(&String::from_utf8_lossy(&octets))
        .map_err(|e| Failure::new(ExitCode::Usage, format!("{}: {e}", signers.display())))?;
    let armoured = durable_file::read(signature, limits::SMALL_FILE_OCTETS)?;
    let (digest, signed_by) = bundles::sign(folder, who, &armoured, &known)?;
    if as_json {
        output::json(&json!({"manifest": digest, "signed_by": signed_by}))?;
    } else {
        output::data(&format!("{} has signed manifest {}", SafeText::cut(who, 60), digest.grouped()));
        output::data(&format!("signed by {}", signed_by.join(", ")));
    }
    Ok(ExitCode::Done)
}

fn prove(folder: &Path, device: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let device = DeviceId::parse(device).map_err(|e| Failure::new(ExitCode::Usage, e.to_string()))?;
    let Some(proof) = bundles::prove(folder, &device)? else {
        return Err(Failure::new(ExitCode::Refuted, format!("{device} is not in this bundle")));
    };
    if as_json {
        output::json(&proof)?;
    } else {
        output::data(&format!("{device}: record {} of {}, in shard {}", proof.record, proof.count, proof.shard));
        output::data(&format!("  leaf {}", proof.leaf));
        for sibling in &proof.siblings {
            output::data(&format!("       {sibling}"));
        }
        output::data(&format!("  root {}", proof.root));
    }
    Ok(ExitCode::Done)
}
