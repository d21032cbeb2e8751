//! Bytewords (BCR-2020-012), minimal style: two letters an octet, the first and the last of its word, and a CRC-32 at the
//! end. `bytewords.txt` is the list of that paper.

use std::sync::LazyLock;

static PAIRS: LazyLock<Vec<[u8; 2]>> = LazyLock::new(|| {
    let words = include_str!("bytewords.txt").split_ascii_whitespace().map(str::as_bytes);
    words.filter_map(|word| Some([*word.first()?, *word.last()?])).collect()
});

/// What an octet two small letters stand for, by `26 * first + last`.
static OCTETS: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let mut octets = vec![None; 26 * 26];
    for (octet, pair) in (0..=u8::MAX).zip(PAIRS.iter()) {
        if let Some(place) = place(*pair).and_then(|place| octets.get_mut(place)) {
            *place = Some(octet);
        }
    }
    octets
});

/// Capital letters, for the alphanumeric mode of QR.
pub(super) fn encode(payload: &[u8]) -> String {
    let checksum = crc32(payload).to_be_bytes();
    let pairs = payload.iter().chain(&checksum).filter_map(|&octet| PAIRS.get(usize::from(octet)));
    pairs.flatten().map(|letter| char::from(letter.to_ascii_uppercase())).collect()
}

/// The payload, without its checksum. `None` where a letter, the length or the checksum is wrong.
pub(super) fn decode(letters: &str) -> Option<Vec<u8>> {
    if !letters.len().is_multiple_of(2) {
        return None;
    }
    let pairs = letters.as_bytes().as_chunks::<2>().0;
    let octet = |pair: &[u8; 2]| OCTETS.get(place(pair.map(|letter| letter.to_ascii_lowercase()))?).copied().flatten();
    let mut octets: Vec<u8> = pairs.iter().map(octet).collect::<Option<_>>()?;
    let checksum = octets.split_off(octets.len().checked_sub(4)?);
    (crc32(&octets).to_be_bytes() == checksum.as_slice()).then_some(octets)
}

fn place([first, last]: [u8; 2]) -> Option<usize> {
    let letter = |octet: u8| octet.checked_sub(b'a').filter(|letter| *letter < 26).map(usize::from);
    Some(letter(first)? * 26 + letter(last)?)
}

/// CRC-32 of ISO/IEC 13239, which zlib and PNG use too (frames have CRC-32C).
pub(super) fn crc32(octets: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            // invariant: index is below 256
            #[allow(clippy::indexing_slicing)]
            {
                table[index] = value;
            }
            index += 1;
        }
        table
    };
    !octets.iter().fold(u32::MAX, |crc, &octet| {
        let [low, ..] = crc.to_le_bytes();
        TABLE.get(usize::from(low ^ octet)).copied().unwrap_or(0) ^ crc >> 8
    })
}
