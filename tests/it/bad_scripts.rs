//! Every kind of mistake in a script is found, with its place and what to do.

use crate::program::{OWN_KEYS, anchorite, code, own_script as own, root, said};

fn check(text: &[u8]) -> (i32, String) {
    check_for("rehearsal", text)
}

fn check_for(realm: &str, text: &[u8]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("profiles")).unwrap();
    let profile = root().join("ceremony-scripts/profiles/root-device.toml");
    std::fs::copy(profile, folder.path().join("profiles/root-device.toml")).unwrap();
    std::fs::write(folder.path().join("script.toml"), text).unwrap();
    let output = anchorite(&["check", folder.path().to_str().unwrap(), "--realm", realm]);
    (code(&output), said(&output))
}

fn script() -> String {
    std::fs::read_to_string(root().join("ceremony-scripts/small-root/script.toml")).unwrap()
}

/// A change to the script, and what `check` must say.
const MISTAKES: [(&str, &str, &str); 22] = [
    ("minutes = 1\nsay = \"This machine", "minuts = 1\nsay = \"This machine", "did you mean `minutes`?"),
    ("id = \"clock\"", "id = \"machine\"", "there are two of step `machine`"),
    ("threshold = 2", "threshold = 5", "needs 5 of 3 custodians, more than there are"),
    ("holders = [\"grace\"]", "holders = [\"ada\"]", "which are incompatible"),
    (
        "materials = [\"laptop\", \"vault-a\", \"bag-spare\"]",
        "materials = [\"laptop\", \"bag-spare\"]",
        "comes before material vault-a has been read back",
    ),
    ("kind = \"check-shares\"", "kind = \"statement\"", "authority"),
    ("not_after = \"2046", "not_after = \"2056", "valid for more than 25 years"),
    ("not_after = \"2046-11-22T00:00:00Z\"", "not_after = \"soon\"", "expected a date like"),
    ("format = \"anchorite-script/1\"", "format = \"anchorite-script/9\"", "expected format \"anchorite-script/1\""),
    ("tool = \"0.1.0\"", "tool = \"9.0.0\"", "this script needs anchorite 9.0.0 or newer"),
    ("kind = \"close-evidence\"", "kind = \"statement\"", "must close the evidence"),
    ("kind = \"roll-call\"", "kind = \"rol-call\"", "did you mean `roll-call`?"),
    ("quorum = \"small-root\"", "quorum = \"smal-root\"", "did you mean `small-root`?"),
    ("algorithm = \"ecdsa-p256\"", "algorithm = \"rsa\"", "expected an algorithm"),
    ("recipient = \"mlkem768x25519\"", "recipient = \"kyber\"", "expected x25519 or mlkem768x25519, found `kyber`"),
    (
        "recipient = \"mlkem768x25519\"\n",
        "",
        "quorum small-root is classical (x25519): nothing that counts after 2035-12-31 is sealed by it",
    ),
    (
        "recipient = \"mlkem768x25519\"",
        "recipient = \"x25519\"",
        "add `recipient = \"mlkem768x25519\"` to [[quorum]] small-root",
    ),
    (
        "who = \"administrator\"\nconfirm = [\"witness\"]",
        "who = \"administrator\"\nconfirm = [\"administrator\"]",
        "somebody other than who acts",
    ),
    ("profile = \"root-device\"", "profile = \"root-devise\"", "there is no profile root-devise"),
    ("initials = \"GH\"", "initials = \"AB\"", "the same initials"),
    ("[[person]]\nid = \"ada\"", "[[person]]\nid = \"ada\"\nid = \"ada\"", "duplicate"),
    ("common_name = \"Example Small Root 2026\"", "common_name = \"\\u0000\"", "subject"),
];

