//! A bundle as one file: POSIX ustar (IEEE 1003.1), of regular files only, with nothing in it that changes from day to day: mode 0644,
//! owner 0, time 0. Any `tar` unpacks it.
//!
//! ```text
//! name (100) mode (8) uid (8) gid (8) size (12) mtime (12) chksum (8) typeflag '0' linkname (100) "ustar\0" "00" ... to 512 octets
//! content, filled with zeros to whole blocks of 512; two blocks of zeros at the end
//! ```

use crate::factory::{Class, Refusal};

const BLOCK: usize = 512;
const NAME: usize = 100;

/// Appends one file.
///
/// # Errors
/// Where the name is longer than 100 octets, or the file has 8 GiB.
pub fn file(tar: &mut Vec<u8>, name: &str, content: &[u8]) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > NAME {
        return Err(Refusal::new(Class::Malformed, "tar: name", "1 to 100 octets", name.len()));
    }
    if content.len() as u64 >= 1 << 33 {
        return Err(Refusal::new(Class::Malformed, format!("tar: {name}"), "less than 8 GiB", content.len()));
    }
    let mut header = Vec::with_capacity(BLOCK);
    field(&mut header, name, NAME);
    for (text, width) in [("0000644\0", 8), ("0000000\0", 8), ("0000000\0", 8)] {
        field(&mut header, text, width);
    }
    field(&mut header, &format!("{:011o}\0", content.len()), 12);
    field(&mut header, "00000000000\0", 12);
    // The sum is taken with its own field as spaces.
    let before = header.len();
    field(&mut header, "        ", 8);
    field(&mut header, "0", 1);
    field(&mut header, "", NAME);
    field(&mut header, "ustar\0", 6);
    field(&mut header, "00", 2);
    header.resize(BLOCK, 0);
    let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
    for (slot, octet) in header.iter_mut().skip(before).zip(format!("{sum:06o}\0 ").bytes()) {
        *slot = octet;
    }
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

/// Ends the archive.
pub fn end(tar: &mut Vec<u8>) {
    tar.resize(tar.len() + 2 * BLOCK, 0);
}

fn field(header: &mut Vec<u8>, text: &str, width: usize) {
    let end = header.len() + width;
    header.extend_from_slice(text.as_bytes());
    header.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::{end, file};

    #[test]
    fn blocks_are_whole_and_the_sum_is_that_of_its_header() {
        let mut tar = Vec::new();
        file(&mut tar, "shards/00000.age", &[7; 513]).unwrap();
        end(&mut tar);
        assert_eq!(tar.len(), 512 + 1024 + 1024);
        assert_eq!(&tar[..16], b"shards/00000.age");
        let said = u32::from_str_radix(std::str::from_utf8(&tar[148..154]).unwrap(), 8).unwrap();
        let sum: u32 = (0..512).map(|n| if (148..156).contains(&n) { 32 } else { u32::from(tar[n]) }).sum();
        assert_eq!(said, sum);
        assert!(file(&mut tar, &"x".repeat(101), b"").is_err());
    }
}
