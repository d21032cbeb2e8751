//! `ledger bundles`, `ledger device`, `ledger devices`: what became of every identity. The ledger knows bundles, records and receipts by
//! number; which device a record is of stands in what was kept of the bundle, which proves itself by the manifest's root.

use crate::basics::digest::hex_encode;
use crate::basics::{Digest, SafeText, limits};
use crate::bundles::{self, kept};
use crate::cli::args::{LedgerDevice, LedgerDevices};
use crate::cli::commands::ledger::{logged, none_known};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::order::{Order, Replaced};
use crate::factory::{IssuedRecord, Lineage, Listed, Mode, Outcome, Places, Refusal, State, hardware, merkle};
use crate::ledger::{BundleReport, Ledger};
use crate::pki::{Certificate, pem};
use serde_json::json;
use std::path::Path;

/// Devices of one bundle that are told of at once.
const MOST_FOUND: usize = 16;

/// Every bundle, or those of a factory.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn bundles(path: &Path, factory: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let ledger = Ledger::open(path)?;
    let found = ledger.bundles(factory)?;
    if as_json {
        return output::json(&found);
    }
    if found.is_empty() {
        none_known(&ledger, path, "bundle", factory)?;
    }
    for bundle in &found {
        let safe = |text: &str| SafeText::cut(text, 80).to_string();
        let (name, factory, product) = (safe(&bundle.name), safe(&bundle.factory), safe(&bundle.product));
        output::data(&format!("{factory} {name} ({}): {} {product}, {}", bundle.realm, bundle.count, bundle.bundle));
        output::data(&format!("  issued  {} by {} of {}", bundle.issued, bundle.authority, safe(&bundle.ceremony)));
        output::data(&format!("  expires {}", bundle.expires));
        match &bundle.receipt {
            None => output::data("  receipt none"),
            Some(receipt) => {
                let states: Vec<String> = receipt
                    .states
                    .iter()
                    .filter(|(_, count)| **count > 0)
                    .map(|(state, count)| format!("{count} {state}"))
                    .collect();
                output::data(&format!("  receipt {} of {}: {}", receipt.sequence, receipt.made, states.join(", ")));
                let verified = receipt.states.get(&State::Verified).copied().unwrap_or(0);
                output::data(&format!("  yield   {verified} verified of {} drawn", bundle.drawn));
                for (class, count) in &receipt.refusals {
                    output::data(&format!("  refused {count}: {}", safe(class)));
                }
            }
        }
        let revoked: u32 = bundle.revoked.iter().map(|group| group.records.count()).sum();
        output::data(&format!(
            "  {} proven ({} of attested keys), {revoked} revoked, {} open",
            bundle.proven,
            bundle.attested,
            bundle.open.count()
        ));
        for group in &bundle.revoked {
            let (records, reason, date, hours) = (&group.records, &group.reason, group.date, group.hours);
            let with = group.authority.as_ref().map_or_else(String::new, |of| format!(" with authority {}", safe(of)));
            output::data(&format!(
                "  revoked {records}{with}: {reason} since {date}, on list {} {hours} hours later",
                group.crl
            ));
        }
        for finding in &bundle.findings {
            let told = if finding.explained.is_empty() { "OPEN".to_owned() } else { safe(&finding.explained) };
            output::data(&format!("  finding {} ({told})", SafeText::of(&finding.finding)));
        }
    }
    Ok(())
}

