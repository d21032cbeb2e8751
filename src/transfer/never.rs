//! What never crosses the gap in the open, whatever its kind is called: private keys, age identities, shares. Codes have onlookers,
//! and envelopes become codes. This finds what somebody sends by mistake, not what somebody hides.

use super::Envelope;
use data_encoding::BASE64_MIME_PERMISSIVE as BASE64;
use der::{Decode, Tag, Tagged};
use std::io::Read;

/// Why an object must not cross; `None` where it may.
#[must_use]
pub fn found_in(octets: &[u8]) -> Option<&'static str> {
    if let Ok(envelope) = Envelope::parse(octets) {
        return found_in(envelope.octets());
    }
    let capitals = octets.to_ascii_uppercase();
    let has = |words: &[u8]| capitals.windows(words.len()).any(|window| window == words);
    if has(b"PRIVATE KEY-----") || has(b"AGE-SECRET-KEY-") || is_private_der(octets) {
        return Some("a private key");
    }
    // The same octets written as base64 and nothing else.
    let decoded = std::str::from_utf8(octets).ok().and_then(|text| BASE64.decode(text.trim().as_bytes()).ok());
    if decoded.is_some_and(|decoded| is_private_der(&decoded)) {
        return Some("a private key");
    }
    holds_share(octets).then_some("a share")
}

/// As [`found_in`], of what is read in pieces: no piece's end hides what begins in it.
///
/// # Errors
/// What reading says.
pub fn found_in_pieces(from: &mut impl Read) -> std::io::Result<Option<&'static str>> {
    const PIECE: u64 = 1024 * 1024;
    // More than a share or the head of a key has, blanks between included.
    const OVERLAP: usize = 4 * 1024;
    let mut held = Vec::new();
    loop {
        held.drain(..held.len().saturating_sub(OVERLAP));
        let read = from.by_ref().take(PIECE).read_to_end(&mut held)?;
        if let Some(found) = found_in(&held) {
            return Ok(Some(found));
        }
        if (read as u64) < PIECE {
            return Ok(None);
        }
    }
}

/// PKCS#8, or RFC 5915: a sequence that begins with version 1 and an octet string.
fn is_private_der(octets: &[u8]) -> bool {
    pkcs8::PrivateKeyInfoRef::from_der(octets).is_ok()
        || der::AnyRef::from_der(octets)
            .is_ok_and(|any| any.tag() == Tag::Sequence && any.value().starts_with(&[2, 1, 1, 4]))
}

/// The text of a share, as on its card: the prefix and a line's worth of its alphabet, blanks aside.
fn holds_share(octets: &[u8]) -> bool {
    const LINE: usize = 20;
    let written: Vec<u8> = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let of_a_share = |octet: &u8| (octet.is_ascii_uppercase() || octet.is_ascii_digit()) && !b"1BIO".contains(octet);
    written.windows(LINE).any(|window| {
        (window.starts_with(b"KS1") || window.starts_with(b"KR1")) && window.iter().skip(3).all(of_a_share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basics::Realm;
    use crate::transfer::Kind;

    #[test]
    fn keys_and_shares_are_found_however_they_are_wrapped_and_certificates_are_not() {
        let der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20abcdefghijklmnopqrstuvwxyz012345";
        let base64 = BASE64.encode(der);
        let secrets: [&[u8]; 7] = [
            der,
            base64.as_bytes(),
            b"-----BEGIN PRIVATE KEY-----\nMC4=",
            b"  -----BEGIN OPENSSH PRIVATE KEY-----\n",
            b"age-secret-key-1qqqq",
            b"1  KS1R MKYL 8SPQ VZSY QQPQ\n2  GPSG",
            b"\x30\x05\x02\x01\x01\x04\x00",
        ];
        for secret in secrets {
            assert!(found_in(secret).is_some(), "{}", String::from_utf8_lossy(secret));
            let wrapped = Envelope::new(Kind::Chain, Realm::Production, "chain.pem", secret.to_vec()).unwrap();
            assert!(found_in(&wrapped.to_octets()).is_some(), "wrapped: {}", String::from_utf8_lossy(secret));
        }
        // Over the end of a piece, and in the last one.
        for before in [0, (1 << 20) - 5, (1 << 20) + 1, 3 << 20] {
            let mut long = vec![b'.'; before];
            assert_eq!(found_in_pieces(&mut long.as_slice()).unwrap(), None);
            long.extend_from_slice(b"AGE-SECRET-KEY-1QQQQ");
            assert!(found_in_pieces(&mut long.as_slice()).unwrap().is_some(), "{before}");
        }
        for open in [
            include_bytes!("../../transcripts/root-ca/artifacts/root-2026.crt.pem").as_slice(),
            include_bytes!("../../transcripts/root-ca/artifacts/root-2026.1.crl.pem"),
            b"anchorite/production/x\n12\nqqqq=\n",
        ] {
            assert_eq!(found_in(open), None);
        }
    }
}
