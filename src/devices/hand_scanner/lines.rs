//! Octets to lines: ended by CR, LF, both, or a pause; bounded.

use crate::basics::limits;
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Lines {
    pub(super) part: Vec<u8>,
    too_long: bool,
    whole: VecDeque<Result<String, String>>,
}

impl Lines {
    pub(super) fn push(&mut self, octets: &[u8]) {
        for octet in octets {
            match octet {
                b'\r' | b'\n' => self.pause(),
                _ if self.part.len() >= limits::SCANNER_LINE_OCTETS => self.too_long = true,
                other => self.part.push(*other),
            }
        }
    }

    /// What has come so far is a line.
    pub(super) fn pause(&mut self) {
        let part = std::mem::take(&mut self.part);
        let too_long = std::mem::take(&mut self.too_long);
        if part.is_empty() {
            return;
        }
        self.whole.push_back(if too_long {
            Err(format!("expected a line of at most {} characters, found more", limits::SCANNER_LINE_OCTETS))
        } else {
            String::from_utf8(part).map_err(|_| "expected text, found octets that are none".to_owned())
        });
    }

    pub(super) fn has_part(&self) -> bool {
        !self.part.is_empty()
    }

    pub(super) fn next_line(&mut self) -> Option<Result<String, String>> {
        self.whole.pop_front()
    }
}