/// Everything about a device.
///
/// # Errors
/// Where it is in no bundle, or what was kept of one is not its own.
pub fn device(args: &LedgerDevice) -> Result<ExitCode, Failure> {
    let wanted = SafeText::cut(&args.device, 120);
    let (mut found, mut unknown, mut became) = (Vec::new(), Vec::new(), false);
    let ledger = Ledger::open(&args.ledger)?;
    for bundle in ledger.bundles(None)? {
        let path = args.issued.join(kept::name(&bundle.bundle));
        if !path.is_file() {
            unknown.push(bundle.name.clone());
            continue;
        }
        for record in find(&path, &bundle, &args.device)? {
            let outcome = args.outcomes.as_deref().map(|at| outcome(at, &bundle, record.index)).transpose()?.flatten();
            became |= outcome.is_some();
            found.push(told(&path, &bundle, &record, outcome.as_ref())?);
        }
    }
    logged::find(&ledger, &args.issued, &args.device, &mut found, &mut unknown)?;
    if !unknown.is_empty() {
        let folder = args.issued.display();
        output::words(&format!(
            "{folder}: nothing was kept here of {}; the device may be in one of them",
            unknown.join(", ")
        ));
    }
    if found.is_empty() {
        return Err(Failure::new(ExitCode::Failure, format!("{wanted}: in no bundle or log that was looked at")).with_hint(
            "--issued names the folder with what was kept of bundles and logs: `issued` of the ceremonies that made or checked them",
        ));
    }
    if let (Some(outcomes), false) = (&args.outcomes, became) {
        output::words(&format!(
            "{}: not the outcomes of the last receipt of a bundle that the device is in: they say nothing here",
            outcomes.display()
        ));
    }
    if args.json {
        output::json(&found)?;
    } else {
        found.iter().for_each(lines);
    }
    Ok(ExitCode::Done)
}

/// The records of a device, in a file that is the bundle's to its last octet: by its device id, or by a hardware id of any kind, or of one
/// kind as `KIND=ID`; a device id is written in one way, a hardware id found in whatever spelling.
fn find(path: &Path, bundle: &BundleReport, wanted: &str) -> Result<Vec<IssuedRecord>, Failure> {
    let mut found = Vec::new();
    let root = each(path, bundle, |record| {
        if record.device.as_str() == wanted || has_hardware(&record, wanted)? {
            found.push(record);
        }
        // A hardware id is of one device of a bundle; several devices have it where its kind is left out.
        if found.len() > MOST_FOUND {
            let message = format!("more than {MOST_FOUND} devices of bundle {} have this: name its kind", bundle.name);
            return Err(Failure::new(ExitCode::Usage, message).with_hint("like mac=00124b000001"));
        }
        Ok(())
    })?;
    if root != bundle.records_root {
        return Err(not_its_own(path, bundle));
    }
    Ok(found)
}

fn has_hardware(record: &IssuedRecord, wanted: &str) -> Result<bool, Failure> {
    let refused = |refusal: Refusal| Failure::from(bundles::BundleError::Refused(refusal));
    let lineage = Lineage::parse(&record.lineage).map_err(refused)?;
    let (of, id) = wanted.split_once('=').map_or((None, wanted), |(kind, id)| (Some(kind), id));
    Ok(lineage.hardware.iter().any(|(kind, found)| {
        of.is_none_or(|of| of == kind) && hardware::same_for(kind, found) == hardware::same_for(kind, id)
    }))
}

fn not_its_own(path: &Path, bundle: &BundleReport) -> Failure {
    let (shown, name) = (path.display(), &bundle.name);
    Failure::new(ExitCode::Refuted, format!("{shown}: not the records of bundle {name}: they have another root"))
        .with_hint("take the file from another copy of the folder `issued`")
}

fn each(
    path: &Path,
    bundle: &BundleReport,
    mut take: impl FnMut(IssuedRecord) -> Result<(), Failure>,
) -> Result<Digest, Failure> {
    let mut records = kept::Records::open(path)?;
    if (records.header.realm, records.header.bundle, records.header.count)
        != (bundle.realm, bundle.bundle, bundle.count)
    {
        return Err(not_its_own(path, bundle));
    }
    while let Some(record) = records.next_record()? {
        take(record)?;
    }
    Ok(records.root())
}

