//! Transcript -> ledger. The same function runs while a ceremony goes on and when a ledger is rebuilt, so the two cannot differ.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Digest, limits};
use crate::ceremony::event::{Answer, Outcome, ShareVerdict, What};
use crate::ceremony::{Effect, Operation, effect::parse_certificate};
use crate::keys::PublicKey;
use crate::keys::recipient::RecipientKind;
use crate::ledger::{Ledger, LedgerError, factories};
use crate::pki::serial;
use crate::transcript::entry::{Header, Line, Open};
use crate::transcript::{Kind, Record};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};

/// What the projection remembers between lines.
#[derive(Default)]
pub struct Projector {
    header: Option<Header>,
    intent: Option<Effect>,
    /// Quorum and generation whose shares are being proven.
    dealing: Option<(String, u8)>,
    /// Serial numbers that were to be reserved so far, whether or not the record came to say them.
    reserving: u32,
    /// Digests of operations that a key was opened for as a list: a signing that failed is tried again with the same number.
    listed: BTreeSet<Digest>,
    /// Shares given towards opening a key, by index, with who was asked for them.
    opening: BTreeMap<u8, String>,
}

impl Projector {
    /// Notes who gave a share towards opening a key. A strongroom that is new has none of them.
    fn opening(&mut self, open: &Open, what: Option<&What>, asked: &str) {
        let begun = open.kind == Kind::Intent && matches!(self.intent, Some(Effect::OpenStrongroom { .. }));
        let gone = matches!(what, Some(What::Resumed { .. } | What::Failed { strongroom_gone: true, .. }));
        if begun || gone || open.outcome == "skipped" {
            self.opening.clear();
        }
        if let Some(What::Answered {
            answer: Answer::Share { verdict: ShareVerdict::Proven { index, .. }, .. }, ..
        }) = what
            && open.outcome == "agreed"
            && !matches!(self.intent, Some(Effect::ShowShare { .. }))
        {
            self.opening.insert(*index, asked.to_owned());
        }
    }
}

impl Ledger {
    /// Everything a whole record says; lines that are in the ledger already change nothing.
    ///
    /// # Errors
    /// Where the database refuses.
    pub fn project(&mut self, record: &Record) -> Result<(), LedgerError> {
        self.begin(&record.header)?;
        for line in &record.lines {
            self.line(line)?;
        }
        Ok(())
    }

