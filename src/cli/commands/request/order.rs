//! `request order make | check`.

use crate::basics::{Digest, Instant, Realm, SafeText, limits};
use crate::cli::args::request::{MakeOrder, OrderVerb};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::clock::{Clock, SystemClock};
use crate::devices::durable_file;
use crate::keys::ssh::allowed_signers;
use crate::pki::request::{Acceptable, Known, Rules, der_of_file, judge};
use crate::script::order::{FORMAT, RequestOrder, SignedOrder, namespace};
use serde_json::json;
use std::path::{Path, PathBuf};

/// # Errors
/// Where a file cannot be read or written, or an order or a request is not one.
pub(super) fn order(verb: OrderVerb) -> Result<ExitCode, Failure> {
    match verb {
        OrderVerb::Make(args) => make(&args),
        OrderVerb::Check { order, signers, realm, request, at, json } => {
            check(&Checked { order, signers, realm: realm.into(), request, at }, json)
        }
    }
}

fn date(name: &str, text: &str) -> Result<Instant, Failure> {
    Instant::parse(text).ok_or_else(|| {
        let found = SafeText::cut(text, 40);
        Failure::new(ExitCode::Usage, format!("--{name}: expected a date like 2026-11-26T09:00:00Z, found {found}"))
    })
}

fn refuted(message: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Refuted, message.to_string())
}

/// A request that nothing speaks against, whatever a script's own rules will say of it.
fn acceptable(path: &Path) -> Result<Acceptable, Failure> {
    let octets = durable_file::read(path, 2 * limits::REQUEST_OCTETS)?;
    let der = der_of_file(&octets).map_err(refuted)?;
    // Letters beyond ASCII are for the script's rules to allow.
    let judgement = judge(&der, &Rules::default(), &Known::default());
    judgement.acceptable.ok_or_else(|| {
        let reasons: Vec<String> = judgement.reasons.iter().map(ToString::to_string).collect();
        refuted(reasons.join("; ")).with_hint("`request check` says more; nothing was written")
    })
}

fn make(args: &MakeOrder) -> Result<ExitCode, Failure> {
    let not_after = date("not-after", &args.not_after)?;
    let request = acceptable(&args.request)?;
    let realm = Realm::from(args.realm);
    let order = RequestOrder {
        format: FORMAT.to_owned(),
        key_sha256: request.key().digest(),
        made: SystemClock.now(),
        not_after,
        profile: args.profile.clone(),
        purpose: args.purpose.clone(),
        realm,
        request_sha256: request.digest(),
        requester: args.requester.clone(),
    };
    let octets = order.to_octets().map_err(|e| Failure::new(ExitCode::Usage, e.to_string()))?;
    let out = std::path::absolute(&args.out).map_err(|e| Failure::from(e.to_string()))?;
    durable_file::create(&out, &octets)?;
    let shown = SafeText::of(&args.out.display().to_string());
    output::data(shown.as_str());
    output::words(&format!("request  {}", request.digest().twelve_words()));
    output::words(&format!("order    {}", Digest::of(&octets).twelve_words()));
    output::words(&format!(
        "sign it with your enrolled key: ssh-keygen -Y sign -n {} -f KEY {shown}; then cat {shown} {shown}.sig is what crosses the gap",
        namespace(realm)
    ));
    Ok(ExitCode::Done)
}

struct Checked {
    order: PathBuf,
    signers: PathBuf,
    realm: Realm,
    request: Option<PathBuf>,
    at: Option<String>,
}

fn check(args: &Checked, json: bool) -> Result<ExitCode, Failure> {
    let now = args.at.as_deref().map_or_else(|| Ok(SystemClock.now()), |text| date("at", text))?;
    let octets = durable_file::read(&args.order, limits::SMALL_FILE_OCTETS)?;
    let signed = SignedOrder::parse(&octets).map_err(refuted)?;
    let signers = durable_file::read(&args.signers, limits::SMALL_FILE_OCTETS)?;
    let signers =
        allowed_signers::parse(&String::from_utf8_lossy(&signers)).map_err(|e| Failure::from(e.to_string()))?;
    let mut problems = signed.problems(args.realm, &signers, now);
    if let Some(request) = &args.request {
        let request = acceptable(request)?;
        problems.extend(signed.differences(request.der(), request.key().digest(), &signed.order.profile));
    }
    let order = &signed.order;
    if json {
        output::json(&json!({
            "good": problems.is_empty(), "problems": problems, "order": order, "sha256": signed.digest(),
            "request_words": order.request_sha256.twelve_words(),
        }))?;
    } else {
        let verdict = if problems.is_empty() { "to be followed" } else { "not to be followed" };
        output::data(&format!("{}: {verdict}", SafeText::of(&args.order.display().to_string())));
        for (label, value) in [
            ("requester", order.requester.clone()),
            ("profile", order.profile.clone()),
            ("purpose", order.purpose.clone()),
            ("made", order.made.rfc3339()),
            ("not after", order.not_after.rfc3339()),
            ("request", order.request_sha256.twelve_words()),
            ("", order.request_sha256.grouped()),
            ("key", order.key_sha256.grouped()),
        ] {
            output::data(&format!("  {label:<10} {}", SafeText::of(&value)));
        }
        problems.iter().for_each(|problem| output::data(&format!("  problem    {problem}")));
    }
    Ok(if problems.is_empty() { ExitCode::Done } else { ExitCode::Refuted })
}