#[test]
fn every_mistake_is_found_at_its_place() {
    for (from, to, expected) in MISTAKES {
        let changed = script().replacen(from, to, 1);
        assert_ne!(changed, script(), "the mistake was planted: {from}");
        let (code, said) = check(changed.as_bytes());
        assert_eq!(code, 3, "{to}\n{said}");
        assert!(said.contains(expected), "expected {expected} in\n{said}");
        assert!(said.contains("script.toml:") && said.contains('^'), "line, column and caret in\n{said}");
    }
}

#[test]
fn the_place_of_a_mistake_is_its_line_and_column_with_a_caret_under_it() {
    let changed = script().replacen("title = \"Open\"", "titel = \"Open\"", 1);
    let line = changed.lines().position(|l| l.starts_with("titel")).unwrap() + 1;
    let (code, said) = check(changed.as_bytes());
    assert_eq!(code, 3);
    assert!(said.contains(&format!("script.toml:{line}:1: ")), "{said}");
    let shown: Vec<&str> = said.lines().skip_while(|l| !l.contains("| titel")).take(2).collect();
    assert_eq!(shown[0].find("titel"), shown[1].find("^^^^^"), "{said}");
}

#[test]
fn a_step_before_what_it_needs_is_told_which_step_comes_too_late() {
    let source = script();
    let step = |id: &str| {
        let start = source.find(&format!("[[act.step]]\nid = \"{id}\"")).unwrap();
        let end = source[start + 1..].find("\n[[").map_or(source.len(), |at| start + 1 + at + 1);
        source[start..end].to_owned()
    };
    for (early, late) in [("root", "check"), ("deal", "key"), ("crl", "root"), ("key", "machine")] {
        // The two steps change places.
        let (first, second) = (step(late), step(early));
        let changed = source.replace(&first, "PLACE-1").replace(&second, &first).replace("PLACE-1", &second);
        assert_ne!(changed, source);
        let (code, said) = check(changed.as_bytes());
        assert_eq!((early, code), (early, 3), "{said}");
        assert!(said.contains(&format!("step {early} comes before")), "{early} before {late}: {said}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let mut changed = script();
    for (from, to, _) in MISTAKES.iter().take(4) {
        changed = changed.replacen(from, to, 1);
    }
    let (code, said) = check(changed.as_bytes());
    assert_eq!(code, 3);
    for (_, _, expected) in MISTAKES.iter().take(4) {
        assert!(said.contains(expected), "expected {expected} in\n{said}");
    }
}

#[test]
fn hostile_files_are_refused_without_harm() {
    let deep = format!("{}\nx = {}1{}\n", script(), "[".repeat(5_000), "]".repeat(5_000));
    let dotted = format!("{}\n{} = 1\n", script(), vec!["a"; 100_000].join("."));
    let long = format!("{}\n# {}\n", script(), "x".repeat(600 * 1024));
    let bidi = script().replacen("title = \"Open\"", "titel\u{202e} = \"Open\"", 1);
    for text in [deep.as_bytes(), dotted.as_bytes(), long.as_bytes(), bidi.as_bytes(), b"\xff\xfe", b"", b"[[act]]"] {
        let (code, said) = check(text);
        assert_eq!(code, 3, "{said}");
        assert!(!said.contains('\u{202e}'), "direction controls are made visible");
    }
}

/// Dates the strongroom would refuse once the key is made: one change, one problem, at the changed value.
#[test]
fn dates_that_could_not_be_issued_are_found_before_the_day_each_once() {
    let (this, next) = ("this_update = \"2026-11-22", "next_update = \"2027-11-22");
    let (from, until) = ("not_before = \"2026-11-22", "not_after = \"2046-11-22");
    for (from, to, expected) in [
        (next, "next_update = \"2027-11-24", "is more than 366 days after `this_update`"),
        (next, "next_update = \"2026-11-22", "is not after `this_update`"),
        (next, "next_update = \"2025-11-22", "is not after `this_update`"),
        (this, "this_update = \"2026-11-21", "is before small-root becomes valid"),
        (from, "not_before = \"2026-11-23", "is before small-root becomes valid"),
        (until, "not_after = \"2027-11-21", "is after small-root has ended"),
        (until, "not_after = \"2026-11-22", "is not after `not_before`"),
        (until, "not_after = \"2051-11-23", "valid for more than 25 years"),
    ] {
        let changed = script().replacen(from, to, 1);
        assert_ne!(changed, script());
        let (code, said) = check(changed.as_bytes());
        assert_eq!(code, 3, "{to}\n{said}");
        assert!(said.contains(expected) && said.contains("= hint: "), "expected {expected} in\n{said}");
        assert!(said.contains("script.toml: 1 problem\n"), "{to}: one mistake is one problem:\n{said}");
    }
    // The last moments that are allowed.
    for (from, to) in
        [(next, "next_update = \"2027-11-23"), (until, "not_after = \"2051-11-22"), (until, "not_after = \"2027-11-22")]
    {
        let (code, said) = check(script().replacen(from, to, 1).as_bytes());
        assert_eq!(code, 0, "{to}\n{said}");
    }
    // 25 years after a 29 February is a 1 March, for the lint as for the check.
    let leap = script().replacen(from, "not_before = \"2024-02-29", 1).replacen(until, "not_after = \"2049-03-01", 1);
    assert_eq!(check(leap.as_bytes()).0, 0);
}

#[test]
fn what_is_issued_after_the_last_medium_is_written_would_stay_in_the_room() {
    let source = script();
    let block = |id: &str| {
        let start = source.find(&format!("[[act.step]]\nid = \"{id}\"")).unwrap();
        let end = source[start + 1..].find("\n[[").map_or(source.len(), |at| start + 1 + at + 1);
        source[start..end].to_owned()
    };
    let early = source.replace(&block("export"), "").replace(&block("crl"), &(block("export") + &block("crl")));
    let (code, said) = check(early.as_bytes());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("after step crl the CRL of small-root has been issued, and no medium"), "{said}");
    assert!(said.contains("hint: step export writes before that: move it after step crl"), "{said}");
    assert!(said.contains("script.toml: 1 problem\n"), "{said}");
    let (code, said) = check(source.replace(&block("export"), "").as_bytes());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("hint: add a step of kind `write-medium`"), "{said}");
    assert!(said.contains("script.toml: 1 problem\n"), "{said}");
    // Before the certificate itself the older rule speaks, alone.
    let earlier = source.replace(&block("export"), "").replace(&block("root"), &(block("export") + &block("root")));
    let (code, said) = check(earlier.as_bytes());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("script.toml: 1 problem\n"), "{said}");
}

