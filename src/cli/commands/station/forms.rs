//! `station draw --as`: one identity in the form another tool reads. Whatever can be known beforehand is looked at before anything is reserved:
//! an identity whose form then fails is spent.

use super::draw::undelivered;
use super::{now, open_options};
use crate::basics::{Secret, limits};
use crate::cli::args::station::{DrawForm, DrawIdentity};
use crate::cli::plain::Keyboard;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file::{self, FileError};
use crate::factory::export::{ExportedFile, Form, Made, Password, Protection, chain_of};
use crate::factory::{Manifest, Mode, manifest};
use crate::keys::SubjectKey;
use crate::station::Station;
use crate::station::draw::{Drawn, Wanted};
use crate::station::handing_over::HandingOver;
use rustix::fs::{Access, access};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

pub(super) fn draw(
    station: &mut Station,
    args: &DrawIdentity,
    form: DrawForm,
    wanted: &Wanted<'_>,
) -> Result<ExitCode, Failure> {
    let usage = |message: &str, hint: &str| Err(Failure::new(ExitCode::Usage, message).with_hint(hint));
    if args.form.password_file.is_some() && form != DrawForm::Pkcs12 {
        return usage("--password-file: expected with --as pkcs12 only, found with another form", "nothing was drawn");
    }
    let to = args.to.as_deref().map(|path| free_path(path, "nothing was drawn")).transpose()?;
    let options = open_options(args.form.options.as_deref())?;
    let form = match form {
        DrawForm::Files => Form::Files,
        DrawForm::Pkcs12 => Form::Pkcs12(protection(args.form.password_file.as_deref())?),
        DrawForm::EspMatter => Form::EspMatter,
        DrawForm::EspSecureCert => Form::EspSecureCert,
        DrawForm::Nordic => Form::Nordic,
    };
    if form.is_folder() && to.is_none() {
        return usage("--to: expected the folder to make for this form, found none", "nothing was drawn");
    }
    let (next, bundle) = station.next(wanted, now())?;
    let chain = station.chain(&bundle.bundle)?;
    let key = SubjectKey::from_spki_der(&next.spki).ok();
    let algorithm = key.as_ref().and_then(SubjectKey::as_public_key).map(crate::keys::PublicKey::algorithm);
    let issuer = chain_of(&chain).map_err(unfit)?.into_iter().next().unwrap_or_default();
    form.fits(algorithm, &issuer, &options).map_err(unfit)?;
    let path = station.bundle_folder(&bundle.bundle).join(manifest::NAME);
    let mode = Manifest::parse(&durable_file::read(&path, limits::BUNDLE_MANIFEST_OCTETS)?).map_err(unfit)?.mode;
    if mode != Mode::Injected && !matches!(form, Form::Files) {
        return usage(
            &format!("--as: expected a bundle with private keys, found one that is {mode}"),
            "nothing was drawn",
        );
    }

    let mut over = handing_over(station, to.as_deref(), "nothing was drawn")?;
    let drawn = station.draw(wanted, now())?;
    begins(&mut over, &drawn)?;
    let chain = station.chain(&drawn.bundle.bundle)?;
    let lost = |cause: &dyn ToString| undelivered(&drawn, &cause.to_string());
    match (form.of(&drawn.record, &chain, &options).map_err(|e| lost(&e))?, &to) {
        (Made::One(octets), None) => output::secret_data(&octets).map_err(|e| lost(&e))?,
        (Made::One(octets), Some(path)) => durable_file::create(path, octets.expose()).map_err(|e| lost(&e))?,
        (Made::Folder(files), Some(path)) => folder(path, &files).map_err(|e| lost(&e))?,
        (Made::Folder(_), None) => return Err(lost(&"its form is a folder")),
    }
    if let Some(path) = &to {
        let (device, line) = (&drawn.identity.device, wanted.line);
        output::words(&format!("{device} is reserved for line {line} and in {}", path.display()));
    }
    Ok(ExitCode::Done)
}

