//! `ledger delegated`, and devices whose certificates a factory's own authority issued: they are in its logs, which the ceremony side keeps.

use crate::basics::SafeText;
use crate::basics::digest::hex_encode;
use crate::bundles::logged;
use crate::cli::commands::ledger::none_known;
use crate::cli::{ExitCode, Failure, output};
use crate::ledger::{DelegatedReport, Ledger};
use crate::pki::{Certificate, pem};
use serde_json::json;
use std::path::Path;

/// Every authority in a factory's module, or those of one factory.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn delegated(path: &Path, factory: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let ledger = Ledger::open(path)?;
    let found = ledger.delegated(factory)?;
    if as_json {
        return output::json(&found);
    }
    if found.is_empty() {
        none_known(&ledger, path, "authority in a factory's own module", factory)?;
    }
    let safe = |text: &str| SafeText::cut(text, 80).to_string();
    for one in &found {
        let (name, factory, product) = (safe(&one.name), safe(&one.factory), safe(&one.product));
        output::data(&format!("{factory} {name}: {} {product} logged of {} ordered", one.logged, one.ordered));
        let ends = if one.not_after.is_empty() { "never certified" } else { &one.not_after };
        output::data(&format!("  order   {} by {}, to be done {}", one.order, safe(&one.ceremony), one.expires));
        output::data(&format!("  ends    {ends}"));
        if let Some((list, since)) = one.revoked {
            output::data(&format!("  revoked on list {list} of {since}: nothing that it issued stands"));
        }
        for log in &one.logs {
            output::data(&format!(
                "  log     {} of {}: {} certificates, by {}",
                log.sequence,
                log.made,
                log.count,
                safe(&log.ceremony)
            ));
        }
        for finding in &one.findings {
            let told = if finding.explained.is_empty() { "OPEN".to_owned() } else { safe(&finding.explained) };
            output::data(&format!("  finding {} ({told})", SafeText::of(&finding.finding)));
        }
    }
    Ok(())
}

/// Adds what is known of a device from logs; names logs that are not in the folder.
///
/// # Errors
/// Where the ledger cannot be read, or a file is not the log that the factory signed.
pub(super) fn find(
    ledger: &Ledger,
    issued: &Path,
    wanted: &str,
    found: &mut Vec<serde_json::Value>,
    unknown: &mut Vec<String>,
) -> Result<(), Failure> {
    for authority in ledger.delegated(None)? {
        for log in &authority.logs {
            let path = issued.join(logged::name(&log.sha256));
            if !path.is_file() {
                unknown.push(format!("log {} of {}", log.sequence, authority.name));
                continue;
            }
            let (mut place, mut here) = (0_u32, Vec::new());
            let (_, sha256) = logged::each(&path, &mut |der| {
                if let Ok(certificate) = Certificate::parse(der)
                    && certificate.subject().ok().and_then(|of| of.serial_number).as_deref() == Some(wanted)
                {
                    here.push((place, certificate));
                }
                place += 1;
            })?;
            if sha256 != log.sha256 {
                let name = path.display();
                return Err(Failure::new(
                    ExitCode::Refuted,
                    format!("{name}: not the log that the factory signed: {sha256}"),
                )
                .with_hint("take the file from another copy of the folder `issued`"));
            }
            for (place, certificate) in here {
                found.push(told(&authority, (log.sequence, place), wanted, &certificate)?);
            }
        }
    }
    Ok(())
}

fn told(
    of: &DelegatedReport,
    (number, place): (u64, u32),
    device: &str,
    certificate: &Certificate,
) -> Result<serde_json::Value, Failure> {
    let log = of.logs.iter().find(|log| log.sequence == number);
    Ok(json!({
        "format": "anchorite-logged-device/1",
        "device": device,
        "factory": of.factory,
        "order": of.order, "product": of.product, "sku": of.sku, "firmware": of.firmware, "mode": "delegated",
        "made": {"authority": of.name, "chain": of.chain, "root": of.chain.last(), "certificate": of.certificate, "ceremony": of.ceremony},
        "log": log.map(|log| json!({
            "number": number, "place": place, "sha256": log.sha256, "statement": log.statement, "made": log.made, "checked": log.ceremony,
        })),
        "certificate": pem::to_pem(pem::CERTIFICATE, certificate.der()).map_err(|e| Failure::from(e.to_string()))?,
        "serial": hex_encode(certificate.serial()),
        "not_after": certificate.not_after(),
        "revoked": of.revoked.map(|(list, since)| json!({"authority": of.name, "crl": list, "this_update": since})),
    }))
}
