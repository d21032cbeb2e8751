//! `rehearse`: the whole ceremony with simulated devices and, where asked, simulated people.

use crate::basics::{Realm, SafeText, limits};
use crate::bundles;
use crate::ceremony::state::Finish;
use crate::cli::args::{FrontArgs, Rehearse};
use crate::cli::{ExitCode, Failure, auto::Auto, earlier, output, plain::Plain, script_files};
use crate::devices::{durable_file, entropy};
use crate::ledger::Ledger;
use crate::runner::front_end::{Ending, FrontEnd};
use crate::runner::recover::{Beginning, Settings, read_record};
use crate::runner::room::{RealmType, Rehearsal, Room};
use crate::runner::strongrooms::Reach;
use crate::runner::{Folder, Run, closing, rehearsal};
use crate::runner::{simulated_module, simulated_station};
use crate::transfer::envelope::is_name;
use crate::transfer::never;
use crate::tui::Screen;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rehearses a script.
///
/// # Errors
/// Problems of the script, a folder that exists, a terminal that will not do, a full disk.
pub fn rehearse(args: &Rehearse) -> Result<ExitCode, Failure> {
    let alone = script_files::read(&args.script, Realm::Rehearsal)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => free_folder(&alone.plan.name)?,
    };
    refuse_existing(&out)?;
    let after = match (&args.after, alone.plan.follows.as_str()) {
        (None, "") => None,
        (Some(after), _) => Some(after.clone()),
        (None, follows) => Some(rehearse_first(args, follows, &out)?),
    };
    let files = match &after {
        Some(after) => earlier::script_after(&args.script, Realm::Rehearsal, Some(after))?,
        None => alone,
    };
    let mut vault = earlier::vault(&files.plan, after.as_deref(), None)?;
    if let Some(after) = &after {
        vault.extend(earlier::carried(&files.plan, after)?);
    }
    let device_keys = earlier::device_keys(&files.plan, after.as_deref())?;
    let Incoming { objects: mut incoming, files: incoming_files } = incoming(args)?;
    output::words(&format!("rehearsal of {} in {}; no approval is needed or checked", files.plan.title, out.display()));
    let mut front = front_end(&args.front, args.auto, &out)?;
    let seed = args.seed.map_or_else(entropy::seed, Ok)?;
    let seeded = args.seed.is_some() && args.auto;
    let folder = Folder::make(&out)?;
    if let (Some(after), Some(standing)) = (&after, &files.plan.standing) {
        rehearsal::bring_cards(&Folder::at(after), &folder, standing)?;
        rehearsal::bring_issued(&Folder::at(after), &folder)?;
        let logs = simulated_module::logs(&Folder::at(after), standing, &files.plan)?;
        for (name, octets) in simulated_station::receipts(&Folder::at(after), standing)?.into_iter().chain(logs) {
            incoming.entry(name).or_insert(octets);
        }
    }
    let ledger = Ledger::init(&folder.ledger())?;
    let room = Room::<Rehearsal>::rehearsal(seed, seeded).beginning_at(files.plan.rehearsed_at);
    let beginning = Beginning {
        signers: rehearsal::signers(&files.plan, seed)?,
        settings: Settings { realm: Realm::Rehearsal, seed: seed.to_string(), seeded },
        // The script's own name stands for its path: the same seed gives the same record anywhere.
        argv: vec!["rehearse".to_owned(), files.plan.name.clone()],
        plan: files.plan,
        script: files.script,
        profiles: files.profiles,
        approval_digest: String::new(),
        governance_digest: String::new(),
        approval_files: BTreeMap::new(),
        binding: Vec::new(),
        vault,
        device_keys,
        incoming,
        incoming_files,
        reach: Reach::Processes,
    };
    let run = Run::start(beginning, folder, room, ledger, front.as_mut())?;
    finish(run)
}

