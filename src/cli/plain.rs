//! The line-by-line front end: the same prompts in the same words, for serial consoles, screen readers and tests. A share is
//! shown on a terminal only, and a terminal does not echo what is secret.

use crate::basics::{SafeText, Secret};
use crate::ceremony::event::{Answer, FrontEndWord};
use crate::ceremony::{Ask, Prompt, Sheet};
use crate::cli::output;
use crate::custody::share::{Correction, lines};
use crate::runner::FrontEnd;
use crate::runner::front_end::{Ending, Given, Incoming, Look, RevealedShare, Seen, View, WayIn};
use crate::transfer::envelope::Envelope;
use crate::transfer::sender::{self, Sender};
use std::io::IsTerminal;

mod keyboard;
mod rendering;
mod taking_in;

pub use keyboard::Keyboard;

/// The plain front end.
pub struct Plain {
    last_step: Option<usize>,
    keyboard: Keyboard,
}

impl Default for Plain {
    fn default() -> Self {
        Self::new()
    }
}

impl Plain {
    #[must_use]
    pub fn new() -> Self {
        Self { last_step: None, keyboard: Keyboard::watching() }
    }

    /// The step's lines the first time, then the prompt.
    fn show(&mut self, view: &View<'_>, prompt: &Prompt) {
        if self.last_step.replace(view.state.step) != Some(view.state.step) {
            rendering::step(view).iter().for_each(|line| output::words(line));
        }
        rendering::prompt(view, prompt).iter().for_each(|line| output::words(line));
    }

    fn two_initials(&self, what: &str) -> Option<Vec<String>> {
        let typed = self.keyboard.line(&format!("  {what}, initials of two people: "))?;
        Some(typed.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    fn sheet(&self, view: &View<'_>, preset: [&str; 3], may_skip: bool) -> Option<Sheet> {
        output::words("  exception sheet");
        let mut fields = preset.into_iter().zip(["expected", "happened", "decided"]).map(|(preset, name)| {
            let hint = if preset.is_empty() { String::new() } else { format!(" [{preset}]") };
            let typed = self.keyboard.line(&format!("  {name}{hint}: "))?;
            Some(if typed.is_empty() { preset.to_owned() } else { typed })
        });
        let (expected, happened, decided) = (fields.next()??, fields.next()??, fields.next()??);
        let skippable = may_skip && view.plan.steps.get(view.state.step).is_some_and(|s| s.skippable);
        let skip = skippable && self.keyboard.line("  skip this step? type `skip`, or Enter to stay: ")? == "skip";
        let by = self.two_initials("decided by")?;
        Some(Sheet { expected, happened, decided, by, skip })
    }

    /// What every prompt understands.
    fn everywhere(&self, view: &View<'_>, typed: &str) -> Option<Given> {
        let leave = || Given::Answer(Answer::Leave { why: self.keyboard.why().to_owned() });
        match typed {
            "s" if view.plan.realm.is_rehearsal() => Some(Given::Simulate),
            "!" => Some(
                self.sheet(view, ["", "", ""], true)
                    .map_or_else(leave, |sheet| Given::Answer(Answer::Exception { sheet })),
            ),
            "pause" => {
                let why = self.keyboard.line("  why: ")?;
                let staying = self.two_initials("who stays")?;
                Some(Given::Answer(Answer::Pause { why, staying }))
            }
            "abort" => {
                if self.keyboard.line("  nothing can go on after this. Type `abort this ceremony`: ")?
                    != "abort this ceremony"
                {
                    output::words("  not aborted");
                    return Some(Given::Answer(Answer::No));
                }
                let preset = ["the ceremony to its end", "", "cards destroyed, sealed files kept in the evidence bag"];
                Some(self.sheet(view, preset, false).map_or_else(leave, |sheet| Given::Answer(Answer::Abort { sheet })))
            }
            "leave" => Some(Given::Answer(Answer::Leave { why: "asked by the people".to_owned() })),
            "no" => Some(Given::Answer(Answer::No)),
            _ => None,
        }
    }
}

impl FrontEnd for Plain {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Plain
    }

    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        self.show(view, prompt);
        let leave = || Given::Answer(Answer::Leave { why: self.keyboard.why().to_owned() });
        match &prompt.ask {
            Ask::Dice { .. } | Ask::Share { .. } => return self.ask_secret(view, prompt),
            Ask::Sheet { expected, happened, decided } => {
                let Some(typed) = self.keyboard.line("  Enter to fill in the sheet: ") else { return leave() };
                return self.everywhere(view, &typed).unwrap_or_else(|| {
                    self.sheet(view, [expected, happened, decided], false)
                        .map_or_else(leave, |sheet| Given::Answer(Answer::Exception { sheet }))
                });
            }
            _ => {}
        }
        loop {
            let Some(typed) = self.keyboard.line(&format!("  {}: ", rendering::question(prompt))) else {
                return leave();
            };
            if typed.is_empty() {
                continue;
            }
            if let Some(given) = self.everywhere(view, &typed) {
                return given;
            }
            if matches!(prompt.ask, Ask::Object { .. }) {
                match WayIn::chosen(view.ways_in, &typed) {
                    Ok(_) => return Given::TakeIn(typed),
                    Err(expected) => output::words(&format!("  {expected}")),
                }
                continue;
            }
            return Given::Answer(match &prompt.ask {
                Ask::Initials { .. } => Answer::Initials { initials: typed },
                Ask::Choice { .. } => Answer::Chosen { key: typed },
                Ask::SignOff { .. } => {
                    let Some(word) = self.keyboard.line("  `agree` or `do not agree`: ") else { return leave() };
                    let agree = match word.as_str() {
                        "agree" => true,
                        "do not agree" => false,
                        _ => {
                            output::words("  expected `agree` or `do not agree`");
                            continue;
                        }
                    };
                    let Some(remark) = self.keyboard.line("  remark (may be empty): ") else { return leave() };
                    Answer::SignOff { initials: typed, agree, remark }
                }
                _ => Answer::Typed { text: typed },
            });
        }
    }

