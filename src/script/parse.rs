//! `script.toml` -> [`Script`]. Every problem the text alone can show is noted with its place; names are not resolved.

use crate::basics::limits;
use crate::pki::Subject;
use crate::script::kind::{Shape, StepKind};
use crate::script::problem::{Problems, nearest};
use crate::script::reader::{Reader, document};
use crate::script::syntax::{
    ActSource, AuthoritySource, CeremonySource, FORMAT, Located, MaterialSource, Param, PersonSource, QuorumSource,
    RoleSource, Script, StepSource,
};
use std::collections::BTreeMap;

mod issuing;

/// Reads a script. `kinds` is the table of step kinds.
///
/// # Errors
/// All problems found, each with its place and a hint.
pub fn script(file: &str, octets: &[u8], kinds: &[&dyn StepKind]) -> Result<(Script, Problems), Problems> {
    let Ok(text) = std::str::from_utf8(octets) else {
        let mut problems = Problems::new(file, "");
        problems.add(0..0, "expected UTF-8 text, found other octets", "save the script as UTF-8");
        return Err(problems);
    };
    let mut problems = Problems::new(file, text);
    let Some(document) = document(text, limits::SCRIPT_OCTETS, &mut problems) else { return Err(problems) };
    let mut top = Reader::new(document.get_ref(), 0..0, "the script");
    let p = &mut problems;

    let format = top.needed_text("format", p);
    if format.value != FORMAT && !format.value.is_empty() {
        p.add(
            format.span,
            format!("expected format \"{FORMAT}\""),
            "this program reads this version only; newer scripts need a newer program",
        );
    }
    let tool = top.needed_text("tool", p);
    check_tool_floor(&tool, p);
    let ceremony = match top.table("ceremony", "the ceremony", p) {
        Some(reader) => ceremony(reader, p),
        None => {
            p.add(0..0, "the script needs a [ceremony] table", "add [ceremony] with name, id, title and purpose");
            ceremony(Reader::new(&toml::de::DeTable::new(), 0..0, "the ceremony"), &mut Problems::new(file, ""))
        }
    };
    let script = Script {
        tool,
        ceremony,
        people: top.tables("person", limits::PEOPLE, p).into_iter().map(|reader| person(reader, p)).collect(),
        roles: top.tables("role", limits::PEOPLE, p).into_iter().map(|reader| role(reader, p)).collect(),
        quorums: top.tables("quorum", limits::PEOPLE, p).into_iter().map(|reader| quorum(reader, p)).collect(),
        authorities: top
            .tables("authority", limits::PEOPLE, p)
            .into_iter()
            .map(|reader| authority(reader, p))
            .collect(),
        certificates: top
            .tables("certificate", limits::PEOPLE, p)
            .into_iter()
            .map(|reader| issuing::certificate(reader, p))
            .collect(),
        requests: top
            .tables("request", limits::PEOPLE, p)
            .into_iter()
            .map(|reader| issuing::request(reader, p))
            .collect(),
        revocations: top
            .tables("revocation", limits::REVOCATIONS, p)
            .into_iter()
            .map(|reader| issuing::revocation(reader, p))
            .collect(),
        factories: top
            .tables("factory", limits::FACTORIES, p)
            .into_iter()
            .map(|reader| issuing::factory(reader, p))
            .collect(),
        materials: top.tables("material", limits::STEPS, p).into_iter().map(|reader| material(reader, p)).collect(),
        acts: top.tables("act", limits::ACTS, p).into_iter().map(|reader| act(reader, kinds, p)).collect(),
    };
    top.done(p);
    // Syntax problems do not stop us from resolving what was read: `check` reports both kinds at once.
    Ok((script, problems))
}

fn check_tool_floor(tool: &Located<String>, problems: &mut Problems) {
    let parts = |text: &str| text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<u32>>>();
    match (parts(&tool.value), parts(env!("CARGO_PKG_VERSION"))) {
        (Some(floor), Some(own)) if floor.len() == 3 && floor <= own => {}
        (Some(floor), _) if floor.len() == 3 => problems.add(
            tool.span.clone(),
            format!("this script needs anchorite {} or newer, this is {}", tool.value, env!("CARGO_PKG_VERSION")),
            "use the tool version the script was approved for",
        ),
        _ if tool.value.is_empty() => {}
        _ => problems.add(tool.span.clone(), "`tool`: expected a version like 0.1.0", ""),
    }
}

fn ceremony(mut r: Reader<'_, '_>, p: &mut Problems) -> CeremonySource {
    let source = CeremonySource {
        name: r.needed_name("name", p),
        id: r.needed_name("id", p),
        title: r.needed_text("title", p),
        purpose: r.needed_text("purpose", p),
        previous_head: r.text("previous_head", p),
        follows: r.has("follows").then(|| r.needed_name("follows", p)),
        oid_arc: r.text("oid_arc", p),
        rehearsed_at: r.instant("rehearsed_at", p),
    };
    r.done(p);
    source
}

fn person(mut r: Reader<'_, '_>, p: &mut Problems) -> PersonSource {
    let source = PersonSource {
        id: r.needed_name("id", p),
        name: r.needed_text("name", p),
        initials: r.text("initials", p),
        public_key: r.text("public_key", p),
    };
    r.done(p);
    source
}

fn role(mut r: Reader<'_, '_>, p: &mut Problems) -> RoleSource {
    let source = RoleSource {
        name: r.needed_name("name", p),
        holders: r.texts("holders", p),
        incompatible: r.texts("incompatible", p),
    };
    r.done(p);
    source
}

