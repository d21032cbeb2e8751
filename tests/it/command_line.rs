//! What scripts and people rely on at the command line: exit codes, output that is the same every time, nothing overwritten.

use crate::program::{anchorite, anchorite_with, code, files, own_script_in, rehearse, root, said, verify, verify_py};
use std::path::Path;

const SCRIPT: &str = "ceremony-scripts/small-root";
const VERBS: [&str; 18] = [
    "bundle",
    "request",
    "envelope",
    "check",
    "medium",
    "runbook",
    "rehearse",
    "run",
    "resume",
    "verify",
    "disclose",
    "evidence",
    "approve",
    "ledger",
    "qr",
    "station",
    "doctor",
    "completions",
];

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every file under a folder with its octets.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    files(folder).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn the_help_names_every_verb_and_so_do_the_completions_of_every_shell() {
    let help = anchorite(&["--help"]);
    assert_eq!(code(&help), 0);
    for verb in VERBS {
        assert!(stdout(&help).contains(verb), "{verb} in the help");
        assert_eq!(code(&anchorite(&[verb, "--help"])), 0, "{verb} --help");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = anchorite(&["completions", shell]);
        assert_eq!(code(&output), 0, "{shell}");
        for verb in VERBS {
            assert!(stdout(&output).contains(verb), "{verb} for {shell}");
        }
    }
}

#[test]
fn every_argument_of_the_verbs_before_the_day_is_explained() {
    for verb in ["check", "runbook", "doctor", "completions"] {
        let help = stdout(&anchorite(&[verb, "-h"]));
        let arguments: Vec<&str> = help.lines().filter(|l| l.starts_with("  ")).collect();
        assert!(!arguments.is_empty(), "{verb}: {help}");
        for line in arguments {
            let told = line.trim().split_once("  ").unwrap_or_default().1.trim();
            let own = told.split(['[', ',']).next().unwrap_or_default();
            assert!(!own.trim().is_empty(), "{verb}: `{line}` says nothing");
        }
    }
}

