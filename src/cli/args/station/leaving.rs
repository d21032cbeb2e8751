//! The forms in which identities leave a station.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How one drawn identity leaves.
#[derive(Debug, Args)]
pub struct FormArgs {
    /// In this form; PEM blocks without it. Forms of several files need --to
    #[arg(long = "as", value_enum, conflicts_with_all = ["json", "serve"])]
    pub form: Option<DrawForm>,
    /// What no record holds: names of vendor and product, versions, commissioning (media/EXPORTS.md)
    #[arg(long, requires = "form")]
    pub options: Option<PathBuf>,
    /// The password of a PKCS#12 file: its first line; asked for on the terminal without it
    #[arg(long, requires = "form")]
    pub password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DrawForm {
    /// A folder of PEM and DER files
    Files,
    /// PKCS#12: key, certificate and chain under a password
    Pkcs12,
    /// A folder that esp-idf-nvs-partition-gen makes a Matter partition of
    EspMatter,
    /// A folder that configure_esp_secure_cert.py makes a partition of
    EspSecureCert,
    /// Nordic's Matter factory data, JSON
    Nordic,
}

/// Public data of the devices of a bundle.
#[derive(Debug, Args)]
pub struct ExportBatch {
    /// The station's folder
    pub station: PathBuf,
    /// The bundle's id
    pub bundle: String,
    /// In this form
    #[arg(long = "as", value_enum)]
    pub form: ExportForm,
    /// Devices in these states, of those that were drawn; injected, verified and reported without it
    #[arg(long, value_delimiter = ',')]
    pub state: Vec<String>,
    /// Who made and who distributes the devices: for element manifests (media/EXPORTS.md)
    #[arg(long)]
    pub options: Option<PathBuf>,
    /// A new file, or a new folder for pem and der; standard output without it
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// One JSON object on standard output; needs --out
    #[arg(long, requires = "out")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// One line a device, for registries
    Csv,
    /// A folder of certificates, PEM
    Pem,
    /// A folder of certificates, DER
    Der,
    /// Lines for AWS IoT's bulk registration
    AwsIot,
    /// Lines for Azure IoT Hub's import
    AzureIot,
    /// A signed manifest of secure elements, as Microchip's Trust Platform has it
    ElementManifest,
}
