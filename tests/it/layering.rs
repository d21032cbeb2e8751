//! Rules about the source: who may use whom, how long a file is, what it may be called, who prints.

use crate::program::{files, root};
use std::collections::BTreeMap;

/// Rows in order; a row may use only rows above it.
const ROWS: [(&str, u8); 19] = [
    ("basics", 0),
    ("keys", 1),
    ("custody", 1),
    ("factory", 1),
    ("pki", 1),
    ("transcript", 1),
    ("transfer", 1),
    ("script", 2),
    ("plan", 3),
    ("ceremony", 4),
    ("audit", 5),
    ("devices", 6),
    ("ledger", 6),
    ("strongroom", 6),
    ("bundles", 7),
    ("runner", 7),
    ("station", 7),
    ("cli", 8),
    ("tui", 8),
];

/// Siblings that may use each other, from -> to.
const SIBLINGS: [(&str, &str); 6] = [("factory", "keys"), ("factory", "pki"), ("pki", "keys"), ("transcript", "keys"), ("cli", "tui"), ("runner", "bundles")];

fn sources() -> Vec<(String, String)> {
    files(&root().join("src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| (path.strip_prefix(root()).unwrap().display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The modules named right after a `crate::`: one, or those of a group.
fn first_words(after: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let Some(group) = after.strip_prefix('{') else { return vec![&after[..word(after)]] };
    let mut depth = 0_usize;
    let mut starts = vec![0];
    for (at, octet) in group.bytes().enumerate() {
        match octet {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts.into_iter().map(|at| group[at..].trim_start()).map(|text| &text[..word(text)]).collect()
}

fn violations(sources: &[(String, String)]) -> Vec<String> {
    let rows: BTreeMap<&str, u8> = ROWS.into_iter().collect();
    let mut found = Vec::new();
    for (path, text) in sources {
        let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let Some(&row) = rows.get(module) else {
            found.push(format!("{path} is in no row"));
            continue;
        };
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for used in code.split("crate::").skip(1).flat_map(first_words) {
            let Some(&other) = rows.get(used) else { continue };
            let sibling = other == row && used != module && !SIBLINGS.contains(&(module, used));
            if other > row || sibling {
                found.push(format!("{path} (row {row}) uses {used} (row {other})"));
            }
        }
    }
    found
}

#[test]
fn every_row_uses_only_rows_above_it() {
    let found = violations(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_row_that_uses_one_below_it_is_found() {
    let planted = vec![("src/keys/x.rs".to_owned(), "use crate::runner::Run;".to_owned())];
    assert_eq!(violations(&planted).len(), 1);
    let planted = vec![("src/keys.rs".to_owned(), "use crate::pki::Profile;".to_owned())];
    assert_eq!(violations(&planted).len(), 1);
}

#[test]
fn a_group_or_a_path_or_a_module_without_a_row_hides_nothing() {
    for planted in [
        "use crate::{basics::Digest, runner::Run};",
        "use crate::{\n    basics::{Digest, Realm},\n    cli,\n};",
        "fn f() -> crate::devices::Clock {}",
    ] {
        assert_eq!(violations(&[("src/pki/x.rs".to_owned(), planted.to_owned())]).len(), 1, "{planted}");
    }
    assert_eq!(violations(&[("src/extra/x.rs".to_owned(), String::new())]).len(), 1);
    assert!(
        violations(&[("src/pki/x.rs".to_owned(), "use crate::{basics::Digest, keys::ssh};".to_owned())]).is_empty()
    );
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 500, "{path} has more than 500 lines");
        for banned in ["utils", "util", "common", "helpers", "misc", "manager", "handler", "types", "mod"] {
            assert!(!path.ends_with(&format!("/{banned}.rs")), "{path} says nothing about what it holds");
        }
        assert!(text.starts_with("//!"), "{path} does not open with what it is for");
    }
}

#[test]
fn only_front_ends_print() {
    for (path, text) in sources() {
        let front = path.contains("tests") || ["src/cli", "src/tui", "src/main"].iter().any(|f| path.starts_with(f));
        for call in ["println!(", "eprintln!(", "print!(", "eprint!(", "dbg!("] {
            assert!(front || !text.contains(call), "{path} prints");
        }
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let reasons = std::fs::read_to_string(root().join("src/ARCHITECTURE.md")).unwrap();
    for name in manifest["dependencies"].as_table().unwrap().keys() {
        assert!(reasons.contains(name.as_str()), "src/ARCHITECTURE.md does not say why {name} is here");
    }
}

#[test]
fn no_banned_crate_is_in_the_lock_file() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for banned in ["sharks", "blahaj", "ring", "openssl-sys", "tokio", "hyper", "reqwest"] {
        assert!(!lock.contains(&format!("name = \"{banned}\"\n")), "{banned} is banned (deny.toml)");
    }
    let lock: toml::Table = toml::from_str(&lock).unwrap();
    for package in lock["package"].as_array().unwrap() {
        let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        let source = package.get("source").and_then(|s| s.as_str()).unwrap_or_default();
        assert!(source.is_empty() || source.starts_with("registry+"), "{name} comes from {source}");
        if name == "vsss-rs" {
            let parts: Vec<u32> = version.split('.').take(2).map(|p| p.parse().unwrap()).collect();
            assert!(parts >= vec![5, 4], "vsss-rs {version} is banned (deny.toml)");
        }
    }
}
