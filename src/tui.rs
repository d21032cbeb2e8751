//! The full-screen front end: one thing to do a screen, who acts first, what comes next. Shows prompts and brings answers
//! back; decides nothing. Terminal modes are set in `terminal` only.

pub mod draw;
pub mod form;
pub mod reveal;
pub mod terminal;

use crate::ceremony::event::{Answer, FrontEndWord};
use crate::ceremony::{Ask, Prompt, Sheet};
use crate::custody::share::Correction;
use crate::runner::FrontEnd;
use crate::runner::front_end::{Ending, Given, RevealedShare, Seen, View};
use crate::tui::draw::Shown;
use crate::tui::form::{Field, Form, Outcome};
use crate::tui::terminal::Terminal;

/// The screen.
pub struct Screen {
    terminal: Terminal,
}

impl Screen {
    /// Takes the terminal over until dropped.
    ///
    /// # Errors
    /// Where there is none, or it is smaller than 80x24.
    pub fn open(resume_command: &str, no_color: bool) -> Result<Self, String> {
        Ok(Self { terminal: Terminal::open(resume_command, no_color)? })
    }

    /// Runs a form to its end: submitted, closed, simulated, or the program must stop.
    fn run(&mut self, view: &View<'_>, shown: &Shown, form: &mut Form) -> Outcome {
        self.terminal.run(view, shown, form)
    }

    /// Forms that every prompt offers.
    fn everywhere(&mut self, view: &View<'_>, key: char) -> Option<Given> {
        match key {
            '!' => {
                let may_skip = view.state.interruption.is_none()
                    && view.plan.steps.get(view.state.step).is_some_and(|s| s.skippable);
                let mut fields = sheet_fields("", "", "");
                if may_skip {
                    fields.push(Field::text("skip this step? `skip` or `stay`", ""));
                }
                let values = self.overlay(view, "Exception sheet", fields)?;
                Some(Given::Answer(Answer::Exception { sheet: sheet(&values) }))
            }
            'p' => {
                let fields = vec![Field::text("why", ""), Field::text("who stays, initials of two", "")];
                let values = self.overlay(view, "Pause or break", fields)?;
                let staying = initials(values.get(1).map_or("", String::as_str));
                Some(Given::Answer(Answer::Pause { why: values.first().cloned().unwrap_or_default(), staying }))
            }
            'a' => {
                let mut fields = sheet_fields(
                    "the ceremony to its end",
                    "",
                    "cards destroyed, sealed files kept in the evidence bag",
                );
                fields.push(Field::text("type `abort this ceremony`", ""));
                let values = self.overlay(view, "Abort: nothing can go on after this", fields)?;
                if values.get(4).map(String::as_str) != Some("abort this ceremony") {
                    return None;
                }
                Some(Given::Answer(Answer::Abort { sheet: sheet(&values) }))
            }
            _ => {
                let values =
                    self.overlay(view, "Stop here and resume later?", vec![Field::text("type `leave`", "")])?;
                let leave = values.first().map(String::as_str) == Some("leave");
                leave.then(|| Given::Answer(Answer::Leave { why: "asked by the people".to_owned() }))
            }
        }
    }

    fn overlay(&mut self, view: &View<'_>, title: &str, fields: Vec<Field>) -> Option<Vec<String>> {
        let shown =
            Shown::titled(title, vec!["Enter goes to the next field and submits the last; Esc goes back.".to_owned()]);
        match self.run(view, &shown, &mut Form::new(fields)) {
            Outcome::Submitted => {}
            _ => return None,
        }
        Some(self.terminal.take_values())
    }
}

fn sheet_fields(expected: &str, happened: &str, decided: &str) -> Vec<Field> {
    vec![
        Field::text("expected", expected),
        Field::text("happened", happened),
        Field::text("decided", decided),
        Field::text("by, initials of two", ""),
    ]
}

