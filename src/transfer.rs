//! Row 1: what crosses the gap as frames of text. Pure: no file, clock or randomness.

pub mod calibration;
pub mod picture;
