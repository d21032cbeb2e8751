//! The child: locks its memory, gives up what it can, and answers frames until its pipe ends. It opens nothing.

use crate::strongroom::protocol::{self, FrameError, Request, Response};
use crate::strongroom::room::Room;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::collections::BTreeMap;

/// The word with which the program starts itself as a strongroom.
pub const ARGUMENT: &str = "strongroom-process";

/// What this process could do against its secrets leaving: said in the transcript, whatever came of it.
#[must_use]
pub fn protect() -> BTreeMap<String, String> {
    let said = |result: Result<(), rustix::io::Errno>| match result {
        Ok(()) => "yes".to_owned(),
        Err(error) => format!("no: {error}"),
    };
    let zero = Rlimit { current: Some(0), maximum: Some(0) };
    BTreeMap::from([
        ("no core dumps".to_owned(), said(setrlimit(Resource::Core, zero))),
        ("not dumpable".to_owned(), said(set_dumpable_behavior(DumpableBehavior::NotDumpable))),
        ("no new privileges".to_owned(), said(rustix::thread::set_no_new_privs(true))),
        ("memory locked".to_owned(), said(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE))),
    ])
}

/// What every process of the program does before anything else, the ones with a screen too: a share being shown or typed passes
/// through them. Locking all memory is left to the strongroom: a screen's process may need more than it is allowed to lock.
pub fn leave_no_dump() {
    // What fails here is found by the environment step, which reads it back.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Answers frames on standard input until it ends.
///
/// # Errors
/// Where a frame is malformed or the pipe breaks; the process then ends, and its memory with it.
pub fn serve() -> Result<(), FrameError> {
    let protections = protect();
    let mut room = Room::default();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    loop {
        let (request, secret) = match protocol::read::<Request>(&mut input) {
            Ok(frame) => frame,
            Err(FrameError::Ended) => return Ok(()),
            Err(error) => return Err(error),
        };
        let ends = matches!(request, Request::End);
        let (mut response, secret) = room.answer(request, secret);
        if let Response::Opened { protections: said, .. } = &mut response {
            said.clone_from(&protections);
        }
        protocol::write(&mut output, &response, secret.as_ref())?;
        if ends {
            return Ok(());
        }
    }
}