fn unfit(refusal: crate::factory::Refusal) -> Failure {
    Failure::new(ExitCode::Usage, refusal.to_string()).with_hint("nothing was drawn")
}

/// A path that nothing has, nor the folder it is made in, in a folder where something can be made. `nothing` says what did not happen.
pub(super) fn free_path(path: &Path, nothing: &str) -> Result<PathBuf, Failure> {
    let path = std::path::absolute(path).map_err(|e| Failure::from(e.to_string()))?;
    let above = path.parent().unwrap_or(Path::new("/"));
    if let Err(error) = access(above, Access::WRITE_OK | Access::EXEC_OK) {
        let message = format!("{}: expected a folder to write into: {error}", above.display());
        return Err(Failure::new(ExitCode::Usage, message).with_hint(nothing));
    }
    for taken in [&path, &partial(&path)] {
        if taken.symlink_metadata().is_ok() {
            let message = format!("{}: expected no such file or folder, found one", taken.display());
            return Err(Failure::new(ExitCode::Usage, message).with_hint(format!("{nothing}; nothing is overwritten")));
        }
    }
    Ok(path)
}

/// Looks for room, and notes what is written until it has its name: of a process that is killed nothing stays unnoticed.
pub(super) fn handing_over(
    station: &Station,
    to: Option<&Path>,
    nothing: &'static str,
) -> Result<Option<HandingOver>, Failure> {
    let over = to.map(|path| station.handing_over(&partial(path))).transpose();
    over.map_err(|error| Failure::from(error).with_hint(nothing))
}

/// From here on there may be a private key in it.
pub(super) fn begins(over: &mut Option<HandingOver>, drawn: &Drawn) -> Result<(), Failure> {
    let noted = over.as_mut().map_or(Ok(()), |over| over.begins(&drawn.identity.device));
    noted.map_err(|error| undelivered(drawn, &error.to_string()))
}

pub(super) fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// A new folder that only its owner enters; it has its name when every file in it is whole.
fn folder(path: &Path, files: &[ExportedFile]) -> Result<(), FileError> {
    let partial = partial(path);
    durable_file::new_private_folder(&partial)?;
    let mut each = files.iter();
    let made = each.try_for_each(|file| durable_file::create(&partial.join(&file.name), file.octets.expose()));
    let made = made.and_then(|()| durable_file::move_to(&partial, path));
    if made.is_err() {
        // A full disk must not leave half an identity behind: its key may be in there.
        let _ = std::fs::remove_dir_all(&partial);
    }
    made
}

/// The password, from a file or typed twice, and randomness for one file.
fn protection(file: Option<&Path>) -> Result<Protection, Failure> {
    let typed = match file {
        Some(path) => {
            let octets = Secret::take(durable_file::read(path, limits::SMALL_FILE_OCTETS)?);
            let line = octets.expose().split(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
            Secret::take(line.to_vec())
        }
        None if std::io::stdin().is_terminal() => {
            let keyboard = Keyboard::default();
            let none =
                || Failure::new(ExitCode::Usage, "expected a password, found none").with_hint("nothing was drawn");
            let first = keyboard.secret_line("password of the file (not shown): ").ok_or_else(none)?;
            let again = keyboard.secret_line("once more: ").ok_or_else(none)?;
            if !first.same_as(again.expose()) {
                let message = "expected the same password twice, found two";
                return Err(Failure::new(ExitCode::Usage, message).with_hint("nothing was drawn"));
            }
            first
        }
        None => {
            let message = "expected a terminal to ask for the password on, or --password-file, found neither";
            return Err(Failure::new(ExitCode::Usage, message).with_hint("nothing was drawn"));
        }
    };
    let password = Password::parse(typed).map_err(unfit)?;
    let mut random = [0; Protection::RANDOM];
    getrandom::fill(&mut random).map_err(|e| Failure::from(format!("the machine's random source: {e}")))?;
    Ok(Protection { password, random })
}