#[test]
fn production_refuses_what_came_with_the_tool_and_a_rehearsal_does_not() {
    let (code, said) = check_for("production", own().as_bytes());
    assert_eq!(code, 0, "{said}");
    let example = script();
    let key = example.lines().find(|line| line.contains("AAAAIPZy")).unwrap();
    let own_key = format!("public_key = \"{}\"", OWN_KEYS[0]);
    let documentation = "1.3.6.1.4.1.32473.7";
    for (from, to, expected) in [
        ("1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.55555.1", "found the example 1.3.6.1.4.1.55555.1"),
        ("Northern Works", "Example Devices", "must not be that of the example scripts"),
        ("1.3.6.1.4.1.99999.1", documentation, "found the example 1.3.6.1.4.1.32473.7"),
        (own_key.as_str(), key, "public key of ada: found a key of the example scripts"),
        (OWN_KEYS[1], OWN_KEYS[0], "grace and ada have the same public key"),
        // The comment of a key does not make it another key.
        (OWN_KEYS[1], &format!("{} grace@elsewhere", OWN_KEYS[0]), "grace and ada have the same public key"),
        ("organization = \"No", "organization = \"REHEARSAL No", "must not carry the rehearsal's mark"),
    ] {
        let changed = own().replacen(from, to, 1);
        assert_ne!(changed, own(), "{to}");
        let (code, said) = check_for("production", changed.as_bytes());
        assert_eq!(code, 3, "{to}\n{said}");
        assert!(said.contains(expected) && said.contains("= hint: "), "expected {expected} in\n{said}");
        assert!(said.contains("script.toml: 1 problem\n"), "{to}\n{said}");
    }
    assert_eq!(check(example.as_bytes()).0, 0);
    // An arc that only begins with the same digits is somebody's own.
    let near = own().replacen("1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.324731", 1);
    assert_eq!(check_for("production", near.as_bytes()).0, 0);
}