/// Rehearses the ceremony that a script follows, with simulated people, beside the rehearsal to come.
fn rehearse_first(args: &Rehearse, follows: &str, out: &Path) -> Result<PathBuf, Failure> {
    let script = earlier::script_of(&args.script, follows)?;
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(format!("-after-{follows}"));
    let earlier = out.with_file_name(name);
    output::words(&format!(
        "{follows} comes before it and is rehearsed first, by simulated people, in {}",
        earlier.display()
    ));
    let first = Rehearse {
        script,
        front: FrontArgs { plain: true, ..args.front.clone() },
        auto: true,
        seed: args.seed,
        after: None,
        incoming: None,
        out: Some(earlier.clone()),
    };
    match rehearse(&first)? {
        ExitCode::Done => Ok(earlier),
        _ => Err(Failure::from(format!("{}: the rehearsal that comes before was not closed", earlier.display()))),
    }
}

/// What comes into a rehearsal, by name.
#[derive(Default)]
struct Incoming {
    objects: BTreeMap<String, Vec<u8>>,
    /// What lies beside an object that names its digest, with its size: it does not cross as codes, and may be long.
    files: BTreeMap<String, (PathBuf, u64)>,
}

/// The files of `--incoming`, else of the folder `rehearsal` beside the script.
fn incoming(args: &Rehearse) -> Result<Incoming, Failure> {
    let beside = if args.script.is_dir() { Some(args.script.as_path()) } else { args.script.parent() };
    let folder = match &args.incoming {
        Some(folder) => folder.clone(),
        None => match beside.map(|folder| folder.join("rehearsal")).filter(|folder| folder.is_dir()) {
            Some(folder) => folder,
            None => return Ok(Incoming::default()),
        },
    };
    let refused = |what: String| {
        Failure::new(ExitCode::Failure, format!("{}: {what}", folder.display())).with_hint(
            "it holds the objects that come into the rehearsal, as files named as the script's steps say, and nothing else",
        )
    };
    let mut found = Incoming::default();
    for entry in std::fs::read_dir(&folder).map_err(|e| refused(e.to_string()))? {
        let entry = entry.map_err(|e| refused(e.to_string()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if found.objects.len() + found.files.len() >= limits::INCOMING_FILES {
            return Err(refused(format!("expected at most {} files, found more", limits::INCOMING_FILES)));
        }
        if !is_name(&name) {
            let shown = SafeText::cut(&name, 80);
            return Err(refused(format!("expected names of letters, digits, dots and hyphens, found {shown}")));
        }
        // The folder of the rehearsal keeps a copy for a resume: of a secret there must be none.
        let secret = |found| refused(format!("{name}: expected an object for everybody's eyes, found {found}"));
        if let Some(most) = beside_an_object(&name) {
            let size = looked_through(&entry.path(), most).map_err(&refused)?.map_err(secret)?;
            found.files.insert(name, (entry.path(), size));
            continue;
        }
        let octets = durable_file::read(&entry.path(), limits::ENVELOPE_OCTETS)?;
        if let Some(found) = never::found_in(&octets) {
            return Err(secret(found));
        }
        found.objects.insert(name, octets);
    }
    Ok(found)
}

/// Most octets of a file that comes beside an object, where the name is of one.
fn beside_an_object(name: &str) -> Option<u64> {
    let of = |end: &str| name.strip_suffix(end).is_some_and(|of| !of.is_empty());
    if of(".requests.cbor") || of(".log.pem") {
        Some(limits::COLLECTED_OCTETS)
    } else {
        of(".outcomes.cbor").then_some(limits::OUTCOMES_OCTETS as u64)
    }
}

/// The size of a regular file with no secret in it; what was found, where there is one.
fn looked_through(path: &Path, most: u64) -> Result<Result<u64, &'static str>, String> {
    let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name().unwrap_or_default());
    let shown = name.to_string_lossy();
    let (mut file, size) = bundles::open_file(folder, &shown).map_err(|e| e.to_string())?;
    if size > most {
        return Err(format!("{shown}: expected at most {most} octets, found {size}"));
    }
    let found = never::found_in_pieces(&mut file).map_err(|e| format!("{shown}: reading: {e}"))?;
    Ok(found.map_or(Ok(size), Err))
}

