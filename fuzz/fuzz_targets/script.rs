//! A script, or an order.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/pki_judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| judges::script(octets));
