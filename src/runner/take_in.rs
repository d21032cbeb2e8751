//! An object comes in: whatever it is read with, it is an envelope of the kind and realm that were asked for, or it is refused by name and
//! the taking in goes on.

mod live;
mod simulated;
mod stick;
mod ways;

pub use simulated::simulated;
pub use ways::Ways;

use crate::basics::{Realm, SafeText, limits};
use crate::ceremony::event::{Answer, Via};
use crate::ceremony::prompt::ChoiceOption;
use crate::ceremony::steps::asking::prompt_for;
use crate::ceremony::{Ask, Line, Prompt, object};
use crate::runner::front_end::Given;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use crate::transfer::Taken;
use crate::transfer::envelope::{Envelope, Kind};
use crate::transfer::intake::{Arrival, Expected, Intake, Object};
use crate::transfer::never;
use live::Live;
use ways::Way;

/// What is waited for, and what of it is there: kept while people change from one way in to another.
pub struct Taking {
    realm: Realm,
    kind: Kind,
    name: String,
    what: String,
    most: u64,
    intake: Intake,
}

impl Taking {
    /// Waits for what a question asks for.
    ///
    /// # Errors
    /// Where the question is no question for an object of a known kind.
    pub fn begin(realm: Realm, ask: &Ask) -> Result<Self, String> {
        let Ask::Object { kind, name, what, most } = ask else { return Err("no object is asked for here".to_owned()) };
        let kind = Kind::parse(kind).ok_or_else(|| format!("{kind}: no kind of object that crosses the gap"))?;
        Ok(Self {
            realm,
            kind,
            name: name.clone(),
            what: what.clone(),
            most: *most,
            intake: Intake::new(Expected::default()),
        })
    }

    /// Whether this waits for what a question asks for.
    fn is_for(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Object { kind, name, .. } if *kind == self.kind.word() && *name == self.name)
    }

    /// What is waited for, as people read it.
    #[must_use]
    pub fn words(&self) -> String {
        let words = Expected { kind: Some(self.kind), realm: Some(self.realm) }.words();
        format!("{}: {}{words}", self.what, self.kind.article())
    }

    /// Octets that a file of it may have, its envelope included.
    fn most_octets(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX).saturating_add(limits::ENVELOPE_HEADER_OCTETS)
    }

    /// The text of one code: an envelope once it is whole and welcome.
    ///
    /// # Errors
    /// Why what arrived is not taken; the taking in goes on, and nothing of it is lost.
    pub fn text(&mut self, text: &str) -> Result<Option<Envelope>, String> {
        refuse_secrets(text.as_bytes())?;
        match self.intake.take(text) {
            Arrival::Object(found) => self.welcome(found).map(Some),
            Arrival::Part(Taken::Restarted(why)) => Err(format!("starting again: {why}")),
            Arrival::Part(Taken::Unreadable(error)) => Err(format!("unreadable: {error}")),
            Arrival::Part(_) => Ok(None),
            Arrival::Calibration(layout) => Err(layout.words()),
            Arrival::Unexpected { expected, found } => Err(format!("expected {expected}, found {found}")),
        }
    }

    /// A file: an envelope, or the bare object, which gets one here.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn file(&self, octets: Vec<u8>) -> Result<Envelope, String> {
        refuse_secrets(&octets)?;
        if octets.starts_with(b"AE1 ") {
            let envelope = Envelope::parse(&octets).map_err(|e| e.to_string())?;
            return self.welcome(Object::Envelope(envelope));
        }
        self.bare(octets)
    }

    /// Whether a whole object is the one that is waited for.
    fn welcome(&self, found: Object) -> Result<Envelope, String> {
        match found {
            Object::Envelope(envelope) => {
                let expected = Expected { kind: Some(self.kind), realm: Some(self.realm) };
                if envelope.kind() != self.kind || envelope.realm() != self.realm {
                    let found = Expected { kind: Some(envelope.kind()), realm: Some(envelope.realm()) };
                    return Err(format!(
                        "expected a {}, found a {} ({}): not taken",
                        expected.words(),
                        found.words(),
                        SafeText::cut(envelope.name(), 64)
                    ));
                }
                self.sized(envelope)
            }
            Object::Plain { kind: Some(kind), .. } if kind != self.kind => {
                Err(format!("expected a {}, found a {kind}: not taken", self.kind))
            }
            Object::Plain { octets, .. } => self.bare(octets),
        }
    }

    /// Octets without an envelope get one here: of this ceremony's realm, under the name that is asked for.
    fn bare(&self, octets: Vec<u8>) -> Result<Envelope, String> {
        object::inner(self.kind, &octets)?;
        let envelope = Envelope::new(self.kind, self.realm, &self.name, octets).map_err(|e| e.to_string())?;
        self.sized(envelope)
    }

    fn sized(&self, envelope: Envelope) -> Result<Envelope, String> {
        refuse_secrets(envelope.octets())?;
        let found = envelope.octets().len() as u64;
        if found > self.most {
            let (article, kind, most) = (self.kind.article(), self.kind, self.most);
            return Err(format!("expected {article}{kind} of at most {most} octets, found {found}: not taken"));
        }
        Ok(envelope)
    }
}

