//! The fields of a revocation list (RFC 5280 5), taken apart and judged.

use super::Findings;
use super::certificate::{judge_algorithm, judge_serial};
use super::extensions::{self, split, split_sequence};
use super::names::{self, NameFacts};
use super::primitives::{self, hex};
use super::tree::{self, Node};
use crate::basics::{Digest, Instant};
use std::collections::BTreeSet;

/// What a list says, as far as it could be read.
#[derive(Clone, Debug)]
pub struct ListFacts {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Vec<u8>,
    pub(super) signature_algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) issuer: NameFacts,
    pub(super) aki: Option<Vec<u8>>,
    /// Octets of the number, without leading zeros.
    pub(super) number: Option<Vec<u8>>,
    pub(super) this_update: Option<Instant>,
    pub(super) entries: Vec<EntryFacts>,
}

impl ListFacts {
    /// SHA-256 of the octets.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// How many certificates are on it.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFacts {
    pub serial: Vec<u8>,
    pub date: Option<Instant>,
    /// 0 where none is given.
    pub reason: u8,
}

pub fn judge(der: &[u8], findings: &mut Findings) -> Option<ListFacts> {
    let Some(root) = tree::read(der, findings) else {
        findings.add("crl.readable", "expected DER, found octets that cannot be taken apart");
        return None;
    };
    primitives::judge(&root, findings);
    let parts = (root.child(0, tree::SEQUENCE), root.child(1, tree::SEQUENCE), root.child(2, tree::BIT_STRING));
    let (Some(tbs), Some(outside), Some(signature)) = parts else {
        findings.add("crl.readable", "expected a sequence of what is signed, algorithm and signature, found otherwise");
        return None;
    };
    findings.expect(
        root.tag == tree::SEQUENCE && root.children.len() == 3,
        "crl.shape",
        "expected three values, found others",
    );
    let signature = signature.content.strip_prefix(&[0]).unwrap_or_default().to_vec();
    findings.expect(
        !signature.is_empty(),
        "crl.signature.whole-octets",
        "expected a signature without unused bits, found otherwise",
    );
    let is_time = |field: &&Node<'_>| matches!(field.tag, tree::UTC_TIME | tree::GENERALIZED_TIME);
    let mut fields = tbs.children.iter().peekable();
    let version = fields.next_if(|field| field.tag == tree::INTEGER);
    let inside = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let issuer = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let this = fields.next_if(is_time);
    let next = fields.next_if(is_time);
    let (Some(inside), Some(issuer), Some(this)) = (inside, issuer, this) else {
        findings.add("crl.readable", "expected algorithm, issuer and this update, found otherwise");
        return None;
    };
    let entries = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let list = fields.next_if(|field| field.tag == 0xa0);
    findings.expect(fields.next().is_none(), "crl.shape", "expected nothing after the extensions, found more fields");

    let two = version.is_some_and(|version| version.content == [1]);
    findings.expect(two, "crl.version.two", "expected version 2 (01), found another or none");
    judge_algorithm(inside, outside, "crl.algorithm.inside-as-outside", findings);
    let issuer = names::judge(issuer, findings);
    findings.expect(issuer.attributes > 0, "crl.issuer.not-empty", "expected a name, found an empty one");
    let this_update = primitives::time(this, "crl.this-update.form", findings);
    let next_update = next.and_then(|next| primitives::time(next, "crl.next-update.form", findings));
    findings.expect(next.is_some(), "crl.next-update.present", "expected a next update, found none");
    if let (Some(this), Some(next)) = (this_update, next_update) {
        findings.expect(this < next, "crl.times.in-order", format!("expected an end after {this}, found {next}"));
    }
    if let Some(entries) = entries {
        let some = !entries.children.is_empty();
        findings.expect(
            some,
            "crl.entries.absent-when-empty",
            "expected no list of entries where there are none, found an empty one",
        );
    }
    let entries = entries.map(|entries| judge_entries(entries, this_update, findings)).unwrap_or_default();
    let (aki, number) = judge_extensions(list, findings);
    Some(ListFacts {
        der: der.to_vec(),
        tbs: tbs.whole.to_vec(),
        signature_algorithm: outside.whole.to_vec(),
        signature,
        issuer,
        aki,
        number,
        this_update,
        entries,
    })
}

