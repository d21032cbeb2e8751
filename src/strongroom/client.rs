//! The runner's side: starts the child from this very program, with no environment and no arguments but one word, and
//! exchanges frames with it.

use crate::basics::Secret;
use crate::strongroom::process::ARGUMENT;
use crate::strongroom::protocol::{self, FrameError, Request, Response};
use crate::strongroom::room::Room;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A strongroom to talk to.
pub struct Strongroom(Reached);

enum Reached {
    Process {
        child: Child,
        input: ChildStdin,
        output: ChildStdout,
    },
    /// The same room in this process: for tests.
    InProcess(Box<Room>),
}

impl Strongroom {
    /// Starts the process.
    ///
    /// # Errors
    /// Where the program cannot start itself.
    pub fn start() -> Result<Self, FrameError> {
        // /proc/self/exe is this very program even where its file has been replaced since.
        let mut child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self(Reached::Process { child, input, output })),
            _ => Err(FrameError::Ended),
        }
    }

    /// A room in this process, answering the same requests.
    #[must_use]
    pub fn in_process() -> Self {
        Self(Reached::InProcess(Box::default()))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Where the process has ended or says something that is not of the protocol.
    pub fn ask(&mut self, request: Request, secret: Option<Secret>) -> Result<(Response, Option<Secret>), FrameError> {
        match &mut self.0 {
            Reached::Process { input, output, .. } => {
                protocol::write(input, &request, secret.as_ref()).map_err(closed)?;
                protocol::read(output)
            }
            Reached::InProcess(room) => Ok(room.answer(request, secret)),
        }
    }
}

fn closed(error: FrameError) -> FrameError {
    match error {
        FrameError::Pipe(error) if error.kind() == std::io::ErrorKind::BrokenPipe => FrameError::Ended,
        other => other,
    }
}

impl Drop for Strongroom {
    fn drop(&mut self) {
        if let Reached::Process { child, .. } = &mut self.0 {
            // Killing is enough: the kernel takes the memory back. Waiting leaves no zombie.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