#[test]
fn check_and_runbook_speak_of_the_same_realm_and_say_which() {
    let plan = |arguments: &[&str]| {
        let output = anchorite(arguments);
        assert_eq!(code(&output), 0, "{}", said(&output));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let script = "ceremony-scripts/small-root";
    let ((checked, note), (page, page_note)) = (plan(&["check", script]), plan(&["runbook", script]));
    let words = checked.lines().find_map(|line| line.trim().strip_prefix("plan ")).unwrap().trim();
    assert!(page.contains(words), "the page has the plan's words {words}");
    assert!(checked.contains("realm     rehearsal"), "{checked}");
    assert!(note.contains("--realm production") && page_note.contains("--realm production"), "{note}{page_note}");
}

#[test]
fn one_mistake_is_one_problem_not_a_train_of_them() {
    for (from, to, expected) in [
        ("[[role]]\nname = \"custodian\"", "[[role]]\nname = \"witness\"", "there are two of role"),
        ("confirm = [\"witness\"]", "confirm = [\"witnes\"]", "did you mean `witness`?"),
        ("who = \"administrator\"", "who = \"administratr\"", "did you mean `administrator`?"),
        ("kind = \"make-key\"", "kind = \"mak-key\"", "did you mean `make-key`?"),
        ("kind = \"roll-call\"", "kind = \"rol-call\"", "did you mean `roll-call`?"),
        ("kind = \"close-evidence\"", "kind = \"close-evidense\"", "did you mean `close-evidence`?"),
        ("\nauthority = \"small-root\"", "\nauthority = \"smal-root\"", "did you mean `small-root`?"),
        ("name = \"small-root\"\nprofile", "name = \"smal-root\"\nprofile", "there is no authority `small-root`"),
        ("quorum = \"small-root\"", "quorum = \"smal-root\"", "did you mean `small-root`?"),
        ("name = \"vault-a\"", "name = \"vault-b\"", "there is no material `vault-a`"),
        ("medium = \"vault-a\"", "medium = \"vault-q\"", "did you mean `vault-a`?"),
        ("materials = [\"laptop\", \"vault-a\",", "materials = [\"laptop\", \"valt-a\",", "did you mean `vault-a`?"),
        ("holders = [\"grace\"]", "holders = [\"grase\"]", "did you mean `grace`?"),
        ("not_before = \"2026-11-22", "not_before = \"2026-13-22", "expected a date like"),
        ("next_update = \"2027-11-22", "next_update = \"2027-31-22", "expected a date like"),
    ] {
        let changed = script().replacen(from, to, 1);
        assert_ne!(changed, script(), "{from}");
        let (code, said) = check(changed.as_bytes());
        assert_eq!(code, 3, "{to}\n{said}");
        assert!(said.contains(expected), "expected {expected} in\n{said}");
        let most = if to.contains("vault-b") { 2 } else { 1 };
        assert!(
            said.matches("= hint: ").count() <= most && said.matches("script.toml:").count() <= most + 1,
            "{to}\n{said}"
        );
    }
}

#[test]
fn what_people_could_not_see_and_who_must_not_hold_a_share_are_problems_too() {
    for (from, to, expected) in [
        (
            "title = \"Small root 2026\"",
            "title = \"Small \\u001b[31mroot\"",
            "expected visible characters, found U+001B",
        ),
        ("name = \"Ada Byron\"", "name = \"Ada \\u202eByron\"", "expected visible characters, found U+202E"),
        ("title = \"USB stick A\"", "title = \"USB\\nstick A\"", "expected visible characters, found U+000A"),
        ("serial = \"USB-000311\"", "serial = \"LT-0042\"", "vault-a and laptop have the same number"),
        ("name = \"Grace Hopper\"", "name = \"Ada\u{a0}byron\"", "grace and ada have the same name"),
        ("minutes = 7", "minutes = -7", "expected a whole number from "),
        (
            "holders = [\"ada\", \"grace\"]",
            "holders = [\"ada\"]",
            "whoever has a share of small-root holds the role `custodian`",
        ),
        ("spares = [\"ada\"]", "spares = [\"ada\", \"ada\"]", "there are two of spare of `ada`"),
    ] {
        let changed = script().replacen(from, to, 1);
        assert_ne!(changed, script(), "{from}");
        let (code, said) = check(changed.as_bytes());
        assert_eq!(code, 3, "{to}\n{said}");
        assert!(said.contains(expected), "expected {expected} in\n{said}");
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    }
    // With three custodians nobody sees as many shares as open the quorum.
    let three = script()
        .replacen("[[role]]", "[[person]]\nid = \"joan\"\nname = \"Joan Clarke\"\n\n[[role]]", 1)
        .replacen("holders = [\"ada\", \"grace\"]", "holders = [\"ada\", \"grace\", \"joan\"]", 1)
        .replacen("custodians = [\"ada\", \"grace\"]", "custodians = [\"ada\", \"grace\", \"joan\"]", 1);
    let (code, said) = check(three.as_bytes());
    assert!(code == 3 && said.contains("ada would see 2 shares of small-root, and 2 open it"), "{said}");
    // An administrator who must not be a witness may not slip in as a custodian.
    let both = script().replacen("name = \"custodian\"", "name = \"custodian\"\nincompatible = [\"administrator\"]", 1);
    let (code, said) = check(both.as_bytes());
    assert!(code == 3 && said.contains("ada holds custodian and administrator"), "{said}");
}

#[test]
fn dice_after_the_key_and_a_second_key_on_one_quorum_are_impossible_orders() {
    let dice = "[[act.step]]\nid = \"dice\"\ntitle = \"Dice\"\nkind = \"roll-dice\"\nwho = \"administrator\"\nconfirm = [\"witness\"]\nminutes = 1\nsay = \"We throw.\"\n\n";
    let at = |id: &str| script().find(&format!("[[act.step]]\nid = \"{id}\"")).unwrap();
    let with = |id: &str| format!("{}{dice}{}", &script()[..at(id)], &script()[at(id)..]);
    assert_eq!(check(with("key").as_bytes()).0, 0);
    let (code, said) = check(with("deal").as_bytes());
    assert!(code == 3 && said.contains("step dice comes after a key has been made"), "{said}");

    let authority = script().find("[[authority]]").unwrap();
    let end = script()[authority..].find("[[material]]").unwrap() + authority;
    let second = script()[authority..end].replacen("name = \"small-root\"", "name = \"second-root\"", 1);
    let step = script()[at("key")..at("deal")]
        .replace("id = \"key\"", "id = \"second-key\"")
        .replace("authority = \"small-root\"", "authority = \"second-root\"");
    let two = format!("{}{second}{}{step}{}", &script()[..end], &script()[end..at("deal")], &script()[at("deal")..]);
    let (code, said) = check(two.as_bytes());
    assert!(
        code == 3
            && said.contains(
                "step second-key comes before the proven shares of quorum small-root have been found consistent"
            ),
        "{said}"
    );
}

#[test]
fn a_sealed_key_that_no_medium_takes_along_would_stay_in_the_room() {
    let without = script().replacen("\nsealed = [\"small-root\"]", "", 1);
    let (code, said) = check(without.as_bytes());
    assert!(code == 3 && said.contains("after step key the key of small-root has been made, and no medium"), "{said}");
    assert!(said.contains("names this authority in `sealed`") && said.contains("script.toml: 1 problem\n"), "{said}");
}
