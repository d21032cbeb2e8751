//! PEM as RFC 7468 3 writes it strictly: 64 characters a line, line feeds, one block, nothing around it.

use super::PkiError;
use der::pem::LineEnding;

pub const CERTIFICATE: &str = "CERTIFICATE";
pub const CRL: &str = "X509 CRL";

/// The octets as one PEM block with this label.
///
/// # Errors
/// Where the label is not one, or there are too many octets.
pub fn to_pem(label: &str, der: &[u8]) -> Result<String, PkiError> {
    der::pem::encode_string(label, LineEnding::LF, der)
        .map_err(|cause| PkiError::Encoding { what: "PEM", cause: cause.to_string() })
}

/// The octets of the one block with this label.
///
/// # Errors
/// Where there is another label, a second block, words around it, or the same octets in another spelling.
pub fn from_pem(label: &str, text: &str) -> Result<Vec<u8>, PkiError> {
    let malformed = || PkiError::malformed("PEM", "one block as this tool writes it, with the expected label");
    let (_, octets) = der::pem::decode_vec(text.as_bytes()).map_err(|_| malformed())?;
    if to_pem(label, &octets)? != text { Err(malformed()) } else { Ok(octets) }
}

/// The octets of the one block with this label in a file of somebody else: words around it and carriage returns are let be.
///
/// # Errors
/// Where there is none, more than one, or what is in it is not base64.
pub fn lenient(label: &str, text: &[u8]) -> Result<Vec<u8>, PkiError> {
    let malformed = |expected| PkiError::malformed("PEM", expected);
    let text = std::str::from_utf8(text).map_err(|_| malformed("text"))?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = text.split(begin.as_str()).skip(1);
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        return Err(malformed("one block with the label of this kind"));
    };
    let (base64, _) = block.split_once(end.as_str()).ok_or(malformed("an end of the block"))?;
    let digits: String = base64.split_ascii_whitespace().collect();
    data_encoding::BASE64.decode(digits.as_bytes()).map_err(|_| malformed("base64"))
}
