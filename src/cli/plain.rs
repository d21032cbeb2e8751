//! The line-by-line front end: the same prompts in the same words, for serial consoles, screen readers and tests. A share is
//! shown on a terminal only, and a terminal does not echo what is secret.

use crate::basics::{SafeText, Secret, limits};
use crate::ceremony::event::{Answer, FrontEndWord};
use crate::ceremony::{Ask, Prompt, Sheet};
use crate::cli::output;
use crate::custody::share::{Correction, lines};
use crate::runner::FrontEnd;
use crate::runner::front_end::{Ending, Given, RevealedShare, Seen, View};
use rustix::io::retry_on_intr;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::IsTerminal;
use zeroize::Zeroizing;

mod rendering;

/// The plain front end.
pub struct Plain {
    last_step: Option<usize>,
}

impl Default for Plain {
    fn default() -> Self {
        Self::new()
    }
}

impl Plain {
    #[must_use]
    pub const fn new() -> Self {
        Self { last_step: None }
    }

    /// The step's lines the first time, then the prompt.
    fn show(&mut self, view: &View<'_>, prompt: &Prompt) {
        if self.last_step.replace(view.state.step) != Some(view.state.step) {
            rendering::step(view).iter().for_each(|line| output::words(line));
        }
        rendering::prompt(view, prompt).iter().for_each(|line| output::words(line));
    }

