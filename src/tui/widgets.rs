//! The parts screens are made of: rows of text, fields, the header, the agenda, the hint bar, codes.
//!
//! Nothing here takes a key or knows what is being asked; everything here can be drawn at any size.

pub mod agenda;
pub mod field;
pub mod form;
pub mod header;
pub mod hint_bar;
pub mod qr_code;
pub mod row;
pub mod secret_field;
