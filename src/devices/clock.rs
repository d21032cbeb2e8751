//! The clock. A rehearsal with a seed has a clock of its own, so that the same seed gives the same record.

use crate::basics::Instant;
use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where instants come from.
pub trait Clock {
    /// The instant an entry is stamped with.
    fn now(&self) -> Instant;
    /// What the screen shows; never moves a simulated clock.
    fn peek(&self) -> Instant;
}

/// The machine's clock, read to the millisecond.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Instant(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn peek(&self) -> Instant {
        self.now()
    }
}

/// A clock that starts where it is told and moves a few seconds with every entry.
pub struct SimulatedClock {
    at: Cell<u64>,
}

/// Milliseconds a simulated clock moves with every event.
const STRIDE: u64 = 7_013;

impl SimulatedClock {
    #[must_use]
    pub const fn starting_at(start: Instant) -> Self {
        Self { at: Cell::new(start.0) }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        self.at.set(self.at.get().saturating_add(STRIDE));
        Instant(self.at.get())
    }

    fn peek(&self) -> Instant {
        Instant(self.at.get())
    }
}
