//! The child: locks its memory, gives up what it can, and answers frames until its pipe ends. It opens nothing.

use crate::strongroom::protocol::{self, FrameError, Request, Response};
use crate::strongroom::room::{InParts, Room};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_no_new_privs};
use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;

/// The word with which the program starts itself as a strongroom.
pub const ARGUMENT: &str = "strongroom-process";

/// What this process could do against its secrets leaving: said in the transcript, whatever came of it.
#[must_use]
pub fn protect() -> BTreeMap<String, String> {
    fn said<E: std::fmt::Display>(result: Result<(), E>) -> String {
        result.map_or_else(|error| format!("no: {error}"), |()| "yes".to_owned())
    }
    let zero = Rlimit { current: Some(0), maximum: Some(0) };
    BTreeMap::from([
        ("no core dumps".to_owned(), said(setrlimit(Resource::Core, zero))),
        ("not dumpable".to_owned(), said(set_dumpable_behavior(DumpableBehavior::NotDumpable))),
        ("no new privileges".to_owned(), said(set_no_new_privs(true))),
        ("memory locked".to_owned(), said(lock_memory())),
    ])
}

/// Keeps every page of this process out of swap, those to come too. Only where the kernel sets no limit: with one, the process would
/// end in the middle of a ceremony when it needs a page more.
fn lock_memory() -> Result<(), String> {
    let unlimited = getrlimit(Resource::Memlock).current.is_none()
        || capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    if !unlimited {
        return Err("the limit for locked memory: `ulimit -l unlimited` lifts it".to_owned());
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|error| error.to_string())
}

/// What the program with the screen does before anything else: a share being shown or typed passes through it.
pub fn guard_program() {
    // Core dumps are read back by the environment step; for the rest the ceremony goes on as on a machine that grants less.
    let _ = protect();
}

/// Answers frames on standard input until it ends.
///
/// # Errors
/// Where a frame is malformed or the pipe breaks; the process then ends, and its memory with it.
pub fn serve() -> Result<(), FrameError> {
    let protections = protect();
    let mut room = Room::default();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout());
    protocol::widen(&output);
    // The next answer is made while the one before is still being taken; none waits behind another, so that there are two at most.
    let (answers, given) = sync_channel::<InParts>(0);
    std::thread::scope(|scope| {
        let giving = scope.spawn(move || {
            given.iter().try_for_each(|(response, parts)| protocol::write(&mut output, &response, &parts))
        });
        let mut answered = || {
            loop {
                let (request, secret) = match protocol::read::<Request>(&mut input) {
                    Ok(frame) => frame,
                    Err(FrameError::Ended) => return Ok(()),
                    Err(error) => return Err(error),
                };
                let ends = matches!(request, Request::End);
                let mut goes_on = !ends;
                room.answer(request, secret, &mut |(mut response, parts)| {
                    if let Response::Opened { protections: said, .. } = &mut response {
                        said.clone_from(&protections);
                    }
                    // Where the pipe broke nobody gives any more; its error is what ends this process.
                    goes_on &= answers.send((response, parts)).is_ok();
                    goes_on
                });
                if !goes_on {
                    return Ok(());
                }
            }
        };
        let answered = answered();
        drop(answers);
        let given = giving.join().unwrap_or(Err(FrameError::Ended));
        answered.and(given)
    })
}
