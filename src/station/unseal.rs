//! Opening what is sealed to this station: a whole shard when it is imported, one record of it when that is drawn.
//!
//! An age file is a stream of 64 KiB chunks, each authenticated with its number, so one record costs the chunk it lies in and not the
//! shard: 64 KiB at most before it, then the record. The crate's own `seek` would drop the octets before the record into memory that nobody
//! overwrites, so we seek to the chunk only and read the rest into our own. Seeking also authenticates the last chunk, and with it the length.

use crate::basics::{Secret, limits};
use crate::keys::recipient::identity::{Identity, sealed_to};
use std::io::{BufRead, Read, Seek, SeekFrom};
use zeroize::Zeroizing;

/// Octets of one chunk of an age file, opened.
const CHUNK: u64 = 64 * 1024;

/// Opens a whole shard, in memory that is overwritten when dropped.
///
/// # Errors
/// Where it is not an age file for this identity, is sealed to a recipient of another kind as well, is damaged, or is longer than a shard.
pub fn shard(identity: &Identity, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let kind = identity.kind();
    sealed_to(kind, sealed)
        .map_err(|found| format!("a stanza `{found}` in it, where only {} may be", kind.stanza_tag()))?;
    let mut reader = opened(identity, std::io::Cursor::new(sealed))?;
    let room = sealed.len().min(limits::SHARD_OCTETS + 1);
    let mut octets = Zeroizing::new(Vec::with_capacity(room));
    // Room for all of it was made, so the vector never grows and leaves no copy.
    (&mut reader).take(room as u64).read_to_end(&mut octets).map_err(|e| format!("it is damaged: {e}"))?;
    if octets.len() > limits::SHARD_OCTETS {
        return Err(format!("expected at most {} octets, found more", limits::SHARD_OCTETS));
    }
    Ok(octets)
}

/// Opens `octets` octets at `offset` of a shard, and nothing beyond their chunks.
///
/// # Errors
/// Where it is not an age file for this identity, is damaged there, or ends before.
pub fn record<R: BufRead + Seek>(identity: &Identity, sealed: R, offset: u64, octets: u32) -> Result<Secret, String> {
    let octets = octets as usize;
    if octets > limits::SHARD_OCTETS || offset > limits::SHARD_OCTETS as u64 {
        return Err("expected a record inside a shard".to_owned());
    }
    let mut reader = opened(identity, sealed)?;
    let begins = offset - offset % CHUNK;
    reader.seek(SeekFrom::Start(begins)).map_err(|e| format!("it is damaged: {e}"))?;
    let before = usize::try_from(offset - begins).unwrap_or_default();
    let mut read = Zeroizing::new(vec![0; before + octets]);
    reader.read_exact(&mut read).map_err(|e| format!("it is damaged: {e}"))?;
    let mut record = Secret::with_capacity(octets);
    read.iter().skip(before).for_each(|&octet| {
        record.push(octet);
    });
    Ok(record)
}

fn opened<R: BufRead>(identity: &Identity, sealed: R) -> Result<age::stream::StreamReader<R>, String> {
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|e| format!("expected an age v1 file: {e}"))?;
    decryptor
        .decrypt(std::iter::once(identity as &dyn age::Identity))
        .map_err(|e| format!("it does not open with this station's key: {e}"))
}

#[cfg(test)]
mod tests {
    use super::{record, shard};
    use crate::basics::Secret;
    use crate::keys::recipient::RecipientKind;
    use crate::keys::recipient::identity::Identity;
    use crate::strongroom::sealing;

    fn sealed(kind: RecipientKind, content: &[u8]) -> (Identity, Vec<u8>) {
        let identity = Identity::of(kind, &[0x42; 32]).ok().unwrap();
        let file = sealing::seal(&identity.recipient().unwrap(), &Secret::take(content.to_vec())).unwrap();
        (identity, file)
    }

    #[test]
    fn any_part_of_a_shard_opens_alone_and_is_what_the_whole_holds_there() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        for kind in RecipientKind::ALL {
            let (identity, file) = sealed(kind, &content);
            assert_eq!(*shard(&identity, &file).unwrap(), content);
            for (offset, octets) in
                [(0, 1), (0, 70_000), (65_535, 2), (65_536, 1), (131_071, 65_537), (199_999, 1), (196_608, 3_392)]
            {
                let part = record(&identity, std::io::Cursor::new(&file), offset, octets).unwrap();
                assert_eq!(part.expose(), &content[offset as usize..offset as usize + octets as usize], "{offset}");
            }
            assert!(record(&identity, std::io::Cursor::new(&file), 199_999, 2).is_err(), "beyond the end");
        }
    }

    #[test]
    fn a_shard_of_the_other_kind_or_of_both_kinds_is_refused_by_name() {
        let (classical, classical_file) = sealed(RecipientKind::X25519, b"x");
        let (hybrid, hybrid_file) = sealed(RecipientKind::MlKem768X25519, b"x");
        assert!(
            shard(&classical, &hybrid_file)
                .unwrap_err()
                .contains("a stanza `mlkem768x25519` in it, where only X25519 may be")
        );
        assert!(
            shard(&hybrid, &classical_file)
                .unwrap_err()
                .contains("a stanza `X25519` in it, where only mlkem768x25519 may be")
        );
        let at = b"age-encryption.org/v1\n".len();
        let mut both = hybrid_file[..at].to_vec();
        both.extend(b"-> X25519 ajtqAvDEkVNr2B7zUOtq2mAQXDSBlNrVAuM/dKb5sT4\nbody\n");
        both.extend(&hybrid_file[at..]);
        assert!(shard(&hybrid, &both).unwrap_err().contains("a stanza `X25519` in it"));
    }

    #[test]
    fn a_changed_or_shortened_shard_opens_nowhere_near_the_change() {
        let content = vec![7; 200_000];
        for kind in RecipientKind::ALL {
            let (identity, file) = sealed(kind, &content);
            for at in [30, 150, 1_000, 70_000, file.len() - 1] {
                let mut bad = file.clone();
                bad[at] ^= 1;
                assert!(shard(&identity, &bad).is_err(), "{at}");
            }
            let mut bad = file.clone();
            let header = file.len() - (200_000 + 4 * 16);
            bad[header + 66_300] ^= 1;
            assert!(record(&identity, std::io::Cursor::new(&bad), 65_536, 10).is_err());
            // Cut at a chunk's end: the last chunk does not say that it is the last.
            let cut = &file[..header + 2 * (65_536 + 16)];
            assert!(record(&identity, std::io::Cursor::new(cut), 65_536, 10).is_err());
            let other = Identity::of(kind, &[0x43; 32]).ok().unwrap();
            assert!(shard(&other, &file).unwrap_err().contains("does not open with this station's key"));
        }
    }
}
