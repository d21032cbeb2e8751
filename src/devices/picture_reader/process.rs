//! The child: gives up what it can, then answers requests until its pipe ends.

use super::protocol::{self, Answer, Request};
use crate::basics::limits;
use crate::devices::picture_file;
use crate::transfer::picture::{self, Luma};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::process::{set_dumpable_behavior, set_parent_process_death_signal, setrlimit};
use rustix::thread::set_no_new_privs;
use std::time::{Duration, Instant};

/// The word with which the program starts itself as a picture reader.
pub const ARGUMENT: &str = "picture-process";

/// Answers on standard input and output until the pipe ends.
///
/// # Errors
/// Where a limit cannot be set, a request is malformed or the pipe breaks; the process then ends.
pub fn serve() -> std::io::Result<()> {
    give_up()?;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    while let Some((request, octets)) = protocol::read_request(&mut input)? {
        protocol::write_answer(&mut output, &answer(&request, &octets))?;
    }
    Ok(())
}

/// From here on: little memory and time, no new file, process or privilege, no core, and not longer than whoever started it.
fn give_up() -> std::io::Result<()> {
    let most = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    for (resource, value) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::As, limits::PICTURE_PROCESS_OCTETS),
        (Resource::Cpu, limits::PICTURE_PROCESS_SECONDS),
        // Descriptors from here on: none. Those that are open stay.
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ] {
        setrlimit(resource, most(value))?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

pub(super) fn answer(request: &Request, octets: &[u8]) -> Answer {
    let (luma, milliseconds) = match *request {
        Request::Picture { milliseconds } => (picture_file::decode(octets), milliseconds),
        Request::Grey { width, height, milliseconds } => {
            (Luma::new(width, height, octets.to_vec()).map_err(Into::into), milliseconds)
        }
    };
    match luma {
        Ok(luma) => {
            let end = Instant::now() + Duration::from_millis(milliseconds);
            Answer::of(picture::read_codes(&luma, &mut || Instant::now() < end))
        }
        Err(error) => Answer::Refused { error },
    }
}
