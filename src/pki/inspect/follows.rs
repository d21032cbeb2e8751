//! A finished list against the one before it: as [`crate::pki::crl::continuity`] asks of lists to be made, for lists of
//! anybody. When certificates end is not known here, so an entry that is gone is named.

use super::Findings;
use super::list::{EntryFacts, ListFacts};
use super::primitives::hex;
use std::collections::BTreeMap;

/// Reason keyCompromise.
const KEY_COMPROMISE: u8 = 1;

pub fn judge(previous: &ListFacts, next: &ListFacts, findings: &mut Findings) {
    let same = previous.issuer.der == next.issuer.der && previous.aki == next.aki;
    findings.expect(same, "previous.issuer", "expected the authority of the list before, found another");
    if let (Some(last), Some(number)) = (&previous.number, &next.number) {
        let expected = successor(last);
        let rises = (number.len(), number) > (last.len(), last);
        let gap = if rises { ": a gap" } else { ", which does not rise" };
        let message = format!("expected {}, found {}{gap}", shown(&expected), shown(number));
        findings.expect(*number == expected, "previous.number", message);
    }
    if let (Some(before), Some(this)) = (previous.this_update, next.this_update) {
        findings.expect(this >= before, "previous.this-update", format!("expected one from {before} on, found {this}"));
    }
    let now: BTreeMap<&[u8], &EntryFacts> = next.entries.iter().map(|entry| (entry.serial.as_slice(), entry)).collect();
    for old in &previous.entries {
        let serial = hex(&old.serial);
        match now.get(old.serial.as_slice()) {
            None => findings.add(
                "previous.entry-gone",
                format!("expected {serial} again unless its certificate has ended, found none"),
            ),
            Some(new) => {
                let date = old.date.map_or_else(String::new, |date| date.to_string());
                findings.expect(
                    old.date == new.date,
                    "previous.entry-date",
                    format!("{serial}: expected its date {date} again, found another"),
                );
                let worse = new.reason == old.reason || new.reason == KEY_COMPROMISE;
                let (was, is) = (old.reason, new.reason);
                findings.expect(
                    worse,
                    "previous.entry-reason",
                    format!("{serial}: expected reason {was} or 1, found {is}"),
                );
            }
        }
    }
}

fn successor(number: &[u8]) -> Vec<u8> {
    let mut octets = number.to_vec();
    for octet in octets.iter_mut().rev() {
        let (sum, carried) = octet.overflowing_add(1);
        *octet = sum;
        if !carried {
            return octets;
        }
    }
    octets.insert(0, 1);
    octets
}

/// Decimal where it is short, hexadecimal where not.
fn shown(number: &[u8]) -> String {
    if number.len() <= 8 {
        number.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet)).to_string()
    } else {
        hex(number)
    }
}
