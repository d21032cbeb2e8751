//! A ceremony against those before it: what it took up is exactly what the record before it left, link by link.

use crate::audit::evidence::{STANDING, verify};
use crate::audit::folder::{self, Files};
use crate::audit::signed::Pin;
use crate::audit::standing::left_by;
use crate::audit::verdict::{Claims, Refuted, Status, What};
use crate::basics::{Realm, SafeText, limits};
use crate::plan::Standing;
use crate::script::StepKind;

/// Compares each folder with the one it follows, as far as they were brought.
///
/// # Errors
/// What one took up is not what the other left, or the other does not hold.
pub(super) fn compare(
    files: &Files,
    earlier: &[Files],
    kinds: &[&dyn StepKind],
    claims: &mut Claims,
) -> Result<(), Refuted> {
    let bad = |problem: String| Refuted::named(What::File, STANDING, problem);
    let mut later = files;
    for before in earlier {
        let Some((standing, octets)) = taken_up(later).map_err(bad)? else {
            return Err(bad("expected none to be compared: this ceremony follows no other".to_owned()));
        };
        let pin = Pin { signers: None, expect: Some(standing.head) };
        let verdict = verify(before, &pin, kinds);
        let name = SafeText::cut(&standing.ceremony, 80);
        if verdict.exit != 0 {
            let whole = verdict.render();
            let last = whole.trim_end().lines().last().unwrap_or_default();
            return Err(bad(format!("the record before, expected {name} with head {}: {last}", standing.head)));
        }
        let (record, left) = left_by(before, kinds);
        if record.is_some_and(|record| record.has_withheld()) {
            let said = format!("{name} has this head; what it left cannot be derived from a copy with bodies withheld");
            claims.add("what stands", Status::Unchecked, said);
        } else {
            let left = left.and_then(|left| left.to_octets()).map_err(|e| bad(format!("the record before: {e}")))?;
            if left != octets {
                return Err(bad(format!("expected exactly what the record of {name} leaves, found something else")));
            }
            claims.add("what stands", Status::Ok, format!("exactly what the record of {name} leaves"));
        }
        later = before;
    }
    if let Some((standing, _)) = taken_up(later).map_err(bad)? {
        let name = SafeText::cut(&standing.ceremony, 80);
        claims.add("what stands", Status::Unchecked, format!("bring the record of {name}: `verify --after`"));
    }
    Ok(())
}

/// What a ceremony took up, and its octets; nothing where it is the first of its chain.
fn taken_up(files: &Files) -> Result<Option<(Standing, Vec<u8>)>, String> {
    if !folder::exists(files, STANDING) {
        return Ok(None);
    }
    let octets = folder::read(files, STANDING, limits::STANDING_OCTETS)?;
    let standing = Standing::parse(octets, Realm::Production).or_else(|_| Standing::parse(octets, Realm::Rehearsal))?;
    Ok(Some((standing, octets.to_vec())))
}