/// What the last receipt said of a record, from its outcomes.
fn outcome(path: &Path, bundle: &BundleReport, index: u32) -> Result<Option<Outcome>, Failure> {
    let Some(receipt) = &bundle.receipt else { return Ok(None) };
    let octets = durable_file::read(path, limits::OUTCOMES_OCTETS)?;
    if Digest::of(&octets) != receipt.outcomes {
        // Those of another bundle: a device may be in several.
        return Ok(None);
    }
    let refused = |refusal: Refusal| Failure::from(bundles::BundleError::Refused(refusal));
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let (outcome, used) = Outcome::read(rest).map_err(refused)?;
        if outcome.index == index {
            return Ok(Some(outcome));
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    Ok(None)
}

fn told(
    path: &Path,
    bundle: &BundleReport,
    record: &IssuedRecord,
    outcome: Option<&Outcome>,
) -> Result<serde_json::Value, Failure> {
    let refused = |refusal: Refusal| Failure::from(bundles::BundleError::Refused(refusal));
    let certificate = Certificate::parse(&record.certificate).map_err(|e| Failure::from(e.to_string()))?;
    let lineage = Lineage::parse(&record.lineage).map_err(refused)?;
    let mut records = kept::Records::open(path)?;
    let (realm, id) = (bundle.realm, bundle.bundle);
    // A record that cannot be read ends the tree, and then there is no proof.
    let leaves = std::iter::from_fn(|| records.next_record().ok().flatten());
    let leaves = leaves.map(|record| merkle::leaf(record.digest(realm, &id).octets()));
    let siblings = merkle::proof(u64::from(record.index), u64::from(bundle.count), leaves);
    let siblings = siblings.ok_or_else(|| not_its_own(path, bundle))?;
    let digest = record.digest(realm, &id);
    let account = bundle.receipt.as_ref().and_then(|receipt| receipt.account.as_ref());
    let state = account.and_then(|account| account.records.iter().find(|(_, of)| of.contains(record.index)));
    let is_in = |places: Option<&Places>| places.is_some_and(|places| places.contains(record.index));
    let revoked = bundle.revoked.iter().find(|group| group.records.contains(record.index));
    Ok(json!({
        "format": "anchorite-device/1",
        "device": record.device,
        "realm": realm,
        "bundle": {
            "id": id, "name": bundle.name, "factory": bundle.factory, "sequence": bundle.sequence, "order": bundle.order,
            "product": bundle.product, "sku": bundle.sku, "mode": bundle.mode, "issued": bundle.issued, "expires": bundle.expires,
        },
        "record": record.index,
        "shard": record.index / bundle.shard_records.max(1),
        "made": {
            "ceremony": bundle.ceremony, "authority": bundle.authority, "chain": bundle.chain, "root": bundle.chain.last(),
            "quorum": bundle.quorum, "opened_by": bundle.opened_by,
        },
        "certificate": pem::to_pem(pem::CERTIFICATE, &record.certificate).map_err(|e| Failure::from(e.to_string()))?,
        "serial": hex_encode(certificate.serial()),
        "not_after": certificate.not_after(),
        "firmware": lineage.firmware,
        "hardware": lineage.hardware,
        "replaces": lineage.replaces.as_deref().map(hex_encode),
        "lineage": hex_encode(&record.lineage),
        "receipt": bundle.receipt.as_ref().map(|receipt| json!({"number": receipt.sequence, "made": receipt.made, "sha256": receipt.sha256})),
        "state": state.map(|(state, _)| state),
        "drawn": outcome.map(|outcome| json!({"line": outcome.line, "changed": outcome.changed})),
        "proven": is_in(account.map(|account| &account.proven)),
        "attested": is_in(account.map(|account| &account.attested)),
        "revoked": revoked.map(|group| json!({
            "authority": group.authority, "reason": group.reason, "date": group.date, "crl": group.crl, "this_update": group.this_update, "ceremony": group.ceremony,
        })),
        "proof": {
            "manifest": bundle.manifest, "count": bundle.count, "leaf": merkle::leaf(digest.octets()), "siblings": siblings,
            "root": bundle.records_root,
        },
    }))
}

/// The same for people: every value under its path.
fn lines(told: &serde_json::Value) {
    fn under(path: &str, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                under(&path, value);
            }),
            serde_json::Value::Null => output::data(&format!("{path}: not known")),
            serde_json::Value::String(text) if text.starts_with("-----BEGIN") => {}
            serde_json::Value::String(text) => output::data(&format!("{path}: {}", SafeText::of(text))),
            serde_json::Value::Number(at)
                if ["issued", "expires", "not_after", "made", "changed", "date", "this_update"]
                    .iter()
                    .any(|end| path.ends_with(end)) =>
            {
                output::data(&format!("{path}: {}", crate::basics::Instant(at.as_u64().unwrap_or(0))));
            }
            other => output::data(&format!("{path}: {}", SafeText::of(&other.to_string()))),
        }
    }
    under("", told);
}

