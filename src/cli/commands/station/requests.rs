//! `station requests`: collects what the devices of an order ask for, and signs that.

use super::{now, open};
use crate::basics::limits;
use crate::bundles::collect::{self, Source};
use crate::cli::args::station::CollectRequests;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::Order;
use crate::factory::requests::Refused;
use serde_json::json;
use std::path::PathBuf;

pub(super) fn requests(args: &CollectRequests) -> Result<ExitCode, Failure> {
    let station = open(&args.station)?;
    let octets = durable_file::read(&args.order, limits::ORDER_OCTETS)?;
    let order = Order::parse(&octets).map_err(|problems| {
        let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(ExitCode::Refuted, format!("{}: {}", args.order.display(), each.join("; ")))
    })?;
    station.collects_for(&order, now())?;
    let table = durable_file::read(&args.devices, limits::ORDER_OCTETS * 4)?;
    let rows = collect::table(&table).map_err(|e| Failure::new(ExitCode::Usage, e.to_string()))?;
    let certificates = match &args.certificates {
        None => Vec::new(),
        Some(path) => {
            collect::certificates(&durable_file::read(path, limits::SMALL_FILE_OCTETS * 4)?).map_err(|found| {
                Failure::from(format!("{}: expected certificates in PEM, found {found}", path.display()))
            })?
        }
    };
    let beside = args.devices.parent().map_or_else(PathBuf::new, PathBuf::from);
    let source = Source {
        rows: &rows,
        folder: args.folder.as_deref().unwrap_or(&beside),
        order: &order,
        order_digest: Order::digest(&octets),
        certificates: &certificates,
        now: now(),
    };
    let out = std::path::absolute(&args.out).map_err(|e| Failure::from(e.to_string()))?;
    let named = |end: &str| {
        let mut name = out.file_name().unwrap_or_default().to_os_string();
        name.push(end);
        out.with_file_name(name)
    };
    let (body, said) = (named(".requests.cbor"), named(".requests.json"));
    if said.symlink_metadata().is_ok() {
        return Err(Failure::new(ExitCode::Usage, format!("{}: expected no file, found one", said.display())));
    }
    let written = collect::collect(&source, args.leave_out, &body)?;
    for refused in &written.refused {
        output::words(&refusal(refused));
    }
    if !body.is_file() {
        let (refused, count) = (written.refused.len(), rows.len());
        return Err(Failure::new(
            ExitCode::Refuted,
            format!("{refused} of {count} requests would be refused: nothing was written"),
        )
        .with_hint(
            "mend them, or leave them out with --leave-out: an order is carried out once, so they then need another",
        ));
    }
    let signed = station.sign_requests(written.statement)?;
    let octets = signed.to_octets().map_err(|e| Failure::from(e.to_string()))?;
    durable_file::create(&said, &octets)?;
    let digest = crate::basics::Digest::of(&octets);
    let (collected, left_out) = (signed.statement.count, written.refused.len());
    if args.json {
        output::json(&json!({
            "digest": digest, "words": digest.twelve_words(), "count": collected, "left_out": written.refused,
            "statement": said, "requests": body,
        }))?;
    } else {
        output::data(&format!("collected     {collected}, {left_out} left out"));
        output::data(&format!("statement     {}", said.display()));
        output::data(&format!("requests      {}", body.display()));
        output::data(&format!("digest        {digest}"));
        output::data(&format!("words         {}", digest.twelve_words()));
    }
    output::words(
        "both files travel; over the telephone read the words of the statement, which says which file of requests it is about",
    );
    Ok(ExitCode::Done)
}

fn refusal(refused: &Refused) -> String {
    let reasons: Vec<String> = refused.reasons.iter().map(ToString::to_string).collect();
    format!("request {}, {}: {}", refused.request, refused.device, reasons.join("; "))
}
