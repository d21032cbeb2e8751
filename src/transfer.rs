//! Row 1: what crosses the air gap, as octets and back. Pure: no file, camera or screen is touched here.

pub mod volume;
