//! The `allowed_signers` file of `ssh-keygen -Y verify`, in the one shape this project writes:
//!
//! ```text
//! alice@example namespaces="script-approval@anchorite,evidence@anchorite" ssh-ed25519 AAAAC3Nz... optional comment
//! ```
//! Empty lines and lines that start with `#` are skipped. No patterns, no certificates, no times, no second options:
//! whoever reads the file sees exactly who may sign what.

use super::{SshError, SshPublicKey};

/// Lines one file may have; a ceremony knows a few dozen people.
const LINES: usize = 1_000;

/// One person's key and what it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedSigner {
    pub who: String,
    pub namespaces: Vec<String>,
    pub key: SshPublicKey,
}

/// Parses a whole file.
///
/// # Errors
/// The first problem, with its line: a line of another shape, a name or namespace with a pattern in it, a key we do not
/// accept, or a key given twice (one person would count as two).
pub fn parse(text: &str) -> Result<Vec<AllowedSigner>, SshError> {
    let mut signers: Vec<AllowedSigner> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let refuse = |problem: String| SshError::AllowedSigners { line: number, problem };
        if number > LINES {
            return Err(refuse(format!("expected at most {LINES} lines, found more")));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let signer = parse_line(line).map_err(refuse)?;
        if let Some(earlier) = signers.iter().find(|earlier| earlier.key == signer.key) {
            return Err(refuse(format!("expected a key not given before, found that of {}", earlier.who)));
        }
        signers.push(signer);
    }
    Ok(signers)
}

fn parse_line(line: &str) -> Result<AllowedSigner, String> {
    let shape = "expected WHO namespaces=\"A,B\" TYPE BASE64, found";
    let (who, rest) = line.split_once(' ').ok_or(format!("{shape} one word"))?;
    if !is_plain(who) {
        return Err("expected a name without patterns, commas or quotes, found another".to_owned());
    }
    let rest = rest.strip_prefix("namespaces=\"").ok_or(format!("{shape} no namespaces"))?;
    let (list, key) = rest.split_once("\" ").ok_or(format!("{shape} no end of the namespaces"))?;
    let namespaces: Vec<String> = list.split(',').map(str::to_owned).collect();
    if namespaces.iter().any(|namespace| !is_plain(namespace)) {
        return Err("expected namespaces without patterns, spaces or quotes, found another".to_owned());
    }
    let key = SshPublicKey::parse(key).map_err(|error| error.to_string())?;
    Ok(AllowedSigner { who: who.to_owned(), namespaces, key })
}

/// Nothing `ssh-keygen` reads as a pattern (`*`, `?`, `!`), a list or a quote, and nothing that cannot be seen.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with('#')
        && word.bytes().all(|octet| octet.is_ascii_graphic() && !b"*?!,\"\\".contains(&octet))
}

/// Writes the file that [`parse`] reads back equal.
#[must_use]
pub fn render(signers: &[AllowedSigner]) -> String {
    signers
        .iter()
        .map(|signer| format!("{} namespaces=\"{}\" {}\n", signer.who, signer.namespaces.join(","), signer.key.line()))
        .collect()
}
