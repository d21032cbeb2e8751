//! Keys, `allowed_signers` and signatures as `ssh-keygen -Y verify` reads them: a stranger judges by that program, so the
//! record is good here exactly where it is good there. What we write ourselves is stricter: see `keys::ssh`.

use crate::basics::SafeText;
use crate::basics::safe_text::is_printable;
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::keys::ssh::{self, SshPublicKey};
use crate::transcript::checkpoint::base64;
use std::collections::BTreeMap;

/// Who may sign: their keys as `TYPE BASE64`, in the order of the file.
pub type Trusted = BTreeMap<String, Vec<String>>;

const KEY_TYPES: [&str; 4] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"];

/// `TYPE BASE64` of an OpenSSH public key line, where it is one of a known type in strict base64.
#[must_use]
pub fn public_key(line: &str) -> Option<String> {
    let parts: Vec<&str> = line.split(' ').collect();
    let plain = |part: &&str| !part.is_empty() && part.chars().all(is_printable);
    let ([word, encoded] | [word, encoded, _]) = parts.as_slice() else { return None };
    if !KEY_TYPES.contains(word) || !parts.iter().all(plain) {
        return None;
    }
    let blob = decode(encoded.as_bytes()).filter(|blob| base64(blob) == *encoded)?;
    blob.starts_with(&string(word.as_bytes())).then(|| format!("{word} {encoded}"))
}

/// A pin file as whoever verifies wrote it: options other than namespaces are refused, so are patterns. A line without
/// namespaces allows any of them, and is given here without any.
///
/// # Errors
/// The first line that is not plainly understood.
pub fn pin_file(octets: &[u8]) -> Result<Vec<AllowedSigner>, String> {
    let mut signers = Vec::new();
    for (number, line) in lines(octets)? {
        let (who, namespaces, key) = parse_line(line).ok_or_else(|| refused(number, line))?;
        let key = SshPublicKey::parse(&key).map_err(|e| format!("line {number}: {e}"))?;
        let namespaces = namespaces.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default();
        signers.push(AllowedSigner { who: who.to_owned(), namespaces, key });
    }
    Ok(signers)
}

/// Of the signers a verifier brought, those who may sign in this namespace.
#[must_use]
pub fn pinned(signers: &[AllowedSigner], namespace: &str) -> Trusted {
    let mut trusted = Trusted::new();
    for signer in signers {
        if signer.namespaces.is_empty() || signer.namespaces.iter().any(|n| n == namespace) {
            trusted.entry(signer.who.clone()).or_default().push(signer.key.line().to_owned());
        }
    }
    trusted
}

/// Of the folder's own `allowed_signers`, those who may sign in this namespace.
///
/// # Errors
/// The first line that is not plainly understood.
pub fn allowed(octets: &[u8], namespace: &str) -> Result<Trusted, String> {
    let mut trusted = Trusted::new();
    for (number, line) in lines(octets)? {
        let (who, namespaces, key) = parse_line(line).ok_or_else(|| refused(number, line))?;
        if namespaces.is_none_or(|list| list.split(',').any(|n| n == namespace)) {
            trusted.entry(who.to_owned()).or_default().push(key);
        }
    }
    Ok(trusted)
}

fn refused(number: usize, line: &str) -> String {
    format!("line {number}: expected WHO namespaces=\"...\" TYPE KEY, found {}", SafeText::cut(line, 120))
}

fn lines(octets: &[u8]) -> Result<impl Iterator<Item = (usize, &str)>, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "expected UTF-8 text".to_owned())?;
    let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line.trim_matches([' ', '\t', '\r'])));
    Ok(lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')))
}

/// `WHO [namespaces="A,B"] TYPE KEY [comment]`, with blanks or tabs between.
fn parse_line(line: &str) -> Option<(&str, Option<&str>, String)> {
    let (who, rest) = word(line, "\"*?!,")?;
    let (namespaces, rest) = match rest.strip_prefix("namespaces=\"") {
        Some(rest) => {
            let (list, rest) = rest.split_once('"')?;
            if list.contains(['*', '?', '!']) || !rest.starts_with([' ', '\t']) {
                return None;
            }
            (Some(list), rest.trim_start_matches([' ', '\t']))
        }
        None => (None, rest),
    };
    let (kind, rest) = word(rest, "\"")?;
    let (key, _) = word(&format!("{rest} "), "\"").map(|(key, rest)| (key.to_owned(), rest.len()))?;
    Some((who, namespaces, public_key(&format!("{kind} {key}"))?))
}

/// The word a text begins with, none of `not` in it, and what follows the blanks after it.
fn word<'t>(text: &'t str, not: &str) -> Option<(&'t str, &'t str)> {
    let (word, rest) = text.split_at(text.find([' ', '\t'])?);
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let plain = !word.is_empty() && !word.chars().any(|c| space(c) || not.contains(c));
    plain.then(|| (word, rest.trim_start_matches([' ', '\t'])))
}

/// Whether one of these keys signed the body in this namespace.
#[must_use]
pub fn signed(body: &[u8], signature: &[u8], keys: &[String], namespace: &str) -> bool {
    let Some(armoured) = in_our_spelling(signature) else { return false };
    // `ssh-keygen` passes over a key it cannot read.
    let mut known = keys.iter().filter_map(|key| SshPublicKey::parse(key).ok());
    known.any(|key| ssh::verify(&key, namespace, body, &armoured).is_ok())
}

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// An armoured signature written as we write it, whatever line lengths, end and reserved field it came with
/// (PROTOCOL.sshsig; OpenSSH's `sshsig_dearmor` and `sshsig_verify`).
fn in_our_spelling(armoured: &[u8]) -> Option<String> {
    if armoured.contains(&0) || armoured.contains(&b'\r') {
        return None;
    }
    let rest = armoured.strip_prefix(BEGIN.as_bytes())?.strip_prefix(b"\n")?;
    let end = format!("\n{END}");
    let at = rest.windows(end.len()).position(|window| window == end.as_bytes())?;
    let blob = decode(rest.get(..at)?)?;
    let (version, rest) = blob.strip_prefix(b"SSHSIG")?.split_first_chunk::<4>()?;
    if u32::from_be_bytes(*version) > 1 {
        return None;
    }
    let (key, rest) = take(rest)?;
    let (namespace, rest) = take(rest)?;
    let (_reserved, rest) = take(rest)?;
    let (hash, rest) = take(rest)?;
    let (signature, rest) = take(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let mut ours = b"SSHSIG\0\0\0\x01".to_vec();
    for part in [key, namespace, &[], hash, signature] {
        ours.extend_from_slice(&string(part));
    }
    let encoded = base64(&ours);
    let mut text = format!("{BEGIN}\n");
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % 70 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    Some(format!("{text}\n{END}\n"))
}

/// An SSH string: four octets of length, then the octets.
fn string(octets: &[u8]) -> Vec<u8> {
    let mut string = u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    string.extend_from_slice(octets);
    string
}

fn take(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// RFC 4648 base64 with padding, white space anywhere (BIND's `b64_pton`).
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits, mut padding) = (0_u32, 0_u32, 0_u32);
    for &symbol in text.iter().filter(|symbol| !matches!(symbol, b' ' | b'\t'..=b'\r')) {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        word = word << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push(u8::try_from(word >> bits & 0xff).unwrap_or(0));
        }
        word &= (1 << bits) - 1;
    }
    // Four bits are left over before "==", two before "=", none otherwise; they are zero.
    (word == 0 && bits < 6 && padding * 2 == bits).then_some(octets)
}
