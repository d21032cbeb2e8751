//! A picture: the first octet says how many pixels a row has, or the octets are a PNG or JPEG file as they are.
#![no_main]

use anchorite::devices::picture_file;
use anchorite::transfer::picture::{Luma, read_codes};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    // Bounded by questions and not by a clock, so that the same octets do the same.
    let look = |luma: &Luma| {
        let mut left = 20_000_u32;
        let _ = read_codes(luma, &mut || {
            left = left.saturating_sub(1);
            left > 0
        });
    };
    if picture_file::is_picture(octets) {
        if let Ok(luma) = picture_file::decode(octets) {
            look(&luma);
        }
    } else if let Some((first, rest)) = octets.split_first() {
        let width = usize::from(*first).max(1);
        let height = rest.len() / width;
        if let Ok(luma) = Luma::new(width, height, rest[..width * height].to_vec()) {
            look(&luma);
        }
    }
});
