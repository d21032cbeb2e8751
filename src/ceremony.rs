//! Row 4: the pure machine. `advance(plan, state, event)` decides everything that happens in the room; what it decides is
//! data: entries to write, an effect to perform or a prompt to show.
//!
//! No I/O, no clock, no randomness, no secret: instants and heads arrive in events, secrets stay in the strongroom. The
//! same events give the same turns, byte for byte; `audit::replay` holds us to that.

pub mod advance;
pub mod batch;
pub mod effect;
pub mod event;
pub mod evidence;
pub mod exception;
pub mod interruption;
pub mod object;
pub mod prompt;
pub mod state;
pub mod steps;

pub use advance::{Next, Turn, advance, next, opening};
pub use effect::{Effect, Operation};
pub use event::{Answer, Event, FrontEndWord, Moment, Outcome, Via, What};
pub use exception::Sheet;
pub use prompt::{Ask, Line, Prompt};
pub use state::State;
