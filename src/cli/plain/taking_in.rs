//! An object that comes in, line by line: what is waited for, every refusal once, progress now and then.

use super::keyboard::Keyboard;
use crate::basics::SafeText;
use crate::cli::output;
use crate::runner::front_end::{Incoming, Looked, Sight};
use crate::transfer::intake::progress_line;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How long the source is waited for before the keyboard is looked at.
const WAIT: Duration = Duration::from_millis(200);
/// How often progress is said where something comes.
const SAID: Duration = Duration::from_secs(2);
/// Looks without anything before lines that are no terminal's are taken for an answer: a script's next lines are not for here.
const PATIENCE: u32 = 5;

/// Watches until it ended, or somebody presses Enter.
pub(super) fn watch(keyboard: &Keyboard, incoming: &mut dyn Incoming) -> Result<(), String> {
    let mut said = Said::default();
    opening(&incoming.sight()).iter().for_each(|line| output::words(line));
    if incoming.is_typed() {
        return typed(keyboard, incoming, &mut said);
    }
    let typing = std::io::stdin().is_terminal();
    let mut nothing = 0;
    loop {
        let looked = incoming.look(WAIT);
        said.now(&incoming.sight(), looked == Looked::Ended).iter().for_each(|line| output::words(line));
        nothing = if looked == Looked::Nothing { nothing + 1 } else { 0 };
        if looked == Looked::Ended {
            return Ok(());
        }
        if (typing || nothing >= PATIENCE) && keyboard.line_waits() {
            return keyboard.line("").map(|_| ()).ok_or_else(|| keyboard.why().to_owned());
        }
    }
}

/// A scanner that types: every line is a code, an empty one goes back.
fn typed(keyboard: &Keyboard, incoming: &mut dyn Incoming, said: &mut Said) -> Result<(), String> {
    loop {
        let line = keyboard.code().ok_or_else(|| keyboard.why().to_owned())?;
        if line.trim().is_empty() {
            return Ok(());
        }
        let looked = incoming.typed(line.trim());
        said.now(&incoming.sight(), looked == Looked::Ended).iter().for_each(|line| output::words(line));
        if looked == Looked::Ended {
            return Ok(());
        }
    }
}

/// What is said before the first look.
fn opening(sight: &Sight) -> Vec<String> {
    vec![
        format!("  {} ({})", sight.told, SafeText::of(&sight.source)),
        format!("  waiting for {}; Enter goes back, and nothing that came is lost", SafeText::of(&sight.waiting_for)),
    ]
}

/// What was said last, so that nothing is said twice.
#[derive(Default)]
struct Said {
    note: String,
    looks: String,
    progress: String,
    when: Option<Instant>,
}

impl Said {
    /// Lines for what is new. Refusals at once; progress and what a camera sees now and then, and at the end.
    fn now(&mut self, sight: &Sight, ended: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if sight.note != self.note {
            self.note.clone_from(&sight.note);
            lines.push(format!("  {}", SafeText::of(&sight.note)));
        }
        if !ended && self.when.is_some_and(|when| when.elapsed() < SAID) {
            return lines;
        }
        if sight.looks != self.looks {
            self.looks.clone_from(&sight.looks);
            lines.push(format!("  {}", SafeText::of(&sight.looks)));
        }
        let progress = progress_line(&sight.progress);
        let anything = sight.progress.new + sight.progress.again + sight.progress.other + sight.progress.unreadable > 0;
        if anything && progress != self.progress {
            lines.push(format!("  {progress}"));
            self.progress = progress;
            self.when = Some(Instant::now());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Progress;

    fn sight(progress: Progress, looks: &str, note: &str) -> Sight {
        Sight {
            source: "camera /dev/video0  1280x720".to_owned(),
            told: "Hold the code to the camera.",
            waiting_for: "the certificate request of issuing-2026: a csr for rehearsal".to_owned(),
            looks: looks.to_owned(),
            rate: Some(12.0),
            progress,
            note: note.to_owned(),
        }
    }

    #[test]
    fn taking_in_reads_as_reviewed_line_by_line() {
        let mut said = Said::default();
        let some = Progress { have: 2, need: 9, new: 2, again: 1, other: 3, unreadable: 4, ..Progress::default() };
        let most = Progress { have: 9, need: 9, new: 9, again: 7, other: 3, unreadable: 4, ..Progress::default() };
        let mut lines = opening(&sight(Progress::default(), "", ""));
        for (progress, looks, note, ended) in [
            (Progress::default(), "too dark: turn the light on", "", false),
            (some.clone(), "sees a code", "", false),
            (
                some.clone(),
                "sees a code",
                "expected a csr for rehearsal, found a crl for production (root.crl): not taken",
                false,
            ),
            (
                some.clone(),
                "sees a code",
                "expected a csr for rehearsal, found a crl for production (root.crl): not taken",
                false,
            ),
            (most, "sees a code", "\u{1b}[2J is no frame", true),
        ] {
            lines.extend(said.now(&sight(progress, looks, note), ended));
        }
        insta::assert_snapshot!("taking_in", lines.join("\n"));
    }
}