/// `rehearsal-NAME-1`, or the next number that is free.
fn free_folder(name: &str) -> Result<PathBuf, Failure> {
    (1..=9_999_u32).map(|n| PathBuf::from(format!("rehearsal-{name}-{n}"))).find(|path| !path.exists()).ok_or_else(
        || Failure::new(ExitCode::Failure, "there are 9999 rehearsals here").with_hint("name a folder with --out"),
    )
}

/// The folder of a run must be new.
///
/// # Errors
/// Where it exists.
pub fn refuse_existing(out: &Path) -> Result<(), Failure> {
    if out.exists() {
        return Err(Failure::new(
            ExitCode::Usage,
            format!("{}: expected no folder here, found one; nothing was changed", out.display()),
        )
        .with_hint("name a new folder with --out, or go on in this one with `anchorite resume`"));
    }
    Ok(())
}

/// The front end the arguments ask for.
///
/// # Errors
/// Where the terminal will not do for it.
pub fn front_end(args: &FrontArgs, auto: bool, out: &Path) -> Result<Box<dyn FrontEnd>, Failure> {
    if auto {
        return Ok(Box::new(Auto::default()));
    }
    if args.plain {
        return Ok(Box::new(Plain::new()));
    }
    let resume = format!("anchorite resume {}", out.display());
    match Screen::open(&resume, args.no_color) {
        Ok(screen) => Ok(Box::new(screen)),
        Err(reason) => Err(Failure::new(ExitCode::EnvironmentRefused, reason)
            .with_hint("`--plain` works line by line on any terminal")),
    }
}

/// Runs to the end and writes what belongs around the record.
///
/// # Errors
/// Where the record or the evidence cannot be written.
pub fn finish<R: RealmType>(mut run: Run<'_, R>) -> Result<ExitCode, Failure> {
    let result = run.go();
    let finish = match result {
        Ok(finish) => finish,
        Err(error) => {
            let failure = Failure::from(error);
            let hint = format!(
                "{}; the record is whole: go on with `anchorite resume {}`",
                failure.hint,
                run.folder.root().display()
            );
            return Err(failure.with_hint(hint.trim_start_matches("; ").to_owned()));
        }
    };
    let record = read_record(&run.folder)?;
    closing::close(&run.folder, &run.plan, &record, &run.state, run.room.seed())?;
    let folder = run.folder.root().display().to_string();
    let head = record.head();
    let (title, code) = match finish {
        Finish::Closed => ("The record is closed.", ExitCode::Done),
        Finish::Aborted => ("The ceremony was aborted. Its record is complete.", ExitCode::Stopped),
        Finish::Left => ("The ceremony has stopped and can go on.", ExitCode::Stopped),
    };
    let mut lines = vec![
        format!("head        {}", head.grouped()),
        format!("in words    {}", head.twelve_words()),
        format!("exceptions  {}", run.state.exceptions.len()),
        format!("evidence    {folder}/evidence"),
    ];
    match finish {
        Finish::Closed if run.plan.realm.is_rehearsal() => {
            lines.push(format!("verify      anchorite verify {folder}/evidence --expect {}", head.hex()));
        }
        Finish::Closed => lines.push(format!(
            "next        each participant signs a copy of evidence/attestation.WHO.json on their own device: ssh-keygen -Y sign -n {} -f KEY COPY; then `anchorite evidence sign {folder}/evidence --who WHO --signature COPY.sig`",
            run.plan.realm.namespace("evidence")
        )),
        Finish::Left => lines.push(format!("go on       anchorite resume {folder}")),
        Finish::Aborted => {}
    }
    run.show_end(&Ending { title: title.to_owned(), lines });
    Ok(code)
}

/// Settings of a run's folder.
///
/// # Errors
/// Where they are missing or malformed.
pub fn settings(folder: &Folder) -> Result<Settings, Failure> {
    let octets = durable_file::read(&folder.settings(), limits::SMALL_FILE_OCTETS).map_err(|e| {
        Failure::new(ExitCode::Failure, e.to_string())
            .with_hint("name the folder a ceremony writes to, with evidence/ and state/ in it")
    })?;
    crate::basics::canonical::parse(&octets, limits::SMALL_FILE_OCTETS)
        .map_err(|e| Failure::from(format!("state/run.json: {e}")))
}
