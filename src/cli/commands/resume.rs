//! `resume`: takes up a record where it stopped. The record is read and replayed; nothing else is believed.

use crate::basics::{Realm, limits};
use crate::cli::args::FrontArgs;
use crate::cli::commands::rehearse::{finish, front_end, settings};
use crate::cli::{ExitCode, Failure, earlier, script_files};
use crate::devices::durable_file;
use crate::ledger::Ledger;
use crate::runner::binding::{Binding, Names};
use crate::runner::recover::read_record;
use crate::runner::room::{Rehearsal, Room};
use crate::runner::strongrooms::Reach;
use crate::runner::{Folder, Run, RunError};
use std::path::Path;

/// Goes on in a folder.
///
/// # Errors
/// Where the folder is none of ours, its record does not verify, or the ceremony was aborted.
pub fn resume(root: &Path, front: &FrontArgs) -> Result<ExitCode, Failure> {
    let folder = Folder::at(root);
    folder.has_no_links()?;
    let settings = settings(&folder)?;
    let files =
        script_files::read_after(&folder.evidence(), settings.realm, earlier::recorded(&folder, settings.realm)?)?;
    if !folder.transcript().is_file() {
        return Err(Failure::new(
            ExitCode::Failure,
            format!("{}: the ceremony stopped before its record began; nothing has happened", root.display()),
        )
        .with_hint("remove the folder and start again"));
    }
    // A rehearsal whose people were simulated goes on with simulated people.
    let auto = settings.seeded;
    let mut front = front_end(front, auto, root)?;
    let aborted = |error: RunError| {
        let failure = Failure::from(error);
        if failure.message.contains("was aborted") { Failure { code: ExitCode::Stopped, ..failure } } else { failure }
    };
    match settings.realm {
        Realm::Rehearsal => {
            let seed: u64 =
                settings.seed.parse().map_err(|_| Failure::from("state/run.json: expected a seed".to_owned()))?;
            let ledger = if folder.ledger().exists() {
                Ledger::open(&folder.ledger())?
            } else {
                Ledger::init(&folder.ledger())?
            };
            let begun = files.plan.rehearsed_at;
            let room = |record: &crate::transcript::Record| {
                let last = record.opens().last().map_or(record.header.started, |open| open.time);
                Room::<Rehearsal>::resumed(seed, settings.seeded, last).beginning_at(begun.map(|_| last))
            };
            let run =
                Run::resume(files.plan, folder, room, ledger, Reach::Processes, front.as_mut()).map_err(aborted)?;
            finish(run)
        }
        Realm::Production => {
            let path = folder.state().join("binding.toml");
            let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
            let binding = Binding::parse(&path.display().to_string(), &octets, &Names::of(&files.plan))?;
            let record = read_record(&folder)?;
            if record.header.binding_digest != crate::basics::Digest::of(&octets).hex() {
                return Err(Failure::from(format!("{}: not the binding of the record", path.display())));
            }
            let ledger = Ledger::open(&binding.ledger)?;
            let run =
                Run::resume(files.plan, folder, |_| Room::real(binding), ledger, Reach::Processes, front.as_mut())
                    .map_err(aborted)?;
            finish(run)
        }
    }
}