#[test]
fn mistakes_in_the_arguments_end_with_2_and_missing_things_with_1() {
    let evidence = "transcripts/root-ca";
    for arguments in [
        &[][..],
        &["no-such-verb"],
        &["check"],
        &["rehearse", SCRIPT, "--seed", "many"],
        &["verify", evidence, "--expect", "no head"],
        &["completions", "no-such-shell"],
    ] {
        let output = anchorite(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", said(&output));
        assert!(!output.stderr.is_empty(), "{arguments:?} says why");
    }
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    for arguments in [&["check", text(&none)][..], &["resume", text(&none), "--plain"], &["verify", text(&none)]] {
        let output = anchorite(arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("none"), "{arguments:?} names what is missing: {}", said(&output));
    }
    assert!(!none.exists(), "asking makes nothing");
}

#[test]
fn the_runbook_is_the_same_every_time_and_names_every_step() {
    for script in ["small-root", "root-ca"] {
        let path = format!("ceremony-scripts/{script}");
        let (first, second) = (anchorite(&["runbook", &path]), anchorite(&["runbook", &path]));
        assert_eq!(code(&first), 0, "{}", said(&first));
        assert_eq!(first.stdout, second.stdout, "{script}");
        let source: toml::Table =
            toml::from_str(&std::fs::read_to_string(root().join(path).join("script.toml")).unwrap()).unwrap();
        for act in source["act"].as_array().unwrap() {
            for step in act["step"].as_array().unwrap() {
                let title = step["title"].as_str().unwrap();
                assert!(stdout(&first).contains(title), "{script}: {title} is on the page");
            }
        }
        assert!(!stdout(&first).contains("<script"), "a page to print runs nothing");
        // What people must have with them comes before the first step; what they write down has a blank.
        let page = stdout(&first);
        let steps = page.find("<h2 class=\"page\">Act 1").unwrap();
        let authority = source["authority"][0]["name"].as_str().unwrap();
        for (label, early) in [
            ("Digest of the program (SHA-256".to_owned(), true),
            ("Twelve words of the governance folder".to_owned(), true),
            ("the words of their own public key".to_owned(), true),
            ("two people give a head they noted".to_owned(), true),
            (", digest of the program".to_owned(), false),
            (format!("public key of {authority}, twelve words"), false),
            (format!("Fingerprint of {authority}, twelve words"), false),
            ("Head after act 1 ".to_owned(), false),
        ] {
            let at = page.find(&label).unwrap_or_else(|| panic!("{script}: no `{label}` on the page"));
            assert!(!early || at < steps, "{script}: `{label}` comes too late");
        }
    }
}

#[test]
fn the_minutes_a_script_promises_are_those_of_its_steps() {
    let readme = std::fs::read_to_string(root().join("ceremony-scripts/README.md")).unwrap();
    for (script, opening, row) in [("small-root", "About twenty minutes", 20_u64), ("root-ca", "About two hours", 120)]
    {
        let minutes =
            json(&anchorite(&["check", &format!("ceremony-scripts/{script}"), "--json"]))["minutes"].as_u64().unwrap();
        assert!(minutes.abs_diff(row) * 10 <= row, "{script}: {minutes} minutes, {row} promised");
        let text = std::fs::read_to_string(root().join(format!("ceremony-scripts/{script}/script.toml"))).unwrap();
        assert!(text.lines().next().unwrap().contains(opening), "{script} says {opening}");
        let line = readme.lines().find(|line| line.starts_with(&format!("| `{script}/`"))).unwrap();
        assert!(line.contains(if row == 20 { "| 20 minutes |" } else { "| 2 hours |" }), "{line}");
    }
}

#[test]
fn doctor_speaks_json_and_its_exit_code_says_what_it_says() {
    let output = anchorite(&["doctor", "--json"]);
    let said = json(&output);
    let findings = said["findings"].as_array().unwrap();
    let protections = said["strongroom"].as_object().unwrap();
    assert!(!findings.is_empty() && !protections.is_empty());
    let good = findings.iter().all(|f| f["good"].as_bool().unwrap()) && protections.values().all(|p| p == "yes");
    assert_eq!(code(&output), if good { 0 } else { 6 });
}

#[test]
fn check_speaks_json_about_good_scripts_and_bad_ones() {
    let good = anchorite(&["check", SCRIPT, "--json"]);
    assert_eq!(code(&good), 0);
    assert_eq!(json(&good)["steps"], 15);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.toml"), "format = \"anchorite-script/1\"\n").unwrap();
    let bad = anchorite(&["check", text(folder.path()), "--json"]);
    assert_eq!(code(&bad), 3);
    let problems = json(&bad)["problems"].clone();
    assert!(problems.as_array().unwrap().len() == 3, "{problems}");
    for field in ["file", "line", "column", "message", "hint"] {
        assert!(!problems[0][field].is_null(), "{field} in {problems}");
    }
    // Every verb that reports says its failures the same way.
    let missing = anchorite(&["ledger", "keys", text(&folder.path().join("none")), "--json"]);
    assert!(json(&missing)["error"].as_str().unwrap().contains("expected a ledger") && json(&missing)["exit"] == 7);
    // A profile's own problems are in its own lines.
    let script = folder.path().join("with-profile");
    std::fs::create_dir_all(script.join("profiles")).unwrap();
    std::fs::copy(root().join("ceremony-scripts/small-root/script.toml"), script.join("script.toml")).unwrap();
    let profile = std::fs::read_to_string(root().join("ceremony-scripts/profiles/root-device.toml")).unwrap();
    for (from, to, message) in [
        ("max_years = 25", "max_yeers = 25", "max_yeers"),
        ("name = \"root-device\"", "name = \"other\"", "expected the name `root-device`, found `other`"),
    ] {
        std::fs::write(script.join("profiles/root-device.toml"), profile.replacen(from, to, 1)).unwrap();
        let bad = json(&anchorite(&["check", text(&script), "--json"]));
        let own = bad["problems"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["file"].as_str().unwrap().ends_with("root-device.toml"));
        let own = own.unwrap_or_else(|| panic!("{bad}"));
        assert!(own["message"].as_str().unwrap().contains(message) && own["line"].as_u64().unwrap() > 2, "{own}");
    }
}

#[test]
fn a_ceremony_that_was_left_says_how_to_go_on_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let left = anchorite_with(&["rehearse", SCRIPT, "--plain", "--out", text(&out)], "s\ns\ns\nleave\n");
    assert_eq!(code(&left), 5, "{}", said(&left));
    assert!(said(&left).contains(&format!("anchorite resume {}", out.display())), "{}", said(&left));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8, "an open record is whole too");
    let resumed = anchorite_with(&["resume", text(&out), "--plain"], &"s\n".repeat(120));
    assert_eq!(code(&resumed), 0, "{}", said(&resumed));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
    assert_eq!(verify(&out.join("evidence"), &[]).0, 8);
}

