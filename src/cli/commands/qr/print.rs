//! `qr print`: the codes of a file on pages.

use crate::basics::SafeText;
use crate::cli::args::qr::Print;
use crate::cli::commands::qr::object;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::transfer::paper::{self, Pages, pdf, picture};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What was written, for programs.
#[derive(Serialize)]
struct Report {
    codes: usize,
    digest: String,
    enough: usize,
    files: Vec<String>,
    kind: &'static str,
    pages: usize,
}

/// Writes the pages.
///
/// # Errors
/// Where the object cannot be sent or the name is taken.
pub fn print(args: &Print) -> Result<ExitCode, Failure> {
    let object = object::read(&args.object)?;
    let envelope = &object.envelope;
    let pages = paper::lay_out(envelope).map_err(|error| Failure::from(error.to_string()))?;
    if args.out.exists() {
        let shown = SafeText::of(&args.out.display().to_string());
        return Err(Failure::from(format!("{shown}: expected a new name, found something there; nothing is written")));
    }
    let is_pdf = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"));
    let files = if is_pdf { as_pdf(&pages, &args.out)? } else { as_pictures(&pages, &args.out)? };
    let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    if args.json {
        output::json(&Report {
            codes: pages.codes,
            digest: envelope.digest().hex(),
            enough: pages.enough,
            files,
            kind: envelope.kind().word(),
            pages: pages.pages.len(),
        })?;
    } else {
        files.iter().for_each(|file| output::data(file));
        let found = if object.guessed { ", as its content says" } else { "" };
        output::words(&format!("{} {} for {}{found}", envelope.kind(), envelope.name(), envelope.realm()));
        output::words(&format!(
            "{} codes on {} pages, any {} are enough; the other side shows these words when it is whole:",
            pages.codes,
            pages.pages.len(),
            pages.enough
        ));
        output::words(&format!("  {}", envelope.digest().twelve_words()));
    }
    Ok(ExitCode::Done)
}

fn as_pdf(pages: &Pages, out: &Path) -> Result<Vec<PathBuf>, Failure> {
    durable_file::create(out, &pdf::to_octets(pages))?;
    Ok(vec![out.to_owned()])
}

/// Every picture is made before the folder is: a folder that is there is whole, unless the disk failed.
fn as_pictures(pages: &Pages, out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let pictures: Result<Vec<Vec<u8>>, _> = pages.pages.iter().map(picture::to_octets).collect();
    let pictures = pictures.map_err(|error| Failure::from(error.to_string()))?;
    durable_file::new_folder(out)?;
    let mut files = Vec::new();
    for (number, octets) in (1..).zip(pictures) {
        let file = out.join(format!("page-{number:03}.png"));
        durable_file::create(&file, &octets)?;
        files.push(file);
    }
    Ok(files)
}