/// Devices that got a firmware version, and the order for their next certificates.
///
/// # Errors
/// Where there are none, they are in several bundles of which one order cannot speak, or the order's file exists.
pub fn devices(args: &LedgerDevices) -> Result<ExitCode, Failure> {
    let known = Ledger::open(&args.ledger)?.bundles(args.factory.as_deref())?;
    let mut listed = Vec::new();
    let mut of: Vec<(BundleReport, Vec<Listed>, Places)> = Vec::new();
    for bundle in known.into_iter().filter(|bundle| bundle.firmware == args.firmware) {
        let path = args.issued.join(kept::name(&bundle.bundle));
        let (mut ids, mut places) = (Vec::new(), Places::default());
        let root = each(&path, &bundle, |record| {
            let mut of = bundle.revoked.iter().filter(|group| group.records.contains(record.index)).peekable();
            let revoked = of.peek().is_some();
            // Whose authority was withdrawn did nothing wrong: it gets another certificate.
            let withdrawn = of.any(|group| group.authority.is_none());
            let serial = crate::pki::serial::of(&bundle.serial_seed, record.index).map_err(Failure::from)?;
            listed.push(json!({
                "device": record.device, "bundle": bundle.name, "record": record.index, "serial": hex_encode(&serial), "revoked": revoked,
            }));
            // What was withdrawn gets no new certificate unasked.
            if !withdrawn {
                places.push(record.index).map_err(Failure::from)?;
                let lineage = Lineage::parse(&record.lineage)
                    .map_err(|refusal| Failure::from(bundles::BundleError::Refused(refusal)))?;
                ids.push(Listed { id: record.device, hardware: lineage.hardware });
            }
            Ok(())
        })?;
        if root != bundle.records_root {
            return Err(not_its_own(&path, &bundle));
        }
        of.push((bundle, ids, places));
    }
    if of.is_empty() {
        let firmware = SafeText::cut(&args.firmware, 64);
        return Err(Failure::new(
            ExitCode::Failure,
            format!("firmware {firmware}: no bundle of this ledger was made for it"),
        ));
    }
    if let (Some(like), Some(order)) = (&args.like, &args.order) {
        let octets = durable_file::read(like, limits::ORDER_OCTETS)?;
        let digest = Order::digest(&octets);
        let made = of.into_iter().find(|(bundle, ..)| bundle.order == digest);
        let (bundle, ids, places) = made.ok_or_else(|| {
            Failure::new(
                ExitCode::Usage,
                format!("{}: no bundle for this firmware was made under this order", like.display()),
            )
            .with_hint("one order replaces the certificates of one bundle: name the order of each in turn")
        })?;
        if ids.is_empty() {
            let name = &bundle.name;
            return Err(Failure::new(
                ExitCode::Failure,
                format!("bundle {name}: every certificate of it was revoked: nothing is left to be replaced"),
            ));
        }
        let parsed = Order::parse(&octets).map_err(|problems| {
            let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::from(each.join("; "))
        })?;
        let replaces = Some(Replaced { bundle: bundle.bundle, records: places });
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        // What is injected keeps its hardware ids; devices that make their keys say them anew in their requests.
        let has = parsed.mode == Mode::Injected && ids.iter().any(|device| !device.hardware.is_empty());
        let (hardware_ids, named) = match has {
            true => (None, ids),
            false => (Some(ids.into_iter().map(|device| device.id).collect()), Vec::new()),
        };
        let next = Order { count, devices: None, hardware_ids, named, replaces, ..parsed };
        durable_file::create(order, next.to_toml().as_bytes())?;
        let (name, shown) = (&bundle.name, order.display());
        output::words(&format!(
            "{shown}: an order for {count} devices of bundle {name}; set firmware, dates and expiry before it is signed"
        ));
    }
    if args.json {
        output::json(&listed)?;
    } else {
        for device in &listed {
            let text = |key: &str| {
                device
                    .get(key)
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    .unwrap_or_default()
            };
            let revoked = if text("revoked") == "true" { " revoked" } else { "" };
            output::data(&format!(
                "{} {} {} {}{revoked}",
                text("device"),
                text("bundle"),
                text("record"),
                text("serial")
            ));
        }
    }
    Ok(ExitCode::Done)
}