/// What comes in stands in the record for ever: a share or private key never gets there, and nothing of it is said.
fn refuse_secrets(octets: &[u8]) -> Result<(), String> {
    never::found_in(octets).map_or(Ok(()), |what| {
        Err(format!("this is {what}, and none is asked for here: nothing of it is kept or recorded; put it away"))
    })
}

/// What came of a way in.
enum Came {
    Object(Box<Envelope>, Via),
    /// The people went back to the question.
    Back,
    /// Something else was answered: leave, pause, an exception.
    Given(Given),
}

impl<R: RealmType> Run<'_, R> {
    /// Takes an object in by the way that was chosen; `None` where the people went back to the question.
    ///
    /// # Errors
    /// Why nothing came: said with the question, which is asked again. What had come of the object is kept.
    pub(super) fn take_in(&mut self, prompt: &Prompt, typed: &str) -> Result<Option<Given>, String> {
        let way = self.ways.chosen(typed)?;
        let mut taking = match self.taking.take().filter(|taking| taking.is_for(&prompt.ask)) {
            Some(taking) => taking,
            None => Taking::begin(self.plan.realm, &prompt.ask)?,
        };
        let came = self.by(way, prompt, &mut taking);
        if !matches!(came, Ok(Came::Object(..))) {
            self.taking = Some(taking);
        }
        Ok(match came? {
            Came::Object(envelope, via) => Some(Given::Answer(object::answer(&envelope, via))),
            Came::Back => None,
            Came::Given(given) => Some(given),
        })
    }

    fn by(&mut self, way: Way, prompt: &Prompt, taking: &mut Taking) -> Result<Came, String> {
        match way {
            Way::Simulated => Ok(Came::Given(Given::Simulate)),
            Way::Medium { bound, label } => {
                let found = stick::welcome(&bound, label.as_ref(), taking)?;
                self.one_of(prompt, found)
            }
            Way::File { folder, typed } => {
                let envelope = stick::file(folder.as_deref(), &typed, taking)?;
                Ok(Came::Object(Box::new(envelope), Via::File))
            }
            Way::Live(live) => {
                let opened = live.open()?;
                let via = opened.via;
                let mut live = Live::new(opened, taking);
                self.with_front(|view, front, _| front.take_in(view, &mut live)).or_else(|why| live.leave(why))?;
                match live.end() {
                    live::End::Arrived(envelope) => Ok(Came::Object(Box::new(envelope), via)),
                    live::End::Back => Ok(Came::Back),
                    live::End::Left(why) => Ok(Came::Given(Given::Answer(Answer::Leave { why }))),
                    live::End::Over(why) => Err(why),
                }
            }
        }
    }

    /// The file that it is, of several that could be it.
    fn one_of(&mut self, prompt: &Prompt, found: Vec<(String, Envelope)>) -> Result<Came, String> {
        if found.len() <= 1 {
            let one = found.into_iter().next().ok_or("the medium has nothing that could be it")?;
            return Ok(Came::Object(Box::new(one.1), Via::Medium));
        }
        let mut options: Vec<ChoiceOption> = (1..)
            .zip(&found)
            .map(|(n, (at, envelope))| ChoiceOption {
                key: n.to_string(),
                title: format!("{at}, {} octets", envelope.octets().len()),
            })
            .collect();
        options.push(ChoiceOption { key: "b".to_owned(), title: "none of them: back to the ways in".to_owned() });
        let asked = Prompt {
            lines: vec![Line::text(
                "More than one file of this medium could be it. The next question compares its digest.",
            )],
            next: prompt.next.clone(),
            ..prompt_for(&prompt.who, &format!("{}: which file is it?", prompt.title), Ask::Choice { options })
        };
        match self.ask_until_recordable(&asked) {
            Given::Answer(Answer::Chosen { key }) => {
                let place = key.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                let chosen = place.and_then(|place| found.into_iter().nth(place));
                Ok(chosen.map_or(Came::Back, |(_, envelope)| Came::Object(Box::new(envelope), Via::Medium)))
            }
            Given::Answer(Answer::No) => Ok(Came::Back),
            // Nobody simulated looks at sticks.
            Given::Simulate => Ok(Came::Back),
            other => Ok(Came::Given(other)),
        }
    }
}

#[cfg(test)]
mod tests;
