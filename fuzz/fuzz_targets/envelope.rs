//! The octets of an envelope.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/transfer_judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| judges::envelope(octets));
