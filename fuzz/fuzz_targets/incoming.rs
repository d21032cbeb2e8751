//! An object that comes into a ceremony.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/transfer_judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| judges::incoming(octets));
