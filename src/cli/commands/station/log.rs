//! `station log`: what an authority in the factory's own module has issued, judged as the ceremony will, and signed.

use super::{now, open};
use crate::basics::{Digest, limits};
use crate::bundles::logged;
use crate::cli::args::station::SignLog;
use crate::cli::commands::bundle::log::{Delegated, tell};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::issuance_log::{LogCheck, LogStatement};
use serde_json::json;

pub(super) fn log(args: &SignLog) -> Result<ExitCode, Failure> {
    let station = open(&args.station)?;
    let of = Delegated::read(&args.of)?;
    let refuted = |e: String| Failure::new(ExitCode::Refuted, e);
    if args.out.symlink_metadata().is_ok() {
        return Err(Failure::new(ExitCode::Usage, format!("{}: expected no file, found one", args.out.display())));
    }
    let before = match &args.after {
        None => None,
        Some(path) => Some(durable_file::read(path, limits::SMALL_FILE_OCTETS)?),
    };
    let mut check = LogCheck::new(&of.order, &of.issuer, &of.profile);
    for earlier in &args.of.earlier {
        logged::each(earlier, &mut |der| check.earlier(der))?;
    }
    let mut count = 0_u32;
    let (size, sha256) = logged::each(&args.log, &mut |der| {
        count += 1;
        check.logged(der);
    })?;
    let log = (count, size, sha256);
    let signed = station.sign_log((&of.order, &of.digest), &of.issuer.digest(), before.as_deref(), log, now())?;
    let octets = signed.to_octets().map_err(|e| Failure::from(e.to_string()))?;
    // As the ceremony reads it, so that nothing is carried there in vain.
    LogStatement::read(&octets, of.order.realm).map_err(|e| refuted(e.to_string()))?;
    let statement = &signed.statement;
    if statement.sequence > 1 && args.of.earlier.is_empty() {
        output::words(&format!(
            "this is log number {}: without those before it (--earlier) nothing is compared with what is in them, and it is counted alone",
            statement.sequence
        ));
    }
    check.finish(statement);
    if !check.incidents.is_empty() && !args.with_incidents {
        tell(&check.incidents);
        return Err(refuted(format!("{} incidents: nothing was written", check.incidents.len())).with_hint(
            "mend the log where the log is wrong; where the module did this, tell the ceremony side and sign with --with-incidents",
        ));
    }
    durable_file::create(&args.out, &octets)?;
    let digest = Digest::of(&octets);
    if args.json {
        output::json(&json!({
            "digest": digest, "words": digest.twelve_words(), "sequence": statement.sequence, "count": count,
            "incidents": check.incidents, "statement": args.out,
        }))?;
    } else {
        output::data(&format!(
            "log           number {}, {count} certificates, {} ordered",
            statement.sequence, of.order.count
        ));
        tell(&check.incidents);
        output::data(&format!("statement     {}", args.out.display()));
        output::data(&format!("digest        {digest}"));
        output::data(&format!("words         {}", digest.twelve_words()));
    }
    output::words(
        "both files travel; over the telephone read the words of the statement, which says which log it is about",
    );
    Ok(ExitCode::Done)
}