fn quorum(mut r: Reader<'_, '_>, p: &mut Problems) -> QuorumSource {
    let source = QuorumSource {
        name: r.needed_name("name", p),
        threshold: r.needed_integer("threshold", 2, limits::SHARES as u64, p),
        recipient: r.text("recipient", p),
        custodians: r.texts("custodians", p),
        spares: r.texts("spares", p),
        standing: r.flag("standing", p),
        span: r.span(),
    };
    r.done(p);
    source
}

fn authority(mut r: Reader<'_, '_>, p: &mut Problems) -> AuthoritySource {
    let subject = issuing::subject(&mut r, p).unwrap_or_else(|| {
        p.add(
            r.span(),
            "this `authority` needs `subject`",
            "add `subject = { organization = \"...\", common_name = \"...\" }`",
        );
        Located::new(Subject::default(), r.span())
    });
    let source = AuthoritySource {
        name: r.needed_name("name", p),
        profile: r.needed_name("profile", p),
        algorithm: r.text("algorithm", p).unwrap_or_else(|| Located::new("ecdsa-p384".to_owned(), r.span())),
        quorum: r.needed_name("quorum", p),
        subject,
        not_before: r.needed_instant("not_before", p),
        not_after: r.needed_instant("not_after", p),
        standing: r.flag("standing", p),
        span: r.span(),
    };
    r.done(p);
    source
}

fn material(mut r: Reader<'_, '_>, p: &mut Problems) -> MaterialSource {
    let source = MaterialSource {
        name: r.needed_name("name", p),
        kind: r.needed_text("kind", p),
        title: r.needed_text("title", p),
        serial: r.needed_text("serial", p),
    };
    const KINDS: [&str; 7] = ["bag", "camera", "dice", "laptop", "medium", "printer", "other"];
    if !KINDS.contains(&source.kind.value.as_str()) && !source.kind.value.is_empty() {
        p.add(source.kind.span.clone(), format!("expected a kind of material, one of {}", KINDS.join(", ")), "");
    }
    r.done(p);
    source
}

fn act(mut r: Reader<'_, '_>, kinds: &[&dyn StepKind], p: &mut Problems) -> ActSource {
    let source = ActSource {
        title: r.needed_text("title", p),
        steps: r.tables("step", limits::STEPS, p).into_iter().map(|reader| step(reader, kinds, p)).collect(),
        span: r.span(),
    };
    if source.steps.is_empty() {
        p.add(source.span.clone(), "an act needs at least one step", "add [[act.step]]");
    }
    r.done(p);
    source
}

fn step(mut r: Reader<'_, '_>, kinds: &[&dyn StepKind], p: &mut Problems) -> StepSource {
    let kind = r.needed_text("kind", p);
    let mut source = StepSource {
        id: r.needed_name("id", p),
        title: r.needed_text("title", p),
        kind,
        who: r.needed_text("who", p),
        confirm: r.texts("confirm", p),
        minutes: r.needed_integer("minutes", 1, 600, p),
        say: r.needed_text("say", p),
        level: r.text("level", p),
        params: BTreeMap::new(),
        span: r.span(),
    };
    let Some(found) = kinds.iter().find(|k| k.word() == source.kind.value) else {
        if !source.kind.value.is_empty() {
            let words = || kinds.iter().map(|k| k.word());
            let hint = nearest(&source.kind.value, words()).map_or_else(
                || format!("kinds: {}", words().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            p.add(
                source.kind.span.clone(),
                format!("there is no step kind `{}`", crate::basics::SafeText::cut(&source.kind.value, 60)),
                hint,
            );
        }
        return source;
    };
    for key in found.keys() {
        let value = match key.shape {
            Shape::Text | Shape::Name(_) => r.text(key.name, p).map(|t| Located::new(Param::Text(t.value), t.span)),
            Shape::NewName if r.rest().iter().any(|rest| rest == key.name) => {
                let name = r.needed_name(key.name, p);
                if name.value.len() > limits::TAKEN_IN_NAME_CHARS {
                    let most = limits::TAKEN_IN_NAME_CHARS;
                    p.add(
                        name.span.clone(),
                        format!("`{}`: expected at most {most} characters", key.name),
                        key.meaning,
                    );
                }
                Some(Located::new(Param::Text(name.value), name.span))
            }
            Shape::NewName => None,
            Shape::Word(words) => r.text(key.name, p).map(|t| {
                if !words.contains(&t.value.as_str()) {
                    p.add(t.span.clone(), format!("`{}`: expected one of {}", key.name, words.join(", ")), key.meaning);
                }
                Located::new(Param::Text(t.value), t.span)
            }),
            Shape::Date if r.rest().iter().any(|rest| rest == key.name) => {
                let date = r.needed_instant(key.name, p);
                Some(Located::new(Param::Text(date.value.rfc3339()), date.span))
            }
            Shape::Date => None,
            Shape::Integer { least, most } => {
                r.integer(key.name, least, most, p).map(|n| Located::new(Param::Integer(n.value), n.span))
            }
            Shape::Names(_) => {
                let names = r.texts(key.name, p);
                let span = names.first().map_or(0..0, |first| first.span.clone());
                (!names.is_empty())
                    .then(|| Located::new(Param::Names(names.into_iter().map(|n| n.value).collect()), span))
            }
        };
        match value {
            Some(value) => {
                source.params.insert(key.name.to_owned(), value);
            }
            None if key.needed => {
                p.add(r.span(), format!("a step of kind `{}` needs `{}`", found.word(), key.name), key.meaning)
            }
            None => {}
        }
    }
    r.done(p);
    source
}
