//! The layout against its specification, its own inverse, and every file of the corpus.

use super::*;
use crate::basics::{Digest, Realm};
use proptest::prelude::*;

fn readme() -> &'static str {
    include_str!("../../../media/README.md").split("\n## The volume\n").nth(1).unwrap()
}

fn example(of: &str) -> &'static str {
    let section = readme().split(&format!("### `{of}`\n")).nth(1).unwrap();
    section.split("```json\n").nth(1).unwrap().split("\n```").next().unwrap()
}

fn file(name: &str, octets: &[u8]) -> ListedFile {
    ListedFile { name: FileName::parse(name).unwrap(), sha256: Digest::of(octets), size: octets.len() as u64 }
}

fn id() -> MediumId {
    MediumId::parse("00112233445566778899aabbccddeeff").unwrap()
}

#[test]
fn the_examples_of_the_specification_are_what_we_write() {
    let volume = Volume { id: id(), label: Label::parse("vault-a").unwrap() };
    assert_eq!(String::from_utf8(volume.to_octets().unwrap()).unwrap(), example("VOLUME"));
    assert_eq!(Volume::parse(example("VOLUME").as_bytes()).unwrap(), volume);
    let manifest =
        Manifest::new(ExportName::FIRST, id(), Realm::Production, vec![file("hello.txt", b"hello\n")]).unwrap();
    assert_eq!(String::from_utf8(manifest.to_octets().unwrap()).unwrap(), example("MANIFEST"));
    assert_eq!(Manifest::parse(example("MANIFEST").as_bytes()).unwrap(), manifest);
    let digest = manifest.digest().unwrap();
    let shown = format!("digest  {}\nwords   {}\n", digest.hex(), digest.twelve_words());
    assert!(readme().contains(&shown), "the specification should say\n{shown}");
}

#[test]
fn the_bounds_of_the_specification_are_those_of_the_code() {
    for said in [
        format!("at most {} octets", grouped(limits::VOLUME_OCTETS)),
        format!("at most {} MiB, no line break", limits::MANIFEST_OCTETS >> 20),
        format!("1 to\n{} files", grouped(limits::EXPORT_FILES)),
        format!(
            "at most {} MiB, together at most {} MiB",
            limits::MEDIUM_FILE_OCTETS >> 20,
            limits::EXPORT_OCTETS >> 20
        ),
        format!("more than {} names", grouped(limits::MEDIUM_ENTRIES)),
        format!("has 1 to {} of the characters", limits::MEDIUM_NAME_OCTETS),
    ] {
        assert!(readme().contains(&said), "{said}");
    }
    for name in ["System Volume Information", "lost+found", ".Trashes", ".Trash-1000", ".fseventsd", ".Spotlight-V100"]
    {
        assert!(is_of_another_system(name) && readme().contains(&format!("`{name}`")), "{name}");
    }
}

fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

#[test]
fn names_that_some_file_system_or_reader_would_change_are_refused() {
    let long = "a".repeat(65);
    for bad in [
        "",
        ".",
        "..",
        ".hidden",
        "-option",
        "_x",
        "a/b",
        "../a",
        "a\\b",
        "a b",
        "a.",
        "a:b",
        "a*",
        "a?",
        "con",
        "CON.txt",
        "Aux.tar.gz",
        "com1",
        "LPT9.pem",
        "nul",
        "manifest",
        "MANIFEST",
        "a\u{1b}[2J",
        "a\nb",
        "a\u{202e}b",
        "ä",
        "a\0b",
        long.as_str(),
    ] {
        assert!(FileName::parse(bad).is_err(), "{bad:?}");
    }
    for good in
        ["a", "0", "small-root.1.crl.pem", "CONSOLE", "com", "com10.txt", "null", "MANIFEST.txt", "a..b", &long[..64]]
    {
        assert!(FileName::parse(good).is_ok(), "{good:?}");
    }
    for bad in ["", "-a", "A", "a_b", "vault a", "vault.a", "v\u{e4}ult", long.as_str()] {
        assert!(Label::parse(bad).is_err(), "{bad:?}");
    }
    for bad in ["EXP-0000", "EXP-1", "EXP-00001", "exp-0001", "EXP-+001", "EXP-10000", "EXP_0001", "EXP-０００１", ""]
    {
        assert!(ExportName::parse(bad).is_err(), "{bad:?}");
    }
    assert_eq!(ExportName::parse("EXP-9999").unwrap().after(), None);
    assert_eq!(ExportName::FIRST.after().unwrap().to_string(), "EXP-0002");
}

#[test]
fn a_manifest_says_what_it_refuses() {
    let new = |files| Manifest::new(ExportName::FIRST, id(), Realm::Rehearsal, files).map_err(|e| e.to_string());
    assert_eq!(new(vec![]).unwrap_err(), "MANIFEST: expected 1 to 4000 files, found 0");
    let many = |n: usize| (0..n).map(|i| file(&format!("f{i}"), b"")).collect::<Vec<_>>();
    assert!(new(many(4_000)).is_ok());
    assert!(new(many(4_001)).unwrap_err().contains("found 4001"));
    assert!(new(vec![file("a", b""), file("a", b"")]).unwrap_err().contains("each once, found a after a"));
    assert!(
        new(vec![file("A.pem", b""), file("a.PEM", b"")]).unwrap_err().contains("one name where case does not count")
    );
    let long = ListedFile { size: limits::MEDIUM_FILE_OCTETS as u64 + 1, ..file("a", b"") };
    assert!(new(vec![long]).unwrap_err().contains("expected at most 16777216 octets"));
    let full = |i: usize| ListedFile { size: limits::MEDIUM_FILE_OCTETS as u64, ..file(&format!("f{i:02}"), b"") };
    assert!(new((0..16).map(full).collect()).is_ok());
    assert!(new((0..17).map(full).collect()).unwrap_err().contains("in all"));
}