fn judge_entries(list: &Node<'_>, this_update: Option<Instant>, findings: &mut Findings) -> Vec<EntryFacts> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for entry in &list.children {
        let date = entry.children.get(1).filter(|date| matches!(date.tag, tree::UTC_TIME | tree::GENERALIZED_TIME));
        let (Some(serial), Some(date)) = (entry.child(0, tree::INTEGER), date) else {
            findings.add("crl.entry.readable", format!("expected serial number and date, found {}", hex(entry.whole)));
            continue;
        };
        judge_serial(serial.content, "crl.entry.serial-positive", "crl.entry.serial-length", findings);
        let again = !seen.insert(serial.content);
        findings.expect(
            !again,
            "crl.entry.once",
            format!("expected each serial number once, found {} again", hex(serial.content)),
        );
        let date = primitives::time(date, "crl.entry.date-form", findings);
        if let (Some(date), Some(this)) = (date, this_update) {
            findings.expect(date <= this, "crl.entry.date", format!("expected a date up to {this}, found {date}"));
        }
        let reason = entry.child(2, tree::SEQUENCE).map_or(0, |list| judge_entry_extensions(list, findings));
        entries.push(EntryFacts { serial: serial.content.to_vec(), date, reason });
    }
    entries
}

fn judge_entry_extensions(list: &Node<'_>, findings: &mut Findings) -> u8 {
    let mut reason = 0;
    for (oid, critical, value) in split_sequence(list, findings) {
        let node = tree::read(value, findings);
        if let Some(node) = &node {
            primitives::judge(node, findings);
        }
        match oid.as_str() {
            "2.5.29.21" => {
                let code = node.as_ref().filter(|node| node.tag == tree::ENUMERATED).map(|node| node.content);
                let rule = "crl.entry.reason";
                match code {
                    Some([0]) => findings.add(rule, "expected unspecified (0) left out, found it written"),
                    Some([code @ (1..=6 | 8..=10)]) => reason = *code,
                    found => findings
                        .add(rule, format!("expected a reason of RFC 5280, found {}", hex(found.unwrap_or_default()))),
                }
                findings.expect(!critical, "crl.entry.critical", "reason: expected it not critical, found it critical");
            }
            "2.5.29.24" => {
                let time = node.as_ref().filter(|node| node.tag == tree::GENERALIZED_TIME);
                findings.expect(
                    time.is_some(),
                    "crl.entry.invalidity-date",
                    "expected GeneralizedTime, found otherwise",
                );
                findings.expect(
                    !critical,
                    "crl.entry.critical",
                    "invalidity date: expected it not critical, found it critical",
                );
            }
            "2.5.29.29" => findings.expect(
                critical,
                "crl.entry.critical",
                "certificate issuer: expected it critical, found it not",
            ),
            _ => findings.expect(
                !critical,
                "crl.entry.critical",
                format!("extension {oid}: expected one verifiers know, or not critical, found it critical"),
            ),
        }
    }
    reason
}

fn judge_extensions(list: Option<&Node<'_>>, findings: &mut Findings) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let all = list.map(|list| split(list, findings)).unwrap_or_default();
    let (mut aki, mut number) = (None, None);
    for (oid, critical, value) in &all {
        let Some(node) = tree::read(value, findings) else {
            findings.add("extensions.readable", format!("extension {oid}: expected DER, found {}", hex(value)));
            continue;
        };
        primitives::judge(&node, findings);
        let (title, wanted) = match oid.as_str() {
            "2.5.29.20" => ("number", false),
            "2.5.29.27" => ("delta indicator", true),
            "2.5.29.28" => ("issuing distribution point", true),
            "2.5.29.35" => ("authority key identifier", false),
            "2.5.29.18" => ("issuer alternative names", false),
            "2.5.29.46" => ("freshest CRL", false),
            "1.3.6.1.5.5.7.1.1" => ("authority information access", false),
            "2.5.29.60" => ("expired certificates on the list", false),
            _ => {
                let message =
                    format!("extension {oid}: expected one verifiers know, or not critical, found it critical");
                findings.expect(!critical, "extensions.critical-known", message);
                continue;
            }
        };
        findings.expect(
            *critical == wanted,
            "extensions.critical",
            format!("{title}: expected critical {wanted}, found {critical}"),
        );
        match oid.as_str() {
            "2.5.29.20" => {
                let good = node.tag == tree::INTEGER
                    && node.content.first().is_some_and(|first| first & 0x80 == 0)
                    && node.content.len() <= 20;
                findings.expect(
                    good,
                    "crl.number.size",
                    format!("expected a number from 0 of at most 20 octets, found {}", hex(node.whole)),
                );
                number = good.then(|| node.content.iter().copied().skip_while(|octet| *octet == 0).collect());
            }
            "2.5.29.28" => {
                let some = node.tag == tree::SEQUENCE && !node.children.is_empty();
                findings.expect(some, "crl.issuing-distribution-point.some", "expected a field, found none");
            }
            "2.5.29.35" => aki = extensions::authority_key(&node, findings),
            _ => {}
        }
    }
    findings.expect(aki.is_some(), "crl.authority-key-identifier.present", "expected one, found none");
    findings.expect(number.is_some(), "crl.number.present", "expected a number, found none");
    (aki, number)
}
