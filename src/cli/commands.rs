//! One file a verb.

pub mod approve;
pub mod bundle;
pub mod check;
pub mod disclose;
pub mod doctor;
pub mod envelope;
pub mod evidence;
pub mod inspect;
pub mod ledger;
pub mod medium;
pub mod qr;
pub mod rehearse;
pub mod request;
pub mod resume;
pub mod run;
pub mod station;
pub mod verify;

use crate::cli::args::{Cli, Verb};
use crate::cli::{ExitCode, Failure, output};
use clap::CommandFactory;

/// Runs the verb.
///
/// # Errors
/// What the verb says when it fails.
pub fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    #[cfg(feature = "postgres")]
    if matches!(cli.verb, Verb::Run(_) | Verb::Rehearse(_) | Verb::Resume { .. }) {
        let message = "this program was built for a station on PostgreSQL and can open sockets: it leads no ceremonies";
        return Err(
            Failure::new(ExitCode::EnvironmentRefused, message).with_hint("build it without the feature postgres")
        );
    }
    match cli.verb {
        Verb::Check { script, realm, after, json } => check::check(&script, realm.into(), after.as_deref(), json),
        Verb::Runbook { script, realm, after } => check::runbook(&script, realm.into(), after.as_deref()),
        Verb::Rehearse(args) => rehearse::rehearse(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Resume { folder, front } => resume::resume(&folder, &front),
        Verb::Verify { folder, signers, expect, after, files, json } => {
            verify::verify(&folder, signers.as_deref(), expect.as_deref(), &after, &files, json)
        }
        Verb::Disclose { folder, level, out } => disclose::disclose(&folder, level.into(), &out),

        Verb::Evidence(verb) => evidence::evidence(verb),
        Verb::Approve(verb) => approve::approve(verb),
        Verb::Bundle(verb) => bundle::bundle(verb),
        Verb::Envelope(verb) => envelope::envelope(verb),
        Verb::Ledger(verb) => ledger::ledger(verb),
        Verb::Qr(verb) => qr::qr(verb),
        Verb::Request(verb) => request::request(verb),
        Verb::Medium(verb) => medium::medium(verb),
        Verb::Station(verb) => station::station(verb),
        Verb::Certificate(verb) => inspect::certificate(verb),
        Verb::Crl(verb) => inspect::crl(verb),
        Verb::Doctor { json } => doctor::doctor(json),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "anchorite", &mut script);
            output::data(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::Done)
        }
    }
}
