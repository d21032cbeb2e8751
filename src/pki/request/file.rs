//! A request in a file as other programs write them: DER, or PEM with any words around it (certtool writes some, and
//! calls it NEW CERTIFICATE REQUEST). What is judged is the DER; the armour says nothing.

use super::reason::Reason;
use crate::basics::limits;
use data_encoding::{BASE64, Specification};

const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// The DER in a file.
///
/// # Errors
/// Where the file is too large, or is neither DER nor text with exactly one request.
pub fn der_of_file(octets: &[u8]) -> Result<Vec<u8>, Box<Reason>> {
    let refuse = |found: &str| Box::new(Reason::new("file", "file", "DER, or PEM with one certificate request", found));
    if octets.len() > 2 * limits::REQUEST_OCTETS {
        return Err(refuse(&format!("{} octets", octets.len())));
    }
    if octets.first() == Some(&super::canonical::SEQUENCE) {
        return Ok(octets.to_vec());
    }
    let text = std::str::from_utf8(octets).map_err(|_| refuse("octets that are neither"))?;
    let mut blocks = text.split("-----BEGIN ").skip(1);
    let block = blocks.next().ok_or_else(|| refuse("no PEM block"))?;
    if blocks.next().is_some() {
        return Err(refuse("more than one PEM block"));
    }
    let (label, rest) = block.split_once("-----").ok_or_else(|| refuse("a PEM block that does not begin"))?;
    if !LABELS.contains(&label) {
        return Err(refuse(&format!("a PEM block of {label}")));
    }
    let (body, _) =
        rest.split_once(&format!("-----END {label}-----")).ok_or_else(|| refuse("a PEM block that does not end"))?;
    let mut specification = Specification::new();
    specification.symbols.push_str(&BASE64.specification().symbols);
    specification.padding = Some('=');
    specification.ignore.push_str(" \t\r\n");
    let decoding = specification.encoding().map_err(|_| refuse("nothing that can be decoded"))?;
    decoding.decode(body.as_bytes()).map_err(|_| refuse("a PEM block that is not base64"))
}

#[cfg(test)]
mod tests {
    use super::der_of_file;

    #[test]
    fn the_armour_of_openssl_and_certtool_is_read_and_nothing_else() {
        let der = b"\x30\x03\x02\x01\x00".to_vec();
        assert_eq!(der_of_file(&der).unwrap(), der);
        for text in [
            "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQA=\n-----END CERTIFICATE REQUEST-----\n",
            "words\r\n-----BEGIN NEW CERTIFICATE REQUEST-----\r\nMAMC\r\nAQA=\r\n-----END NEW CERTIFICATE REQUEST-----\r\n",
        ] {
            assert_eq!(der_of_file(text.as_bytes()).unwrap(), der);
            assert!(der_of_file(text.repeat(2).as_bytes()).unwrap_err().to_string().contains("more than one"));
            let key = text.replace("CERTIFICATE REQUEST", "PRIVATE KEY");
            assert!(der_of_file(key.as_bytes()).unwrap_err().to_string().contains("PRIVATE KEY"));
            assert!(der_of_file(text.replace("AQA=", "AQA").as_bytes()).unwrap_err().to_string().contains("base64"));
            assert!(der_of_file(text.replace("AQA=", "AQB=").as_bytes()).unwrap_err().to_string().contains("base64"));
        }
        assert!(der_of_file(b"").is_err());
        assert!(der_of_file(&[0xff; 9]).is_err());
        assert!(der_of_file(&vec![b'a'; 200_000]).is_err());
    }
}
