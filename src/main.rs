//! Parse, run, exit code; nothing else.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods)]

use anchorite::cli::args::Cli;
use anchorite::cli::{ExitCode, commands, output};
use anchorite::devices::{picture_reader, share_scanner};
use anchorite::strongroom::process;
use clap::Parser;

fn main() -> std::process::ExitCode {
    // Before anything locks memory: a picture's declared size must cost nothing until its pixels come.
    let word = std::env::args_os().nth(1).unwrap_or_default();
    if word == picture_reader::process::ARGUMENT {
        return if picture_reader::process::serve().is_ok() { ExitCode::Done.into() } else { ExitCode::Failure.into() };
    }
    process::guard_program();
    // The program starts itself as its strongroom: no flags, no environment, only this word.
    if word == process::ARGUMENT {
        return if process::serve().is_ok() { ExitCode::Done.into() } else { ExitCode::Failure.into() };
    }
    if word == share_scanner::ARGUMENT {
        let device = std::env::args_os().nth(2).unwrap_or_default();
        let given = share_scanner::serve(std::path::Path::new(&device));
        return if given.is_ok() { ExitCode::Done.into() } else { ExitCode::Missing.into() };
    }
    match Cli::try_parse() {
        Ok(cli) => match commands::dispatch(cli) {
            Ok(code) => code.into(),
            Err(failure) => {
                output::failure(&failure, std::env::args_os().any(|argument| argument == "--json"));
                failure.code.into()
            }
        },
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() { ExitCode::Usage.into() } else { ExitCode::Done.into() }
        }
    }
}
