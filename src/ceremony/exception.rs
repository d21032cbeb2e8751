//! Exceptions: a deviation, written in the room: expected, happened, decided, by whom. A step is skipped through one or
//! not at all.

use crate::basics::limits;
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One exception sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    pub expected: String,
    pub happened: String,
    pub decided: String,
    /// Initials of at least two people.
    pub by: Vec<String>,
    /// Whether the present step is skipped.
    pub skip: bool,
}

/// Who signed a sheet, by person id.
///
/// # Errors
/// A field left empty or too long, initials nobody has, fewer than two people.
pub fn check(plan: &Plan, sheet: &Sheet) -> Result<Vec<String>, String> {
    for (name, text) in [("expected", &sheet.expected), ("happened", &sheet.happened), ("decided", &sheet.decided)] {
        if text.trim().is_empty() {
            return Err(format!("the sheet needs what was {name}"));
        }
        if text.chars().count() > limits::TYPED_CHARS {
            return Err(format!("`{name}`: expected at most {} characters", limits::TYPED_CHARS));
        }
    }
    let mut people = BTreeSet::new();
    for initials in &sheet.by {
        let person = plan
            .by_initials(initials)
            .ok_or_else(|| format!("nobody here has the initials {}", crate::basics::SafeText::cut(initials, 12)))?;
        people.insert(person.id.clone());
    }
    if people.len() < 2 {
        return Err("two people must initial an exception".to_owned());
    }
    Ok(people.into_iter().collect())
}
