//! Octets as `VOLUME` and as `MANIFEST`: no panic, and what is taken is written back to the same octets.
#![no_main]

use anchorite::transfer::volume::{Manifest, Volume};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(volume) = Volume::parse(octets) {
        assert_eq!(volume.to_octets().unwrap(), octets);
    }
    if let Ok(manifest) = Manifest::parse(octets) {
        assert_eq!(manifest.to_octets().unwrap(), octets);
        for file in manifest.files() {
            let name = file.name.as_str();
            assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.') && name.is_ascii());
        }
    }
});
