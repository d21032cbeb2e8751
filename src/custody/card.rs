//! The card a custodian takes home: the share on the front, and on the back how to recover without this tool.
//!
//! It never prints: it gives text of at most 80 columns, for a printer in the room or to copy by hand. Steps that hand
//! out cards call it. The front is a share, hence secret; the back is the same for everybody.

use super::qr::{self, Medium, QrError};
use super::share::{self, Share};
use super::typed::{GROUPS, LINES};
use crate::basics::{Realm, SafeText, Secret};

/// The script on the back: Python, no imports but the standard library's, at most 60 lines.
pub const RECIPE: &str = include_str!("recipe.py");

/// What a person calls the things on a card.
pub struct Labels<'a> {
    pub quorum: &'a str,
    pub holder: &'a str,
}

/// The front: whose it is, what it belongs to, the share in four lines, blanks to fill in by hand, the code twice.
///
/// # Errors
/// Never for a share of this version; the code's error is passed on rather than hidden.
pub fn front(share: &Share, labels: &Labels<'_>) -> Result<Secret, QrError> {
    let header = share.header();
    let text = share.to_text();
    let codes = qr::for_paper(&qr::modules(&text, Medium::Paper)?, 2);
    let above = format!(
        "{}\n\n  holder      {}\n  quorum      {}    id {}\n  generation  {}\n  share       {} of {}, any {} are needed\n\n",
        banner(header.realm),
        SafeText::of(labels.holder),
        SafeText::of(labels.quorum),
        header.quorum_id,
        header.generation,
        header.index,
        header.count,
        header.threshold,
    );
    let mut parts: Vec<&[u8]> = vec![above.as_bytes()];
    let lines = share::lines(&text);
    for line in &lines {
        parts.extend([&b"     "[..], line.expose(), b"\n"]);
    }
    parts.extend([BLANKS.as_bytes(), codes.expose()]);
    Ok(joined(&parts))
}

/// The front before the ceremony: everything but the share, which its custodian writes into the four lines.
#[must_use]
pub fn blank_front(realm: Realm, labels: &Labels<'_>, index: usize, count: usize, threshold: u8) -> String {
    let line = ["____"; GROUPS].join("  ");
    let lines: String = (1..=LINES).map(|number| format!("     {number}   {line}\n\n")).collect();
    format!(
        "{}\n\n  holder      {}\n  quorum      {}    id ________\n  generation  ____\n  share       {index} of {count}, any {threshold} are needed\n\n{lines}{BLANKS}",
        banner(realm),
        SafeText::of(labels.holder),
        SafeText::of(labels.quorum),
    )
}

const fn banner(realm: Realm) -> &'static str {
    match realm {
        Realm::Production => "SHARE CARD                         keep secret, keep dry, tell nobody where",
        Realm::Rehearsal => "REHEARSAL  SHARE CARD              opens nothing; destroy after the rehearsal",
    }
}

/// What is filled in by hand.
const BLANKS: &str =
    "\n  date _______________   bag _______________\n\n  holder _______________   witness _______________\n";

/// The script for a quorum whose identity is written with this prefix.
#[must_use]
pub fn recipe(identity_prefix: &str) -> String {
    RECIPE.replace(CLASSICAL_PREFIX, identity_prefix)
}

/// What the script as it stands in the source writes: the identity of age's X25519.
const CLASSICAL_PREFIX: &str = "AGE-SECRET-KEY-";

/// The back: how k cards open a sealed key with Python, age and OpenSSL, in twenty years too. Its script writes the identity
/// with the prefix of this quorum's kind, so that nobody has to know which it is.
#[must_use]
pub fn back(identity_prefix: &str) -> String {
    let recipe = recipe(identity_prefix);
    let versions = if identity_prefix == CLASSICAL_PREFIX {
        ""
    } else {
        "   (age 1.3 or newer, OpenSSL 3.5 or newer: the keys are post-quantum)\n"
    };
    format!(
        "TO RECOVER WITHOUT ANCHORITE, on a computer that stays off every network:\n\
         1  Type the script below into recipe.py, and the shares of enough cards, four\n\
         \u{20}  lines each without their numbers, into shares. Spaces, dashes and small\n\
         \u{20}  letters do not matter.\n\
         2  python3 recipe.py < shares > identity\n\
         3  age -d -i identity KEY.age | openssl pkey -text\n{versions}\
         4  Destroy the memory and storage of that computer: identity opens every key\n\
         \u{20}  of the quorum.\n\n\
         {recipe}"
    )
}

/// Puts texts into one secret that never grows.
fn joined(parts: &[&[u8]]) -> Secret {
    let mut whole = Secret::with_capacity(parts.iter().map(|part| part.len()).sum());
    for &octet in parts.iter().copied().flatten() {
        whole.push(octet);
    }
    whole
}
