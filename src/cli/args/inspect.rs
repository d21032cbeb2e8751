//! `certificate check` and `crl check`: certificates and lists of anybody, judged.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum CertificateVerb {
    /// Judge a certificate of anybody: DER, RFC 5280, its issuer, a profile
    Check(CheckCertificate),
}

#[derive(Debug, Args)]
pub struct CheckCertificate {
    /// The certificate, PEM or DER
    pub file: PathBuf,
    /// Its issuer's certificate: name, key identifier, powers, dates and signature are compared
    #[arg(long, value_name = "FILE")]
    pub issuer: Option<PathBuf>,
    /// A profile it should follow: the name of one that comes with the tool, or a TOML file
    #[arg(long, value_name = "NAME or FILE")]
    pub profile: Option<String>,
    /// One JSON object on standard output: `fields`, `findings` (rule, message), `sha256`
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CrlVerb {
    /// Judge a revocation list of anybody: DER, RFC 5280, its issuer, the list before it
    Check(CheckCrl),
}

#[derive(Debug, Args)]
pub struct CheckCrl {
    /// The list, PEM or DER
    pub file: PathBuf,
    /// Its issuer's certificate: name, key identifier, power and signature are compared
    #[arg(long, value_name = "FILE")]
    pub issuer: Option<PathBuf>,
    /// The list before it: the number rises by one, no entry is gone or changed
    #[arg(long, value_name = "FILE")]
    pub previous: Option<PathBuf>,
    /// One JSON object on standard output: `fields`, `findings` (rule, message), `sha256`
    #[arg(long)]
    pub json: bool,
}
