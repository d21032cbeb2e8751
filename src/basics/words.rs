//! Words to read aloud: the BIP-39 English list (2,048 words, MIT licence, github.com/bitcoin/bips), 11 bits a word,
//! most significant bit first. No checksum word: these are for comparing, not for storing.

use std::sync::LazyLock;

static LIST: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// The first `count` words of `octets`; fewer where the octets run out.
#[must_use]
pub fn of(octets: &[u8], count: usize) -> Vec<&'static str> {
    let available = octets.len() * 8 / 11;
    (0..count.min(available))
        .filter_map(|index| {
            let value = (0..11).fold(0_usize, |value, bit| {
                let position = index * 11 + bit;
                let octet = octets.get(position / 8).copied().unwrap_or(0);
                value << 1 | usize::from(octet >> (7 - position % 8) & 1)
            });
            LIST.get(value).copied()
        })
        .collect()
}

/// Lower case, single spaces: how typed words are compared.
#[must_use]
pub fn normalise(typed: &str) -> String {
    typed.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Whether `word` is on the list; a typing aid, no secret is compared with it.
#[must_use]
pub fn known(word: &str) -> bool {
    LIST.binary_search(&word).is_ok()
}
