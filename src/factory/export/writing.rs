//! Text with secrets in it, put together in one place of fixed size that is overwritten: a `String` that grows leaves copies behind.

use crate::basics::Secret;
use crate::factory::Refusal;
use data_encoding::BASE64;
use zeroize::Zeroizing;

/// Text being put together.
pub(super) struct Writing {
    text: Secret,
    full: bool,
}

impl Writing {
    pub(super) fn new(room: usize) -> Self {
        Self { text: Secret::with_capacity(room), full: false }
    }

    pub(super) fn octets(&mut self, octets: &[u8]) -> &mut Self {
        for octet in octets {
            self.full |= !self.text.push(*octet);
        }
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.octets(text.as_bytes())
    }

    /// Lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, octets: &[u8]) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for octet in octets {
            for nibble in [octet >> 4, octet & 15] {
                let digit = DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
                self.full |= !self.text.push(digit);
            }
        }
        self
    }

    pub(super) fn base64(&mut self, octets: &[u8]) -> &mut Self {
        let encoded = Zeroizing::new(BASE64.encode(octets));
        self.text(&encoded)
    }

    /// A PEM block, lines of 64.
    pub(super) fn pem(&mut self, label: &str, der: &[u8]) -> &mut Self {
        let encoded = Zeroizing::new(BASE64.encode(der));
        self.text("-----BEGIN ").text(label).text("-----\n");
        for line in encoded.as_bytes().chunks(64) {
            self.octets(line).text("\n");
        }
        self.text("-----END ").text(label).text("-----\n")
    }

    /// What was put together.
    ///
    /// # Errors
    /// Where the room did not do.
    pub(super) fn done(self, what: &str) -> Result<Secret, Refusal> {
        if self.full {
            Err(Refusal::malformed(what, "values that fit into their room", "longer ones"))
        } else {
            Ok(self.text)
        }
    }
}
