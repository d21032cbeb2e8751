//! The steps of a script as any TOML reader sees them: ids in order and the role each needs. Less than `script::parse` on
//! purpose: this is the part of the script that the specification of the record rests on.

use crate::basics::SafeText;
use toml::de::{DeTable, DeValue};

/// A step: its id, and the role that must have done it (`None`: no role could, so nobody can have).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptStep {
    pub id: String,
    pub role: Option<String>,
}

/// Digits of a decimal integer that a TOML reader has to bear.
const DIGITS: usize = 4_300;

/// The record the script follows, and the steps in the order of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptSteps {
    pub previous_head: String,
    /// Id of the ceremony that this one goes on from, or empty.
    pub follows: String,
    pub steps: Vec<ScriptStep>,
}

/// Reads the script.
///
/// # Errors
/// What keeps it from being read.
pub fn read(octets: &[u8]) -> Result<ScriptSteps, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "script.toml: expected UTF-8 text")?;
    if text.starts_with('\u{feff}') {
        return Err("script.toml: expected TOML 1.0, found a byte order mark".to_owned());
    }
    if let Some(what) = crate::script::toml_1_0::newer(text) {
        return Err(format!("script.toml: expected TOML 1.0, found {what}"));
    }
    let table = DeTable::parse(text).map_err(|e| format!("script.toml: {}", SafeText::cut(e.message(), 200)))?;
    let table = table.get_ref();
    if table.values().any(|value| too_long(value.get_ref())) {
        return Err(format!("script.toml: expected integers of at most {DIGITS} digits"));
    }
    let said = |key: &str| match table.get("ceremony").map(|ceremony| ceremony.get_ref()) {
        None => Ok(String::new()),
        Some(DeValue::Table(ceremony)) => match ceremony.get(key).map(|value| value.get_ref()) {
            None => Ok(String::new()),
            Some(DeValue::String(text)) => Ok(text.to_string()),
            Some(_) => Err(format!("{key}: expected text, found another value")),
        },
        Some(_) => Err("ceremony: expected a table, found another value".to_owned()),
    };
    let (previous_head, follows) = (said("previous_head")?, said("follows")?);
    let mut roles: Vec<(Word, Vec<Word>)> = Vec::new();
    for role in items(table, "role")? {
        let name = word(role.get("name").ok_or("role: expected a name, found none")?.get_ref())?;
        let holders = role.get("holders").map_or(Ok(Vec::new()), |holders| self::holders(holders.get_ref()))?;
        match roles.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => *held = holders,
            None => roles.push((name, holders)),
        }
    }
    let mut steps: Vec<ScriptStep> = Vec::new();
    for act in items(table, "act")? {
        for step in items(act, "step")? {
            let id = match step.get("id").map(|id| id.get_ref()) {
                Some(DeValue::String(id)) if !id.is_empty() => id.to_string(),
                _ => return Err("step: expected an id".to_owned()),
            };
            if steps.iter().any(|known| known.id == id) {
                return Err(format!("step {}: expected an id of its own, found it twice", SafeText::cut(&id, 80)));
            }
            steps.push(ScriptStep { id, role: role_of(step, &roles)? });
        }
    }
    Ok(ScriptSteps { previous_head, follows, steps })
}

/// The role `who` names, else the first role that person holds.
fn role_of(step: &DeTable<'_>, roles: &[(Word, Vec<Word>)]) -> Result<Option<String>, String> {
    let Some(who) = step.get("who") else { return Ok(None) };
    let who = word(who.get_ref())?;
    let named = roles.iter().find(|(name, _)| *name == who);
    let role = named.or_else(|| roles.iter().find(|(_, holders)| holders.contains(&who)));
    Ok(role.and_then(|(name, _)| name.text.then(|| name.value.clone())))
}

/// A plain value, compared with others of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: bool,
    value: String,
}

fn word(value: &DeValue<'_>) -> Result<Word, String> {
    let (text, value) = match value {
        DeValue::String(text) => (true, text.to_string()),
        DeValue::Integer(number) => (false, format!("{number}")),
        DeValue::Float(number) => (false, format!("{number}")),
        DeValue::Boolean(truth) => (false, truth.to_string()),
        DeValue::Datetime(time) => (false, time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => return Err("expected a name, found an array or table".to_owned()),
    };
    Ok(Word { text, value })
}

/// The tables of an array of tables; an empty text or table counts as none.
fn items<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Result<Vec<&'t DeTable<'i>>, String> {
    match table.get(key).map(|value| value.get_ref()) {
        None => Ok(Vec::new()),
        Some(DeValue::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(DeValue::Table(table)) if table.is_empty() => Ok(Vec::new()),
        Some(DeValue::Array(values)) => values
            .iter()
            .map(|value| {
                value.get_ref().as_table().ok_or_else(|| format!("{key}: expected a table, found another value"))
            })
            .collect(),
        Some(_) => Err(format!("{key}: expected an array of tables, found another value")),
    }
}

/// The people of a role; a text is its characters and a table its keys, as in the specification's own reader.
fn holders(value: &DeValue<'_>) -> Result<Vec<Word>, String> {
    let text = |value: String| Word { text: true, value };
    match value {
        DeValue::Array(people) => {
            // A person that is itself an array or table equals nobody.
            Ok(people.iter().filter_map(|person| word(person.get_ref()).ok()).collect())
        }
        DeValue::String(people) => Ok(people.chars().map(|c| text(c.to_string())).collect()),
        DeValue::Table(people) => Ok(people.keys().map(|key| text(key.get_ref().to_string())).collect()),
        _ => Err("holders: expected an array, found another value".to_owned()),
    }
}

fn too_long(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Integer(number) => {
            number.radix() == 10 && number.as_str().bytes().filter(u8::is_ascii_digit).count() > DIGITS
        }
        DeValue::Array(values) => values.iter().any(|value| too_long(value.get_ref())),
        DeValue::Table(values) => values.values().any(|value| too_long(value.get_ref())),
        _ => false,
    }
}
