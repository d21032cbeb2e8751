//! What the maker of a product says of it, where no record does: a TOML file.
//!
//! ```toml
//! format = "anchorite-export/1"
//! vendor_name = "Example Lamps"
//! product_name = "Lamp"
//! date = "2026-11-26"               # of manufacture
//! hw_ver = 1
//! hw_ver_str = "EVT-1"
//! product_label = "Bulb"            # and product_url, part_number: optional
//! [manufacturer]                    # of the devices, and [distributor]: for element manifests
//! organization = "Example Lamps"
//! unit = "Factories"
//! [commissioning]                   # of one device, where its record does not hold it; the verifier is as secret as a password's hash
//! discriminator = 3840
//! iterations = 10000
//! salt = "hexadecimal digits"
//! verifier = "hexadecimal digits"
//! ```

use crate::basics::safe_text::is_dangerous;
use crate::basics::{Instant, limits};
use crate::factory::Refusal;
use serde::Deserialize;
use zeroize::Zeroize;

const WHAT: &str = "options";
const FORMAT: &str = "anchorite-export/1";

/// The options. No `Debug`: a verifier may be in them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    format: String,
    pub vendor_name: Option<String>,
    pub product_name: Option<String>,
    pub product_label: Option<String>,
    pub product_url: Option<String>,
    pub part_number: Option<String>,
    /// `2026-11-26`.
    pub date: Option<String>,
    pub hw_ver: Option<u16>,
    pub hw_ver_str: Option<String>,
    pub manufacturer: Option<Entity>,
    pub distributor: Option<Entity>,
    pub(super) commissioning: Option<Commissioning>,
}

/// A company and its part.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    pub organization: String,
    pub unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commissioning {
    pub discriminator: Option<u16>,
    pub iterations: Option<u32>,
    pub salt: Option<String>,
    pub verifier: Option<String>,
}

impl Drop for Commissioning {
    fn drop(&mut self) {
        self.salt.zeroize();
        self.verifier.zeroize();
    }
}

impl Options {
    /// Reads a file of options.
    ///
    /// # Errors
    /// What is wrong, with its line or its name.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        if octets.len() > limits::SMALL_FILE_OCTETS {
            return Err(Refusal::malformed(
                WHAT,
                format!("at most {} octets", limits::SMALL_FILE_OCTETS),
                octets.len(),
            ));
        }
        let text = std::str::from_utf8(octets).map_err(|_| Refusal::malformed(WHAT, "UTF-8 text", "other octets"))?;
        let options: Self = toml::from_str(text).map_err(|e: toml::de::Error| {
            let line = e.span().map_or(0, |span| text.bytes().take(span.start).filter(|o| *o == b'\n').count() + 1);
            Refusal::malformed(WHAT, "TOML with the keys of options", format!("line {line}: {}", e.message()))
        })?;
        if options.format != FORMAT {
            return Err(Refusal::malformed(format!("{WHAT}: format"), FORMAT, &options.format));
        }
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), Refusal> {
        let entity = |entity: &'_ Option<Entity>| entity.as_ref().map(|entity| entity.organization.clone());
        let unit = |entity: &'_ Option<Entity>| entity.as_ref().and_then(|entity| entity.unit.clone());
        // Nordic's schema, which keeps to Matter Core 11.1.5; Espressif's tool has the same numbers.
        let texts = [
            ("vendor_name", self.vendor_name.clone(), 32),
            ("product_name", self.product_name.clone(), 32),
            ("product_label", self.product_label.clone(), 64),
            ("product_url", self.product_url.clone(), 256),
            ("part_number", self.part_number.clone(), 32),
            ("hw_ver_str", self.hw_ver_str.clone(), 64),
            ("manufacturer.organization", entity(&self.manufacturer), 64),
            ("manufacturer.unit", unit(&self.manufacturer), 64),
            ("distributor.organization", entity(&self.distributor), 64),
            ("distributor.unit", unit(&self.distributor), 64),
        ];
        for (name, text, most) in texts {
            let Some(text) = text else { continue };
            let good = !text.is_empty() && text.len() <= most && text.trim() == text && !text.chars().any(is_dangerous);
            if !good {
                let expected = format!("1 to {most} visible octets");
                return Err(Refusal::malformed(format!("{WHAT}: {name}"), expected, &text));
            }
        }
        let is_day = |date: &str| date.len() == 10 && Instant::parse(&format!("{date}T00:00:00Z")).is_some();
        match &self.date {
            Some(date) if !is_day(date) => {
                Err(Refusal::malformed(format!("{WHAT}: date"), "a day like 2026-11-26", date))
            }
            _ => Ok(()),
        }
    }

    /// A value that no record holds and that the export needs.
    pub(super) fn needed<'o, T: ?Sized>(name: &str, value: Option<&'o T>) -> Result<&'o T, Refusal> {
        value.ok_or_else(|| Refusal::malformed(format!("{WHAT}: {name}"), "a value: no record holds it", "none"))
    }
}
