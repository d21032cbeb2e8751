//! The devices of a run, by realm: a production room cannot be built with seeded devices, because no constructor exists that
//! would do it.

use crate::basics::{Digest, Instant, Realm};
use crate::ceremony::event::Finding;
use crate::custody::draw::Draws;
use crate::devices::clock::{SimulatedClock, SystemClock};
use crate::devices::{Clock, air_gap, entropy};
use crate::runner::binding::Binding;
use crate::transfer::volume::MediumId;
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// A realm as a type.
pub trait RealmType {
    const REALM: Realm;
}

/// Real people, real devices.
pub struct Production;
/// Everything marked, nothing accepted elsewhere.
pub struct Rehearsal;

impl RealmType for Production {
    const REALM: Realm = Realm::Production;
}
impl RealmType for Rehearsal {
    const REALM: Realm = Realm::Rehearsal;
}

/// When seeded rehearsals begin: always the same.
const SIMULATED_START: &str = "2026-11-22T13:00:00Z";

/// The devices of one run.
pub struct Room<R: RealmType> {
    pub clock: Box<dyn Clock>,
    seed: Option<u64>,
    /// Whether clock and machine are simulated too, so that the same seed gives the same record.
    simulated_machine: bool,
    pub binding: Binding,
    realm: PhantomData<R>,
}

impl Room<Production> {
    /// The real room.
    #[must_use]
    pub fn real(binding: Binding) -> Self {
        Self { clock: Box::new(SystemClock), seed: None, simulated_machine: false, binding, realm: PhantomData }
    }
}

impl Room<Rehearsal> {
    /// A rehearsal's room. `seeded` also simulates the clock and the machine's facts.
    #[must_use]
    pub fn rehearsal(seed: u64, seeded: bool) -> Self {
        let clock: Box<dyn Clock> = if seeded {
            Box::new(SimulatedClock::starting_at(Instant::parse(SIMULATED_START).unwrap_or(Instant(0))))
        } else {
            Box::new(SystemClock)
        };
        Self { clock, seed: Some(seed), simulated_machine: seeded, binding: Binding::default(), realm: PhantomData }
    }

    /// The same with a clock that begins where the script says, where it does.
    #[must_use]
    pub fn beginning_at(mut self, at: Option<Instant>) -> Self {
        if let Some(at) = at {
            self.clock = Box::new(SimulatedClock::starting_at(at));
        }
        self
    }

    /// The same after a resume: a simulated clock goes on from the last entry.
    #[must_use]
    pub fn resumed(seed: u64, seeded: bool, last: Instant) -> Self {
        let mut room = Self::rehearsal(seed, seeded);
        if seeded {
            room.clock = Box::new(SimulatedClock::starting_at(last));
        }
        room
    }
}

impl<R: RealmType> Room<R> {
    /// The seed of the strongroom's draws; always `None` in production.
    #[must_use]
    pub const fn seed(&self) -> Option<u64> {
        self.seed
    }

    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        if self.simulated_machine { air_gap::simulated() } else { air_gap::findings() }
    }

    #[must_use]
    pub fn machine(&self) -> BTreeMap<String, String> {
        if self.simulated_machine {
            BTreeMap::from([("host".to_owned(), "simulated".to_owned())])
        } else {
            air_gap::machine()
        }
    }

    #[must_use]
    pub fn own_digest(&self) -> String {
        if self.simulated_machine { String::new() } else { air_gap::own_digest() }
    }

    /// The salt of an entry.
    ///
    /// # Errors
    /// Where the kernel has no random octets.
    pub fn salt(&self, ceremony: &str, plan: &Digest, seq: u32) -> Result<Digest, String> {
        self.draw(ceremony, plan, "salt", seq)
    }

    /// The seed of the serial numbers.
    ///
    /// # Errors
    /// Where the kernel has no random octets.
    pub fn serial_seed(&self, ceremony: &str, plan: &Digest) -> Result<Digest, String> {
        self.draw(ceremony, plan, "serial-seed", 0)
    }

    /// The id of a medium that has none yet; `index` is its place among the plan's materials.
    ///
    /// # Errors
    /// Where the kernel has no random octets.
    pub fn medium_id(&self, ceremony: &str, plan: &Digest, index: u32) -> Result<MediumId, String> {
        let drawn = self.draw(ceremony, plan, "medium-id", index)?;
        let (octets, _) = drawn.octets().split_first_chunk().ok_or("expected 32 octets")?;
        Ok(MediumId::from_octets(*octets))
    }

    fn draw(&self, ceremony: &str, plan: &Digest, purpose: &str, index: u32) -> Result<Digest, String> {
        match self.seed.filter(|_| self.simulated_machine) {
            Some(seed) => {
                let octets = Draws::rehearsal(seed, ceremony, plan).expand("record", purpose, index, 0, 32);
                let octets: [u8; 32] = octets.expose().try_into().map_err(|_| "expected 32 octets")?;
                Ok(Digest::from_octets(octets))
            }
            None => entropy::octets32(),
        }
    }
}
