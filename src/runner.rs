//! Row 7: runs a plan. Event in, `advance`, entries made durable, effect performed, outcome back in as an event.

pub mod front_end;
