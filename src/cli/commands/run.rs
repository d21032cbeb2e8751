//! `run`: production. Refuses everything the pinned approvers have not signed for this run.

use crate::basics::{Realm, SafeText, limits};
use crate::cli::args::RunArgs;
use crate::cli::commands::rehearse::{finish, front_end, refuse_existing};
use crate::cli::{ExitCode, Failure, earlier, output};
use crate::devices::clock::{Clock, SystemClock};
use crate::devices::durable_file;
use crate::ledger::{Ledger, LedgerError};
use crate::runner::binding::{Binding, Names};
use crate::runner::recover::{Beginning, Settings};
use crate::runner::room::Room;
use crate::runner::strongrooms::Reach;
use crate::runner::{Folder, Run, production};
use crate::transcript::Signer;
use std::collections::BTreeMap;

/// Runs a script in production.
///
/// # Errors
/// Problems of the script; approval, governance or binding that do not cover it; a ledger that is missing; a folder that exists.
pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let files = earlier::script_after(&args.script, Realm::Production, args.after.as_deref())?;
    earlier::attached(&files.plan)?;
    let vault = earlier::vault(&files.plan, args.after.as_deref(), args.vault.as_deref())?;
    let device_keys = earlier::device_keys(&files.plan, args.after.as_deref())?;
    refuse_existing(&args.out)?;
    let refused = |message: String| {
        Failure::new(ExitCode::EnvironmentRefused, message)
            .with_hint("a production run needs the approval of the pinned approvers for exactly this script: `anchorite approve make`; without one, `anchorite rehearse`")
    };
    let approved =
        production::approved(&args.governance, &args.approval, &files.plan, SystemClock.now()).map_err(refused)?;
    let binding_octets = durable_file::read(&args.binding, limits::SMALL_FILE_OCTETS)
        .map_err(|e| Failure::from(e).with_hint("--binding names a file as in ceremony-scripts/README.md, Binding"))?;
    let binding = Binding::parse(&args.binding.display().to_string(), &binding_octets, &Names::of(&files.plan))?;
    let ledger = Ledger::open(&binding.ledger)?;
    ledger.approval_unused(&approved.approval_digest).map_err(|e| refused(e.to_string()))?;
    ledger.ceremony_is_new(&files.plan.ceremony).map_err(|e| match e {
        LedgerError::CeremonyRun(_) => refused(e.to_string()),
        other => other.into(),
    })?;
    if !files.plan.follows.is_empty() {
        ledger.followed_by_none(&files.plan.previous_head).map_err(|e| match e {
            LedgerError::Followed(_) => Failure::new(ExitCode::EnvironmentRefused, e.to_string())
                .with_hint("set `follows` and `previous_head` to the last ceremony of the chain; one that stopped is ended with `anchorite resume`"),
            other => other.into(),
        })?;
    }
    output::words(&format!("production run of {} in {}", SafeText::of(&files.plan.title), args.out.display()));
    let mut front = front_end(&args.front, false, &args.out)?;
    let folder = Folder::make(&args.out)?;
    let signers = files
        .plan
        .people
        .iter()
        .map(|p| Signer { name: p.name.clone(), person: p.id.clone(), public_key: p.public_key.clone() })
        .collect();
    let beginning = Beginning {
        signers,
        settings: Settings { realm: Realm::Production, seed: String::new(), seeded: false },
        argv: std::env::args_os().skip(1).map(|arg| SafeText::cut(&arg.to_string_lossy(), 300).to_string()).collect(),
        plan: files.plan,
        script: files.script,
        profiles: files.profiles,
        approval_digest: approved.approval_digest.hex(),
        governance_digest: approved.governance_digest.hex(),
        approval_files: approved.files,
        incoming: BTreeMap::new(),
        incoming_files: BTreeMap::new(),
        binding: binding_octets,
        vault,
        device_keys,
        reach: Reach::Processes,
    };
    let run = Run::start(beginning, folder, Room::real(binding), ledger, front.as_mut())?;
    finish(run)
}