fn initials(text: &str) -> Vec<String> {
    text.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn sheet(values: &[String]) -> Sheet {
    let value = |index: usize| values.get(index).cloned().unwrap_or_default();
    Sheet {
        expected: value(0),
        happened: value(1),
        decided: value(2),
        by: initials(&value(3)),
        skip: value(4) == "skip",
    }
}

/// The fields a question is answered in.
fn fields(ask: &Ask) -> Vec<Field> {
    match ask {
        Ask::Initials { .. } => vec![Field::guarded("your initials, or `no`")],
        Ask::Text { label, example } => vec![Field::text(&format!("{label} ({example})"), "")],
        Ask::Phrase { phrase } => vec![Field::guarded(&format!("type `{phrase}`, or `no`"))],
        Ask::Choice { options } => {
            let offered: Vec<String> = options.iter().map(|o| format!("`{}` {}", o.key, o.title)).collect();
            vec![Field::guarded(&offered.join(", "))]
        }
        Ask::Dice { least } => vec![Field::dice(&format!("at least {least} rolls, digits 1 to 6"))],
        Ask::Share { index: 0, .. } => vec![Field::share("your share, from your card")],
        Ask::Share { index, .. } => vec![Field::share(&format!("share {index}, from your card"))],
        Ask::SignOff { .. } => vec![
            Field::guarded("your initials"),
            Field::guarded("`agree` or `do not agree`"),
            Field::text("remark, may be empty", ""),
        ],
        Ask::Sheet { expected, happened, decided } => sheet_fields(expected, happened, decided),
    }
}

impl FrontEnd for Screen {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Screen
    }

    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        let shown = Shown::prompt(view, prompt);
        let mut form = Form::new(fields(&prompt.ask));
        loop {
            match self.run(view, &shown, &mut form) {
                Outcome::Left(why) => return Given::Answer(Answer::Leave { why }),
                Outcome::Simulate => return Given::Simulate,
                Outcome::Command(key) => {
                    if let Some(given) = self.everywhere(view, key) {
                        return given;
                    }
                }
                Outcome::Closed => {}
                Outcome::Secret(secret) if secret.same_as(b"again") => {
                    return Given::Answer(Answer::Chosen { key: "again".to_owned() });
                }
                Outcome::Secret(secret) => return Given::Secret(secret),
                Outcome::Submitted => {
                    let values = self.terminal.take_values();
                    let first = values.first().cloned().unwrap_or_default();
                    if first == "no" {
                        return Given::Answer(Answer::No);
                    }
                    return Given::Answer(match &prompt.ask {
                        Ask::Initials { .. } => Answer::Initials { initials: first },
                        Ask::Choice { .. } => Answer::Chosen { key: first },
                        Ask::Sheet { .. } => Answer::Exception { sheet: sheet(&values) },
                        Ask::SignOff { .. } => {
                            let word = values.get(1).map_or("", String::as_str);
                            if word != "agree" && word != "do not agree" {
                                form = Form::new(fields(&prompt.ask)).noting("expected `agree` or `do not agree`");
                                continue;
                            }
                            Answer::SignOff {
                                initials: first,
                                agree: word == "agree",
                                remark: values.get(2).cloned().unwrap_or_default(),
                            }
                        }
                        _ => Answer::Typed { text: first },
                    });
                }
            }
        }
    }

    fn reveal(&mut self, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String> {
        reveal::reveal(&mut self.terminal, view, share)
    }

    fn confirm_corrections(&mut self, view: &View<'_>, corrections: &[Correction]) -> bool {
        let mut lines = vec!["What was typed is no share, but is near one. Does your card say:".to_owned()];
        for c in corrections {
            lines.push(format!(
                "line {}, group {}: {} should be {}",
                c.place.line,
                c.place.group,
                c.typed.expose_text(),
                c.should_be.expose_text()
            ));
        }
        let shown = Shown::titled("Is that what your card says?", lines);
        loop {
            match self.run(view, &shown, &mut Form::new(vec![Field::guarded("`yes` or `no`")])) {
                Outcome::Submitted => match self.terminal.take_values().first().map(String::as_str) {
                    Some("yes") => return true,
                    Some("no") => return false,
                    _ => {}
                },
                Outcome::Left(_) => return false,
                _ => {}
            }
        }
    }

    fn busy(&mut self, view: &View<'_>, what: &str) {
        self.terminal.show(view, &Shown::titled("One moment", vec![format!("now: {what}")]));
    }

    fn ended(&mut self, view: &View<'_>, ending: &Ending) {
        let shown = Shown::titled(&ending.title, ending.lines.clone());
        let _ = self.run(view, &shown, &mut Form::new(vec![Field::text("Enter ends", " ")]));
        self.terminal.leave_words(ending);
    }
}