    /// A record begins.
    ///
    /// # Errors
    /// Where the database refuses.
    pub fn begin(&mut self, header: &Header) -> Result<(), LedgerError> {
        self.connection.execute(
            "INSERT OR IGNORE INTO ceremonies (ceremony, realm, approval, governance, plan, started, source, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                header.ceremony,
                header.realm.word(),
                header.approval_digest,
                header.governance_digest,
                header.plan_digest.hex(),
                header.started.0.cast_signed(),
                self.source,
                header.previous_head
            ],
        )?;
        self.projector = Projector { header: Some(header.clone()), ..Projector::default() };
        Ok(())
    }

    /// One line, in order.
    ///
    /// # Errors
    /// Where the database refuses.
    pub fn line(&mut self, line: &Line) -> Result<(), LedgerError> {
        let (Some(open), Some(header)) = (line.open(), self.projector.header.clone()) else { return Ok(()) };
        let known: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM heads WHERE ceremony = ?1 AND seq = ?2)",
            params![header.ceremony, open.seq],
            |row| row.get(0),
        )?;
        let Some(body) = line.body() else { return Ok(()) };
        if open.kind == Kind::Intent {
            self.projector.intent = body.get("effect").and_then(|v| serde_json::from_value(v.clone()).ok());
        }
        if let (Kind::Intent, Some(Effect::ReserveSerial { index, .. })) = (open.kind, &self.projector.intent) {
            self.projector.reserving = self.projector.reserving.max(index.saturating_add(1));
        }
        if let (Kind::Intent, Some(Effect::Unlock { digests, .. })) = (open.kind, &self.projector.intent) {
            self.projector.listed.extend(digests.iter().copied());
        }
        let what: Option<What> = body.get("event").and_then(|v| serde_json::from_value(v.clone()).ok());
        let reopened = (open.kind == Kind::Step && open.outcome == "reopened").then(|| {
            (
                body.get("quorum").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
                body.get("generation").and_then(serde_json::Value::as_u64).unwrap_or(0),
            )
        });
        let intent = self.projector.intent.clone();
        let asked = body.get("asked").and_then(|asked| asked.get("who")?.as_str()).unwrap_or_default();
        self.projector.opening(open, what.as_ref(), asked);
        if let (
            Some(What::Done { outcome: Outcome::KeyMade { .. } }),
            Some(Effect::MakeKey { quorum, generation, sealed_to, .. }),
        ) = (&what, &intent)
            && sealed_to.is_empty()
        {
            self.projector.dealing = Some((quorum.clone(), *generation));
        }
        if known {
            return Ok(());
        }
        let dealing = self.projector.dealing.clone();
        let opening: Vec<(u8, String)> = self.projector.opening.iter().map(|(n, who)| (*n, who.clone())).collect();
        let reserving = self.projector.reserving.min(limits::SERIALS);
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO heads (ceremony, seq, head) VALUES (?1, ?2, ?3)",
            params![header.ceremony, open.seq, line.head().hex()],
        )?;
        // What is about to be shown counts as shown: whether it was seen before a showing failed is not known.
        if let (Kind::Intent, Some(Effect::ShowShare { quorum, generation, index, holder, .. })) = (open.kind, &intent)
        {
            transaction.execute(
                "INSERT OR IGNORE INTO shown (ceremony, quorum, generation, idx, holder, seq) VALUES (?1,?2,?3,?4,?5,?6)",
                params![header.ceremony, quorum, generation, index, holder, open.seq],
            )?;
        }
        if let Some((quorum, generation)) = reopened {
            transaction.execute(
                "INSERT INTO voided (ceremony, quorum, generation, seq) VALUES (?1, ?2, ?3, ?4)",
                params![header.ceremony, quorum, generation.cast_signed(), open.seq],
            )?;
        }
        if let Some(what) = &what {
            project_event(&transaction, &header, open, what, intent.as_ref(), dealing.as_ref())?;
            factories::project(&transaction, &header, open, what, intent.as_ref(), &opening)?;
        }
        if open.kind == Kind::Closed {
            // A machine that died between reserving a number and saying so left it in this ledger alone: the seed, revealed now,
            // gives every number that was ever to be reserved.
            let seed = body.get("serial_seed").and_then(|seed| Digest::parse(seed.as_str()?));
            for (index, seed) in (0..reserving).zip(std::iter::repeat(seed).flatten()) {
                let Ok(serial) = serial::of(&seed, index) else { continue };
                transaction.execute(
                    "INSERT OR IGNORE INTO serials (serial, ceremony, idx) VALUES (?1,?2,?3)",
                    params![hex_encode(&serial), header.ceremony, index],
                )?;
            }
        }
        let listed = matches!(&intent, Some(Effect::Sign { digest, .. }) if self.projector.listed.contains(digest));
        if ends_reservations(open, what.as_ref(), intent.as_ref().filter(|_| !listed)) {
            transaction.execute(
                "INSERT OR IGNORE INTO burnt (serial, ceremony, seq) SELECT s.serial, s.ceremony, ?2 FROM serials s \
                 WHERE s.ceremony = ?1 AND NOT EXISTS (SELECT 1 FROM issued i WHERE i.serial = s.serial)",
                params![header.ceremony, open.seq],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}

/// Whether a serial reserved before this line and not issued by now never will be: its strongroom is gone, its signing failed, or
/// the record ends.
fn ends_reservations(open: &Open, what: Option<&What>, intent: Option<&Effect>) -> bool {
    let lost = match what {
        Some(What::Resumed { .. }) => true,
        Some(What::Failed { strongroom_gone, .. }) => *strongroom_gone || matches!(intent, Some(Effect::Sign { .. })),
        _ => false,
    };
    lost || matches!(open.kind, Kind::Closed | Kind::Abort)
}

fn project_event(
    to: &rusqlite::Transaction<'_>,
    header: &Header,
    open: &Open,
    what: &What,
    intent: Option<&Effect>,
    dealing: Option<&(String, u8)>,
) -> Result<(), LedgerError> {
    let ceremony = &header.ceremony;
    match (what, intent) {
        (
            What::Done { outcome: Outcome::KeyMade { public_key, recipient, quorum_id, sealed, .. } },
            Some(Effect::MakeKey { authority, algorithm, quorum, generation, threshold, count, sealed_to, .. }),
        ) if open.outcome == "done" => {
            let key = hex_decode(public_key)
                .and_then(|der| PublicKey::from_spki_der(&der).ok())
                .map(|k| k.digest().hex())
                .unwrap_or_default();
            to.execute(
                "INSERT INTO keys (ceremony, seq, realm, authority, algorithm, strength, quantum, retires, sealed_to, public_key_sha256, quorum, \
                 generation, sealed_sha256) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
                params![
                    ceremony,
                    open.seq,
                    header.realm.word(),
                    authority,
                    algorithm.word(),
                    algorithm.strength().to_string(),
                    if algorithm.is_post_quantum() { "resistant" } else { "vulnerable" },
                    algorithm.retirement().map(|at| at.rfc3339()).unwrap_or_default(),
                    RecipientKind::of_recipient(recipient).map_or("", RecipientKind::word),
                    key,
                    quorum,
                    generation,
                    sealed.sha256.hex()
                ],
            )?;
            // A further key of a quorum that is live makes no quorum.
            if !sealed_to.is_empty() {
                return Ok(());
            }
            to.execute(
                "INSERT INTO quorums (ceremony, realm, name, generation, id, threshold, count, recipient) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
                params![ceremony, header.realm.word(), quorum, generation, quorum_id, threshold, count, recipient],
            )?;
        }
        (
            What::Answered { answer: Answer::Share { verdict: ShareVerdict::Proven { index, .. }, .. }, .. },
            Some(Effect::ShowShare { holder, .. }),
        ) if open.outcome == "agreed" => {
            if let Some((quorum, generation)) = dealing {
                to.execute(
                    "INSERT INTO proofs (ceremony, quorum, generation, idx, holder, seq) VALUES (?1,?2,?3,?4,?5,?6)",
                    params![ceremony, quorum, generation, index, holder, open.seq],
                )?;
            }
        }
        (What::Done { outcome: Outcome::Consistent { .. } }, Some(Effect::CheckConsistency { quorum, .. }))
            if open.outcome == "done" =>
        {
            to.execute(
                "INSERT INTO live (ceremony, quorum, seq) VALUES (?1,?2,?3)",
                params![ceremony, quorum, open.seq],
            )?;
        }
        (What::Done { outcome: Outcome::Serial { serial, index } }, _) => {
            to.execute(
                "INSERT OR IGNORE INTO serials (serial, ceremony, idx) VALUES (?1,?2,?3)",
                params![serial, ceremony, index],
            )?;
        }
        // The number that a bundle was reserved under is spent: its manifest stands for all that follows from it.
        (What::Done { outcome: Outcome::BundleIssued { manifest } }, Some(Effect::IssueBundle { operation, .. }))
            if open.outcome == "done" =>
        {
            if let Operation::Batch { serial, authority, terms, .. } = &**operation {
                to.execute(
                    "INSERT OR IGNORE INTO issued (serial, ceremony, authority, name, sha256, not_after, key) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                    params![
                        serial,
                        ceremony,
                        authority,
                        "",
                        Digest::of(manifest.as_bytes()).hex(),
                        terms.not_after.rfc3339(),
                        ""
                    ],
                )?;
            }
        }
        (What::Done { outcome: Outcome::Signed { der } }, Some(Effect::Sign { operation, .. }))
            if open.outcome == "done" =>
        {
            if der.len() <= limits::SMALL_FILE_OCTETS * 2
                && let Ok(certificate) = parse_certificate(der)
            {
                to.execute(
                    "INSERT OR IGNORE INTO issued (serial, ceremony, authority, name, sha256, not_after, key) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                    params![
                        hex_encode(certificate.serial()),
                        ceremony,
                        operation.authority(),
                        operation.certified(),
                        Digest::of(certificate.der()).hex(),
                        certificate.not_after().rfc3339(),
                        certificate.subject_key().digest().hex()
                    ],
                )?;
            }
        }
        _ => {}
    }
    Ok(())
}
