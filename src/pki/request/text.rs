//! Whether the text of a name is what it looks like: no characters that hide or turn others, no letters of two scripts, no
//! letters of one script that look like ASCII. Tables and rules of UTS #39 come from `unicode-security`.

use crate::basics::safe_text::{is_dangerous, is_printable};
use unicode_normalization::is_nfc;
use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// Why a text is refused: the word of the reason, what was expected, what was found.
pub(super) type Finding = (&'static str, String, String);

/// Everything wrong with a text. `scripts` are the scripts allowed beside ASCII, by their Unicode names.
pub(super) fn findings(text: &str, scripts: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    let point = |character: char| format!("U+{:04X}", u32::from(character));
    let hidden: Vec<char> = text.chars().filter(|c| is_dangerous(*c) || !is_printable(*c)).collect();
    if let Some(first) = hidden.first() {
        found.push(("subject-invisible", "visible characters".to_owned(), point(*first)));
    }
    if text.trim() != text || text.contains("  ") {
        found.push(("subject-spaces", "single spaces between words only".to_owned(), format!("\"{text}\"")));
    }
    if text.is_ascii() {
        return found;
    }
    if !is_nfc(text) {
        found.push(("subject-normal-form", "Unicode normal form C".to_owned(), "another form".to_owned()));
    }
    let stranger = text.chars().find(|c| !c.is_ascii() && !hidden.contains(c) && !is_allowed(*c, scripts));
    if let Some(character) = stranger {
        let expected = match scripts {
            [] => "ASCII, since the rules allow no script beside it".to_owned(),
            some => format!("ASCII and letters of {}", some.join(", ")),
        };
        let script = character.script().full_name();
        found.push(("subject-script", expected, format!("{} ({script})", point(character))));
    }
    if !text.is_single_script() {
        let names = names_of_scripts(text).join(" and ");
        found.push(("subject-mixed-script", "letters of one script".to_owned(), names));
    }
    // Without what is hidden, which has its own reason.
    let seen: String = text.chars().filter(|c| !hidden.contains(c)).collect();
    if !seen.is_ascii() && skeleton(&seen).all(|character| character.is_ascii()) {
        let found_text = seen.chars().find(|c| !c.is_ascii()).map(point).unwrap_or_default();
        found.push((
            "subject-homograph",
            "a text that no ASCII text looks like".to_owned(),
            format!("one, by {found_text}"),
        ));
    }
    found
}

/// A name of a script that people may allow.
pub(super) fn is_script(name: &str) -> bool {
    Script::from_full_name(name)
        .is_some_and(|script| !matches!(script, Script::Common | Script::Inherited | Script::Unknown))
}

fn is_allowed(character: char, scripts: &[String]) -> bool {
    character.identifier_allowed()
        && scripts
            .iter()
            .filter_map(|name| Script::from_full_name(name))
            .any(|script| character.script_extension().contains_script(script))
        && character.script() != Script::Common
}

fn names_of_scripts(text: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = text
        .chars()
        .map(|character| character.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited))
        .map(|script| script.full_name())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
