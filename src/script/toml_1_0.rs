//! TOML 1.0, not 1.1: our parser reads both, other people's verifiers read 1.0. Finds what only 1.1 allows.

/// The first spelling in a text that TOML 1.1 allows and 1.0 does not; the text may be anything.
#[must_use]
pub fn newer(text: &str) -> Option<&'static str> {
    let mut rest = text;
    // Open brackets of values, innermost last; `,` seen last inside them.
    let (mut open, mut comma) = (Vec::new(), false);
    while let Some(first) = rest.chars().next() {
        let inline = open.last() == Some(&'{');
        if first == '"' || first == '\'' {
            let (string, after) = rest.split_at(string_length(rest, first));
            if first == '"' && has_newer_escape(string) {
                return Some("an escape of TOML 1.1 (\\e or \\x)");
            }
            (rest, comma) = (after, false);
            continue;
        }
        match first {
            '#' => {
                rest = rest.split_at(rest.find('\n').unwrap_or(rest.len())).1;
                continue;
            }
            '\n' if inline => return Some("an inline table of several lines"),
            '}' if inline && comma => return Some("a comma at the end of an inline table"),
            '[' | '{' => open.push(first),
            ']' | '}' => {
                open.pop();
            }
            ':' if is_time_without_seconds(text, text.len() - rest.len()) => return Some("a time without seconds"),
            _ => {}
        }
        comma = first == ',' || comma && first.is_whitespace();
        rest = rest.split_at(first.len_utf8()).1;
    }
    None
}

/// Octets of the string a text begins with, quotes included; all of it where it does not end.
fn string_length(text: &str, quote: char) -> usize {
    let octets = text.as_bytes();
    let mark = u8::try_from(quote).unwrap_or(b'"');
    let long = octets.starts_with(&[mark; 3]);
    let mut at = if long { 3 } else { 1 };
    while let Some(&octet) = octets.get(at) {
        if octet == b'\\' && quote == '"' {
            at += 2;
        } else if long && octets.get(at..).is_some_and(|rest| rest.starts_with(&[mark; 3])) {
            // Up to two quotes may stand before the three that end it.
            return at + octets.iter().skip(at).take_while(|o| **o == mark).count().min(5);
        } else if !long && (octet == mark || octet == b'\n') {
            return at + 1;
        } else {
            at += 1;
        }
    }
    text.len()
}

fn has_newer_escape(string: &str) -> bool {
    let mut escaped = false;
    for octet in string.bytes() {
        if escaped && matches!(octet, b'e' | b'x') {
            return true;
        }
        escaped = !escaped && octet == b'\\';
    }
    false
}

/// `:` in `12:30`, no other before or after, and not that of an offset like `+01:00`.
fn is_time_without_seconds(text: &str, colon: usize) -> bool {
    let octets = text.as_bytes();
    let before = colon.checked_sub(3).and_then(|at| octets.get(at));
    !matches!(before, Some(b':' | b'+' | b'-')) && octets.get(colon + 3) != Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::newer;

    #[test]
    fn what_only_toml_1_1_allows_is_found() {
        for text in
            ["x = \"\\e\"", "x = \"\\x41\"", "x = {\n a = 1 }", "x = { a = 1, }", "x = 07:32", "x = 1979-05-27T07:32Z"]
        {
            assert!(toml::from_str::<toml::Table>(text).is_ok(), "{text}: our parser reads it");
            assert!(newer(text).is_some(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left_alone() {
        for text in [
            "x = { a = [\n1,\n] }",
            "x = 1979-05-27T07:32:00.5+01:30",
            "x = '\\e\\x'",
            "x = \"\\\\e\"",
            "# {\n#,}\n",
            "y = '''{\n'''\nz = \"\"\"a\"\"\n{,}\\\n \"\"\"\"\n",
            "[a.b]\nx = \"12:30\" # 07:32\n",
        ] {
            assert!(toml::from_str::<toml::Table>(text).is_ok(), "{text}");
            assert_eq!(newer(text), None, "{text}");
        }
    }
}