#[test]
fn a_closed_record_takes_nothing_more_from_resume() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse("small-root", &out);
    let record = std::fs::read(out.join("evidence/transcript.jsonl")).unwrap();
    let output = anchorite(&["resume", text(&out), "--plain"]);
    assert_eq!(std::fs::read(out.join("evidence/transcript.jsonl")).unwrap(), record, "{}", said(&output));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
}

#[test]
fn another_seed_gives_another_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = |seed: &str| {
        let out = folder.path().join(seed);
        let output = anchorite(&["rehearse", SCRIPT, "--plain", "--auto", "--seed", seed, "--out", text(&out)]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        std::fs::read(out.join("evidence/artifacts/small-root.crt.pem")).unwrap()
    };
    assert_ne!(certificate("1"), certificate("2"));
}

#[test]
fn a_signature_of_somebody_else_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse("small-root", &out);
    let evidence = out.join("evidence");
    let signature = |who: &str| evidence.join(format!("attestation.{who}.json.sig"));
    let graces = folder.path().join("grace.sig");
    std::fs::rename(signature("grace"), &graces).unwrap();
    let adas = folder.path().join("ada.sig");
    std::fs::copy(signature("ada"), &adas).unwrap();
    let before = contents(&evidence);
    let sign = |who: &str, file: &Path| {
        anchorite(&["evidence", "sign", text(&evidence), "--who", who, "--signature", text(file)])
    };
    let wrong = sign("grace", &adas);
    assert_eq!(code(&wrong), 4, "{}", said(&wrong));
    let nobody = sign("mallory", &adas);
    assert_eq!(code(&nobody), 2, "{}", said(&nobody));
    assert_eq!(contents(&evidence), before, "nothing was changed");
    let right = sign("grace", &graces);
    assert_eq!(code(&right), 0, "{}", said(&right));
    assert_eq!(verify_py(&evidence, &[]).0, 8);
    let signed = contents(&evidence);
    assert_eq!(code(&sign("grace", &graces)), 0, "the same signature again is no mistake");
    assert_eq!(contents(&evidence), signed);
}

#[test]
fn an_approval_names_the_script_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("approval.json");
    let script = own_script_in(folder.path());
    let make = |from: &str, until: &str| {
        anchorite(&["approve", "make", text(&script), "--not-before", from, "--not-after", until, "--out", text(&out)])
    };
    let (early, late) = ("2026-11-22T09:00:00Z", "2026-11-29T09:00:00Z");
    assert_eq!(code(&make(late, early)), 2, "the end before the start");
    assert_eq!(code(&make("tomorrow", late)), 2, "no date");
    assert!(!out.exists());
    let made = make(early, late);
    assert_eq!(code(&made), 0, "{}", said(&made));
    let octets = std::fs::read(&out).unwrap();
    let approval: serde_json::Value = serde_json::from_slice(&octets).unwrap();
    let script = std::fs::read(script.join("script.toml")).unwrap();
    assert_eq!(approval["script_digest"], anchorite::basics::Digest::of(&script).hex());
    assert_ne!(code(&make(early, late)), 0);
    assert_eq!(std::fs::read(&out).unwrap(), octets);
}

#[test]
fn production_without_an_approval_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(path("governance")).unwrap();
    let script = own_script_in(folder.path());
    let output = anchorite(&[
        "run",
        text(&script),
        "--plain",
        "--governance",
        &path("governance"),
        "--approval",
        &path("approval.json"),
        "--binding",
        &path("binding.toml"),
        "--out",
        &path("out"),
    ]);
    assert_eq!(code(&output), 6, "{}", said(&output));
    assert!(!Path::new(&path("out")).exists());
}