    fn two_initials(&self, what: &str) -> Option<Vec<String>> {
        let typed = line(&format!("  {what}, initials of two people: "))?;
        Some(typed.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    fn sheet(&self, view: &View<'_>, preset: [&str; 3], may_skip: bool) -> Option<Sheet> {
        output::words("  exception sheet");
        let mut fields = preset.into_iter().zip(["expected", "happened", "decided"]).map(|(preset, name)| {
            let hint = if preset.is_empty() { String::new() } else { format!(" [{preset}]") };
            let typed = line(&format!("  {name}{hint}: "))?;
            Some(if typed.is_empty() { preset.to_owned() } else { typed })
        });
        let (expected, happened, decided) = (fields.next()??, fields.next()??, fields.next()??);
        let skippable = may_skip && view.plan.steps.get(view.state.step).is_some_and(|s| s.skippable);
        let skip = skippable && line("  skip this step? type `skip`, or Enter to stay: ")? == "skip";
        let by = self.two_initials("decided by")?;
        Some(Sheet { expected, happened, decided, by, skip })
    }

    /// What every prompt understands.
    fn everywhere(&self, view: &View<'_>, typed: &str) -> Option<Given> {
        let leave = || Given::Answer(Answer::Leave { why: "input ended".to_owned() });
        match typed {
            "s" if view.plan.realm.is_rehearsal() => Some(Given::Simulate),
            "!" => Some(
                self.sheet(view, ["", "", ""], true)
                    .map_or_else(leave, |sheet| Given::Answer(Answer::Exception { sheet })),
            ),
            "pause" => {
                let why = line("  why: ")?;
                let staying = self.two_initials("who stays")?;
                Some(Given::Answer(Answer::Pause { why, staying }))
            }
            "abort" => {
                if line("  nothing can go on after this. Type `abort this ceremony`: ")? != "abort this ceremony" {
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
        let leave = || Given::Answer(Answer::Leave { why: "input ended".to_owned() });
        match &prompt.ask {
            Ask::Dice { .. } | Ask::Share { .. } => return self.ask_secret(view, prompt),
            Ask::Sheet { expected, happened, decided } => {
                let Some(typed) = line("  Enter to fill in the sheet: ") else { return leave() };
                return self.everywhere(view, &typed).unwrap_or_else(|| {
                    self.sheet(view, [expected, happened, decided], false)
                        .map_or_else(leave, |sheet| Given::Answer(Answer::Exception { sheet }))
                });
            }
            _ => {}
        }
        loop {
            let Some(typed) = line(&format!("  {}: ", rendering::question(prompt))) else { return leave() };
            if typed.is_empty() {
                continue;
            }
            if let Some(given) = self.everywhere(view, &typed) {
                return given;
            }
            return Given::Answer(match &prompt.ask {
                Ask::Initials { .. } => Answer::Initials { initials: typed },
                Ask::Choice { .. } => Answer::Chosen { key: typed },
                Ask::SignOff { .. } => {
                    let Some(word) = line("  `agree` or `do not agree`: ") else { return leave() };
                    let agree = match word.as_str() {
                        "agree" => true,
                        "do not agree" => false,
                        _ => {
                            output::words("  expected `agree` or `do not agree`");
                            continue;
                        }
                    };
                    let Some(remark) = line("  remark (may be empty): ") else { return leave() };
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
        line("  Enter shows it; have card and pen ready: ").ok_or("input ended")?;
        let shown = lines(&share.text);
        for text in &shown {
            output::words_with_secrets(&[b"     ", text.expose()]);
        }
        line("  written on the card? Enter hides it: ").ok_or("input ended")?;
        // Up over what was shown, and clear to the end of the screen: and the scrollback of terminals that keep one.
        output::words("\x1b[H\x1b[2J\x1b[3J  hidden");
        Ok(Seen::Text)
    }

    fn confirm_corrections(&mut self, _: &View<'_>, corrections: &[Correction]) -> Result<bool, String> {
        output::words("  what was typed is no share, but is near one. Does the card say:");
        for c in corrections {
            let place = format!("    line {}, group {}: ", c.place.line, c.place.group);
            output::words_with_secrets(&[place.as_bytes(), c.typed.expose(), b" should be ", c.should_be.expose()]);
        }
        loop {
            match line("  `yes` or `no`: ").as_deref() {
                Some("yes") => return Ok(true),
                Some("no") => return Ok(false),
                None => return Err("input ended".to_owned()),
                Some(_) => {}
            }
        }
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
            let Some(secret) = secret_line(&format!("  {} (not shown): ", rendering::question(prompt))) else {
                return Given::Answer(Answer::Leave { why: "input ended".to_owned() });
            };
            if secret.is_empty() {
                continue;
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

/// One line from standard input, trimmed; `None` at its end.
fn line(question: &str) -> Option<String> {
    use std::io::Write;
    let mut error = std::io::stderr();
    let _ = write!(error, "{question}");
    let _ = error.flush();
    let mut typed = Vec::new();
    loop {
        match octet() {
            Some(b'\n') => break,
            Some(octet) => typed.push(octet),
            None if typed.is_empty() => return None,
            None => break,
        }
        if typed.len() >= limits::TYPED_CHARS * 4 {
            break;
        }
    }
    Some(String::from_utf8_lossy(&typed).trim().to_owned())
}

/// The next octet of standard input; `None` at its end. Read from the descriptor itself: the standard library's buffer would keep a
/// typed share for as long as the program lives.
fn octet() -> Option<u8> {
    let mut octet = Zeroizing::new([0]);
    match retry_on_intr(|| rustix::io::read(rustix::stdio::stdin(), &mut *octet)) {
        Ok(1) => octet.first().copied(),
        _ => None,
    }
}

/// One line that is not echoed where the input is a terminal, octet by octet into a fixed place.
fn secret_line(question: &str) -> Option<Secret> {
    use std::io::Write;
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).ok();
    if let Some(mut quiet) = before.clone() {
        quiet.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Now, &quiet);
    }
    // Asked only now: whoever types fast must not see a share appear.
    let mut error = std::io::stderr();
    let _ = write!(error, "{question}");
    let _ = error.flush();
    let mut secret = Secret::with_capacity(limits::SECRET_CHARS);
    let mut ended = true;
    while let Some(octet) = octet() {
        if matches!(octet, b'\n' | b'\r') {
            ended = false;
            break;
        }
        secret.push(octet);
    }
    if let Some(before) = before {
        let _ = tcsetattr(&stdin, OptionalActions::Now, &before);
        output::words("");
    }
    if ended && secret.is_empty() { None } else { Some(secret) }
}
