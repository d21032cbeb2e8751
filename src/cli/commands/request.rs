//! `request check`: a certificate request judged anywhere, by the rules of the room. `request order`: whose request it is.

mod order;

use crate::basics::{Digest, SafeText, limits};
use crate::cli::args::request::RequestVerb;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::pki::request::{Judgement, KeyList, Known, Rules, der_of_file, judge};
use serde_json::json;
use std::path::{Path, PathBuf};

/// # Errors
/// Where a file cannot be read, or the rules or a list are wrong.
pub fn request(verb: RequestVerb) -> Result<ExitCode, Failure> {
    match verb {
        RequestVerb::Check { file, rules, expect, key_list, json } => {
            check(&file, rules.as_deref(), expect.as_deref(), &key_list, json)
        }
        RequestVerb::Order(verb) => order::order(verb),
    }
}

fn check(
    file: &Path,
    rules: Option<&Path>,
    expect: Option<&str>,
    lists: &[PathBuf],
    json: bool,
) -> Result<ExitCode, Failure> {
    let rules = rules.map(read_rules).transpose()?.unwrap_or_default();
    let known =
        Known { lists: lists.iter().map(|path| read_list(path)).collect::<Result<_, _>>()?, ..Known::default() };
    let octets = durable_file::read(file, 2 * limits::REQUEST_OCTETS)?;
    let der = der_of_file(&octets).map_err(|reason| Failure::new(ExitCode::Refuted, reason.to_string()))?;
    let mut judgement = judge(&der, &rules, &known);
    if let Some(expected) = expect {
        judgement = expected_too(judgement, expected, Digest::of(&der))?;
    }
    if json {
        output::json(&facts(&judgement, Digest::of(&der)))?;
    } else {
        print(file, &judgement);
    }
    Ok(if judgement.reasons.is_empty() { ExitCode::Done } else { ExitCode::Refuted })
}

/// Words are compared as words: whoever types twelve of them says nothing about the other digits.
fn expected_too(mut judgement: Judgement, expected: &str, found: Digest) -> Result<Judgement, Failure> {
    let as_words = expected.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_words = as_words.split(' ').count() == 12;
    if !is_words && Digest::parse(expected).is_none() {
        let message = "--expect: expected 64 lower-case hexadecimal digits or twelve words, found neither";
        return Err(Failure::new(ExitCode::Usage, message));
    }
    if as_words != found.twelve_words() && Digest::parse(expected) != Some(found) {
        judgement.refuse_digest(&as_words, found);
    }
    Ok(judgement)
}

fn read_rules(path: &Path) -> Result<Rules, Failure> {
    let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS)?;
    Rules::from_toml(&String::from_utf8_lossy(&octets)).map_err(|problems| {
        let message = format!("{}: {}", path.display(), problems.join("; "));
        Failure::new(ExitCode::ScriptProblems, SafeText::of(&message).as_str())
    })
}

fn read_list(path: &Path) -> Result<KeyList, Failure> {
    let octets = durable_file::read(path, limits::KEY_LIST_OCTETS)?;
    KeyList::parse(&SafeText::of(&path.display().to_string()).to_string(), octets)
        .map_err(|problem| Failure::new(ExitCode::Usage, format!("{}: {problem}", path.display())))
}

fn facts(judgement: &Judgement, digest: Digest) -> serde_json::Value {
    json!({
        "acceptable": judgement.acceptable.is_some(),
        "sha256": digest,
        "words": digest.twelve_words(),
        "key": judgement.acceptable.as_ref().map(|acceptable| acceptable.key().word()),
        "key_sha256": judgement.acceptable.as_ref().map(|acceptable| acceptable.key().digest()),
        "reasons": judgement.reasons,
        "remarks": judgement.remarks,
        "fields": judgement.lines.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect::<Vec<_>>(),
    })
}

fn print(file: &Path, judgement: &Judgement) {
    let name = SafeText::of(&file.display().to_string());
    let verdict = match judgement.reasons.len() {
        0 => "acceptable".to_owned(),
        1 => "refused, for 1 reason".to_owned(),
        many => format!("refused, for {many} reasons"),
    };
    output::data(&format!("{name}: {verdict}"));
    for (label, value) in &judgement.lines {
        output::data(&format!("  {label:<22} {value}"));
    }
    for reason in &judgement.reasons {
        output::data(&format!("  refused   {reason}"));
    }
    for remark in &judgement.remarks {
        output::data(&format!("  ignored   {remark}"));
    }
}
