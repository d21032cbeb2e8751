//! The runner's side: starts the child from this very program, with no environment and no arguments but one word, and
//! exchanges frames with it.

use crate::basics::Secret;
use crate::strongroom::process::ARGUMENT;
use crate::strongroom::protocol::{self, FrameError, Request, Response};
use crate::strongroom::room::Room;
use std::collections::VecDeque;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A strongroom to talk to.
pub struct Strongroom(Reached);

enum Reached {
    Process {
        child: Child,
        input: ChildStdin,
        output: ChildStdout,
    },
    /// The same room in this process: for tests. With the answers nobody has taken yet.
    InProcess(Box<Room>, VecDeque<(Response, Option<Secret>)>),
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
            (Some(input), Some(output)) => {
                protocol::widen(&input);
                Ok(Self(Reached::Process { child, input, output }))
            }
            _ => Err(FrameError::Ended),
        }
    }

    /// A room in this process, answering the same requests.
    #[must_use]
    pub fn in_process() -> Self {
        Self(Reached::InProcess(Box::default(), VecDeque::new()))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Where the process has ended or says something that is not of the protocol.
    pub fn ask(&mut self, request: Request, secret: Option<Secret>) -> Result<(Response, Option<Secret>), FrameError> {
        self.send(request, secret)?;
        self.receive()
    }

    /// Asks, and does not wait: answers come in the order of the questions. A question that is longer than a pipe holds must not be sent
    /// while an answer is still to be taken, or both sides would wait for each other.
    ///
    /// # Errors
    /// As [`Strongroom::ask`].
    pub fn send(&mut self, request: Request, secret: Option<Secret>) -> Result<(), FrameError> {
        match &mut self.0 {
            Reached::Process { input, .. } => protocol::write(input, &request, secret.as_slice()).map_err(closed),
            Reached::InProcess(room, answers) => {
                room.answer(request, secret, &mut |(response, parts)| {
                    let joined = match <[Secret; 1]>::try_from(parts) {
                        Ok([alone]) => Some(alone),
                        Err(none) if none.is_empty() => None,
                        Err(parts) => Some(Secret::take(parts.iter().map(Secret::expose).collect::<Vec<_>>().concat())),
                    };
                    answers.push_back((response, joined));
                    true
                });
                Ok(())
            }
        }
    }

    /// Takes the next answer.
    ///
    /// # Errors
    /// As [`Strongroom::ask`].
    pub fn receive(&mut self) -> Result<(Response, Option<Secret>), FrameError> {
        match &mut self.0 {
            Reached::Process { output, .. } => protocol::read(output),
            Reached::InProcess(_, answers) => answers.pop_front().ok_or(FrameError::Ended),
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
