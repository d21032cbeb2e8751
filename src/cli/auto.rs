//! The front end of `rehearse --plain --auto`: simulated people answer everything. Every entry says so, and no share is ever
//! printed.

use crate::basics::Secret;
use crate::ceremony::Prompt;
use crate::ceremony::event::FrontEndWord;
use crate::ceremony::state::Interruption;
use crate::cli::output;
use crate::custody::share::Correction;
use crate::runner::FrontEnd;
use crate::runner::front_end::{Ending, Given, Incoming, Look, RevealedShare, Seen, View};
use crate::transfer::envelope::Envelope;

/// The simulated room.
#[derive(Default)]
pub struct Auto {
    /// A refusal of a simulated person, or what fails again and again, is a defect: after a few the run is left instead of looping.
    refusals: u32,
}

const MOST_REFUSALS: u32 = 8;

impl FrontEnd for Auto {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Auto
    }

    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        let failed = match &view.state.interruption {
            Some(Interruption::Failed { reason, .. }) => Some(reason),
            _ => None,
        };
        if let Some(refusal) = prompt.refusal.as_ref().or(failed) {
            self.refusals += 1;
            output::words(&format!("  refused: {refusal}"));
            if self.refusals > MOST_REFUSALS {
                return Given::Answer(crate::ceremony::Answer::Leave {
                    why: "simulated people cannot answer this".to_owned(),
                });
            }
        }
        if prompt.title == "Something did not work" {
            self.refusals += 1;
            for line in &prompt.lines {
                output::words(&format!("  {}", line.plain()));
            }
            if self.refusals > MOST_REFUSALS {
                return Given::Answer(crate::ceremony::Answer::Leave { why: "it does not work".to_owned() });
            }
        }
        let step = view.plan.steps.get(view.state.step).map_or("", |s| s.id.as_str());
        output::words(&format!("{:>3} {step:<14} {} · {}", view.entries, view.plan.name_of(&prompt.who), prompt.title));
        Given::Simulate
    }

    fn reveal(&mut self, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String> {
        output::words(&format!(
            "    share {} of {} written down by simulated {}",
            share.index,
            share.count,
            view.plan.name_of(&share.holder)
        ));
        Ok(Seen::Simulated)
    }

    fn confirm_corrections(&mut self, _: &View<'_>, _: &str, _: &[Correction]) -> Result<bool, String> {
        Ok(false)
    }

    fn show_code(&mut self, _: &View<'_>, envelope: &Envelope) -> Result<(), String> {
        output::words(&format!("    {} {} taken in by the simulated other side", envelope.kind(), envelope.name()));
        Ok(())
    }

    fn scan(&mut self, _: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String> {
        look()
    }

    fn take_in(&mut self, _: &View<'_>, _: &mut dyn Incoming) -> Result<(), String> {
        Err("nobody is here who could hold anything before a camera".to_owned())
    }

    fn busy(&mut self, _: &View<'_>, _: &str) {}

    fn ended(&mut self, _: &View<'_>, ending: &Ending) {
        output::words(&ending.title);
        for line in &ending.lines {
            output::words(line);
        }
    }
}