    fn reveal(&mut self, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String> {
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            if view.plan.realm.is_rehearsal() {
                output::words(
                    "  a share is shown on a terminal only, and this is none; the simulated custodian wrote it down",
                );
                return Ok(Seen::Simulated);
            }
            return Err("a share is shown on a terminal only, and this is none".to_owned());
        }
        output::words(&format!(
            "  {} alone: share {} of {} · quorum {} · generation {} · needs {}",
            SafeText::of(&view.plan.name_of(&share.holder)),
            share.index,
            share.count,
            share.quorum,
            share.generation,
            share.threshold
        ));
        self.keyboard
            .line("  Enter shows it; have card and pen ready: ")
            .ok_or_else(|| self.keyboard.why().to_owned())?;
        let shown = lines(&share.text);
        for text in &shown {
            output::words_with_secrets(&[b"     ", text.expose()]);
        }
        let hidden = self.keyboard.line("  written on the card? Enter hides it: ");
        // Up over what was shown, and clear to the end of the screen: and the scrollback of terminals that keep one.
        output::words("\x1b[H\x1b[2J\x1b[3J  hidden");
        // Whoever left while it stood there has seen it.
        hidden.map(|_| Seen::Text).ok_or_else(|| format!("{}, after the share was on the screen", self.keyboard.why()))
    }

    fn confirm_corrections(&mut self, view: &View<'_>, who: &str, corrections: &[Correction]) -> Result<bool, String> {
        let name = view.plan.name_of(who);
        output::words(&format!("  {name}: what was typed is no share, but is near one. Does the card say:"));
        for c in corrections {
            let place = format!("    line {}, group {}: ", c.place.line, c.place.group);
            output::words_with_secrets(&[place.as_bytes(), c.typed.expose(), b" should be ", c.should_be.expose()]);
        }
        loop {
            match self.keyboard.line("  `yes` or `no`: ").as_deref() {
                Some("yes") => return Ok(true),
                Some("no") => return Ok(false),
                None => return Err(self.keyboard.why().to_owned()),
                Some(_) => {}
            }
        }
    }

    /// The texts of the codes, one a line: a serial console's log is a text file of frames, which `qr scan` takes in.
    fn show_code(&mut self, _: &View<'_>, envelope: &Envelope) -> Result<(), String> {
        output::words(&format!(
            "  {} {}, {} octets, as the text of codes:",
            envelope.kind(),
            envelope.name(),
            envelope.octets().len()
        ));
        match sender::single(envelope) {
            Some(text) => output::words(&text),
            None => {
                let sender = Sender::new(envelope, sender::symbol_octets_of(sender::USUAL_VERSION))
                    .map_err(|e| e.to_string())?;
                // A third more than hold it: lines of a log get lost as well.
                let codes = u64::from(sender.source_frames());
                (0..codes + codes.div_ceil(3)).for_each(|n| output::words(&sender.frame(n)));
            }
        }
        Ok(())
    }

    fn scan(&mut self, _: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String> {
        output::words("  hold the code of your card before the camera or scanner; Enter goes back to typing");
        loop {
            if let Some(share) = look()? {
                return Ok(Some(share));
            }
            if self.keyboard.line_waits() {
                return self.keyboard.line("").map(|_| None).ok_or_else(|| self.keyboard.why().to_owned());
            }
        }
    }

    fn take_in(&mut self, _: &View<'_>, incoming: &mut dyn Incoming) -> Result<(), String> {
        taking_in::watch(&self.keyboard, incoming)
    }

    fn busy(&mut self, _: &View<'_>, what: &str) {
        output::words(&format!("  ... {what}"));
    }

    fn ended(&mut self, _: &View<'_>, ending: &Ending) {
        output::words("");
        output::words(&ending.title);
        for line in &ending.lines {
            output::words(&format!("  {line}"));
        }
    }
}

impl Plain {
    /// Dice and shares: not echoed, never in a `String` that grows.
    fn ask_secret(&self, view: &View<'_>, prompt: &Prompt) -> Given {
        loop {
            let Some(secret) = self.keyboard.secret_line(&format!("  {} (not shown): ", rendering::question(prompt)))
            else {
                return Given::Answer(Answer::Leave { why: self.keyboard.why().to_owned() });
            };
            if secret.is_empty() {
                continue;
            }
            if secret.same_as(b"scan") && matches!(prompt.ask, Ask::Share { .. }) {
                return Given::Scan;
            }
            if secret.same_as(b"again") {
                return Given::Answer(Answer::Chosen { key: "again".to_owned() });
            }
            // Commands are short words, and no share or dice is one.
            if secret.len() <= 5
                && let Some(given) = self.everywhere(view, secret.expose_text())
            {
                return given;
            }
            return Given::Secret(secret);
        }
    }
}