#[test]
fn a_disclosed_copy_never_lands_in_a_folder_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "mine").unwrap();
    let before = contents(folder.path());
    let output = anchorite(&["disclose", "transcripts/root-ca", "--level", "public", "--out", text(folder.path())]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(
        said(&output).contains("name a new one with --out") && !said(&output).contains("resume"),
        "{}",
        said(&output)
    );
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_copy_that_lacks_bodies_does_not_pass_for_one_of_a_higher_level() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let disclose = |from: &str, level: &str, to: &str| {
        let output = anchorite(&["disclose", from, "--level", level, "--out", &path(to)]);
        (code(&output), said(&output))
    };
    assert_eq!(disclose("transcripts/root-ca", "public", "public").0, 0);
    for level in ["auditor", "complete"] {
        let (code, said) = disclose(&path("public"), level, level);
        assert!(code == 1 && said.contains("withheld in this copy already"), "{code} {said}");
        assert!(!folder.path().join(level).exists());
    }
    assert_eq!(disclose(&path("public"), "public", "again").0, 0);
}

#[test]
fn the_folder_of_a_ceremony_is_pointed_to_its_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(folder.path());
    crate::program::copy(&root().join("transcripts/root-ca"), &folder.path().join("evidence"));
    let copy = format!("{out}/copy");
    for arguments in [vec!["verify", out], vec!["disclose", out, "--level", "public", "--out", &copy]] {
        let output = anchorite(&arguments);
        let hint = format!("`anchorite {} {out}/evidence`", arguments[0]);
        assert!(code(&output) == 1 && said(&output).contains(&hint), "{}", said(&output));
    }
    assert_eq!(crate::program::verify_py(folder.path(), &[]).0, 1);
}

#[test]
fn a_ledger_is_not_rebuilt_from_a_bad_record_nor_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("evidence");
    crate::program::copy(&root().join("transcripts/root-ca"), &copy);
    let transcript = copy.join("transcript.jsonl");
    let damaged =
        std::fs::read_to_string(&transcript).unwrap().replacen("\"outcome\":\"agreed\"", "\"outcome\":\"given\"", 1);
    std::fs::write(&transcript, damaged).unwrap();
    let ledger = folder.path().join("ledger.sqlite");
    let refused = anchorite(&["ledger", "rebuild", text(&ledger), text(&copy)]);
    assert_eq!(code(&refused), 4, "{}", said(&refused));
    assert!(!ledger.exists(), "a bad record leaves no ledger behind");
    std::fs::write(&ledger, "mine").unwrap();
    assert_ne!(code(&anchorite(&["ledger", "rebuild", text(&ledger), "transcripts/root-ca"])), 0);
    assert_ne!(code(&anchorite(&["ledger", "init", text(&ledger)])), 0);
    assert_eq!(std::fs::read(&ledger).unwrap(), b"mine");
}

#[test]
fn the_governances_words_can_be_made_on_any_machine_and_change_with_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let governance = folder.path().join("governance");
    std::fs::create_dir(&governance).unwrap();
    let toml = "format = \"anchorite-governance/1\"\ntitle = \"Ours\"\napprovers = [\"ann\"]\nthreshold = 1\n";
    let key = crate::program::OWN_KEYS[0];
    let words = |threshold: &str, signers: &str| {
        std::fs::write(governance.join("governance.toml"), toml.replace("threshold = 1", threshold)).unwrap();
        std::fs::write(governance.join("allowed_signers"), signers).unwrap();
        let output = anchorite(&["approve", "words", "--governance", governance.to_str().unwrap()]);
        (code(&output), String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let line = format!("ann namespaces=\"script-approval@anchorite\" {key}\n");
    let (exit, ours) = words("threshold = 1", &line);
    assert_eq!((exit, ours.split(' ').count()), (0, 12), "{ours}");
    assert_ne!(words("threshold = 1\nleast_threshold = 3", &line).1, ours);
    assert_ne!(words("threshold = 1", &format!("# more\n{line}")).1, ours);
    assert_eq!(words("threshold = 1", &line).1, ours);
    assert_eq!(words("threshold = 2", &line).0, 1, "more signatures than approvers");
}

#[test]
fn an_argument_that_is_no_text_is_an_error_and_no_panic() {
    use std::os::unix::ffi::OsStrExt;
    for verb in ["check", "runbook", "verify", "resume"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_anchorite"))
            .arg(verb)
            .arg(std::ffi::OsStr::from_bytes(b"no\xffsuch"))
            .output()
            .unwrap();
        assert!([1, 2, 3].contains(&output.status.code().unwrap()), "{verb}: {}", said(&output));
    }
}