#[test]
fn what_is_written_differently_is_refused() {
    let (volume, manifest) = (example("VOLUME"), example("MANIFEST"));
    for (from, to) in [
        ("{\"format", " {\"format"),
        ("\"}", "\"}\n"),
        ("/1", "/2"),
        ("\"vault-a\"", "\"vault-a\",\"x\":1"),
        ("\"id\":\"00", "\"id\":\"0O"),
        ("\"id\":\"00", "\"id\":\""),
        ("vault-a", "Vault-a"),
        ("vault-a", "\\u0076ault-a"),
    ] {
        let changed = volume.replacen(from, to, 1);
        assert_ne!(changed, volume, "{from}");
        assert!(Volume::parse(changed.as_bytes()).is_err(), "{changed}");
    }
    for (from, to) in [
        ("hello.txt", "../hello.txt"),
        ("hello.txt", "hello\\u001b.txt"),
        ("hello.txt", "hel\u{202e}lo.txt"),
        ("\"size\":6", "\"size\":6.0"),
        ("\"size\":6", "\"size\":-6"),
        ("\"size\":6", "\"size\":99999999999"),
        ("\"size\":6", "\"mode\":7,\"size\":6"),
        ("5891", "589"),
        ("5891", "5 91"),
        ("5891b", "5891B"),
        ("EXP-0001", "EXP-0000"),
        ("production", "Production"),
        ("production", "test"),
        ("-export/1", "-export/2"),
        ("\"medium\":\"00", "\"medium\":\""),
    ] {
        let changed = manifest.replacen(from, to, 1);
        assert_ne!(changed, manifest, "{from}");
        assert!(Manifest::parse(changed.as_bytes()).is_err(), "{changed}");
    }
    assert!(Volume::parse(&[b' '; 2_000]).is_err());
    assert!(Manifest::parse(&vec![b'['; limits::MANIFEST_OCTETS + 1]).is_err());
}

/// What holds of any octets whatever: no panic, and what is taken is written back the same. `fuzz/fuzz_targets/volume.rs` asks
/// the same of more of them.
fn holds(octets: &[u8]) -> bool {
    let volume = Volume::parse(octets).map(|v| v.to_octets());
    let manifest = Manifest::parse(octets).map(|m| m.to_octets());
    for written in [&volume, &manifest].into_iter().flatten() {
        assert_eq!(written.as_deref().unwrap(), octets);
    }
    volume.is_ok() || manifest.is_ok()
}

#[test]
fn the_corpus_and_mutations_of_it_are_taken_back_to_front_or_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/volume");
    let (mut good, mut bad) = (0, 0);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let octets = std::fs::read(&path).unwrap();
        assert_eq!(holds(&octets), name.starts_with("good-"), "{name}");
        if name.starts_with("good-") {
            good += 1
        } else {
            bad += 1
        }
        for _ in 0..2_000 {
            let mut changed = octets.clone();
            for _ in 0..=draw(3) {
                let at = draw(changed.len().max(1));
                match draw(4) {
                    0 if !changed.is_empty() => changed[at] = u8::try_from(draw(256)).unwrap(),
                    1 if !changed.is_empty() => drop(changed.remove(at)),
                    2 => changed.insert(at.min(changed.len()), b"{}[]\",:0\\.-/\x1b\xff"[draw(14)]),
                    _ => changed.truncate(at),
                }
            }
            holds(&changed);
        }
    }
    assert!(good >= 4 && bad >= 20, "{good} good, {bad} bad");
}

proptest! {
    #[test]
    fn whatever_makes_a_manifest_comes_back_the_same(
        names in proptest::collection::btree_set("[a-z0-9][a-z0-9._-]{0,40}[a-z0-9]", 1..20),
        sizes in proptest::collection::vec(0..=limits::MEDIUM_FILE_OCTETS as u64 / 2, 20),
        octets in any::<[u8; 16]>(), rehearsal in any::<bool>(),
    ) {
        let names: Vec<FileName> = names.iter().filter_map(|n| FileName::parse(n).ok()).collect();
        prop_assume!(!names.is_empty());
        let files = names.into_iter().zip(sizes)
            .map(|(name, size)| ListedFile { sha256: Digest::of(name.as_str().as_bytes()), name, size }).collect();
        let realm = if rehearsal { Realm::Rehearsal } else { Realm::Production };
        let manifest = Manifest::new(ExportName::FIRST, MediumId::from_octets(octets), realm, files).unwrap();
        let written = manifest.to_octets().unwrap();
        prop_assert_eq!(Manifest::parse(&written).unwrap(), manifest);
        prop_assert!(holds(&written));
    }

    #[test]
    fn any_text_is_a_name_or_refused_and_never_both(text in any::<String>()) {
        if let Ok(name) = FileName::parse(&text) {
            prop_assert_eq!(name.as_str(), text.as_str());
            prop_assert!(text.is_ascii() && text.len() <= 64);
        }
    }
}
