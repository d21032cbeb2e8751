//! One transaction of the PostgreSQL store. Values go as text and are cast in the statement; octets as hexadecimal digits.

use super::client::{Client, Rows, cell, number, text};
use crate::basics::Digest;
use crate::basics::digest::{hex_decode, hex_encode};
use crate::station::StationError;
use crate::station::chain::Position;
use crate::station::state::State;
use crate::station::store::{Bundle, Count, Identity, Pick, Transaction};

pub struct PostgresTransaction<'c> {
    pub(super) client: &'c mut Client,
    pub(super) committed: bool,
    /// Whether the head is kept from other writers: not by who only looks.
    pub(super) locks: bool,
}

const IDENTITY: &str = "SELECT id, bundle, shard, idx, device, encode(record, 'hex'), start, octets, state, line, since, encode(spki, 'hex') FROM identities";

impl PostgresTransaction<'_> {
    fn many(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Identity>, StationError> {
        let rows = self.client.rows(sql, values)?;
        (0..rows.len()).map(|row| identity(&rows, row)).collect()
    }

    fn done(&mut self, sql: &str, values: &[&str]) -> Result<(), StationError> {
        self.client.later(sql, values)
    }
}

impl Drop for PostgresTransaction<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing of it lasts where this fails either: the server rolls back when the connection ends.
            let _ = self.client.batch("ROLLBACK");
        }
    }
}

impl Transaction for PostgresTransaction<'_> {
    fn position(&mut self) -> Result<Position, StationError> {
        let sql = if self.locks {
            "SELECT seq, encode(head, 'hex') FROM ledger_end WHERE one = 1 FOR UPDATE"
        } else {
            "SELECT seq, encode(head, 'hex') FROM ledger_end WHERE one = 1"
        };
        let rows = self.client.rows(sql, &[])?;
        Ok(Position { seq: number(&rows, 0, 0)?, head: digest(&rows, 0, 1)? })
    }

    fn entry_at(&mut self, seq: u64) -> Result<Option<(Vec<u8>, Digest)>, StationError> {
        if seq == 0 {
            let start = self.value("start")?.and_then(|hex| Digest::parse(&hex));
            return Ok(start.map(|head| (Vec::new(), head)));
        }
        let rows = self.client.rows(
            "SELECT encode(body, 'hex'), encode(head, 'hex') FROM ledger WHERE seq = $1::bigint",
            &[&seq.to_string()],
        )?;
        if rows.is_empty() { Ok(None) } else { Ok(Some((octets(&rows, 0, 0)?, digest(&rows, 0, 1)?))) }
    }

    fn push(&mut self, position: Position, body: &[u8]) -> Result<(), StationError> {
        let (seq, head) = (position.seq.to_string(), position.head.hex());
        self.done(
            "WITH added AS (INSERT INTO ledger VALUES ($1::bigint, decode($2, 'hex'), decode($3, 'hex')) RETURNING seq, head) \
             UPDATE ledger_end SET seq = added.seq, head = added.head FROM added WHERE ledger_end.seq = added.seq - 1",
            &[&seq, &hex_encode(body), &head],
        )
    }

    fn entries(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Vec<u8>, Digest)>, StationError> {
        let rows = self.client.rows(
            "SELECT seq, encode(body, 'hex'), encode(head, 'hex') FROM ledger WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint",
            &[&after.to_string(), &most.to_string()],
        )?;
        (0..rows.len())
            .map(|row| Ok((number(&rows, row, 0)?, octets(&rows, row, 1)?, digest(&rows, row, 2)?)))
            .collect()
    }

    fn first_released(&mut self, bundle: &str, pick: Pick<'_>) -> Result<Option<Identity>, StationError> {
        // Nothing is kept from others by who only looks: the server would refuse it.
        let kept = if self.locks { " FOR UPDATE" } else { "" };
        let (sql, values) = match pick {
            Pick::Device(device) => (
                format!(
                    "{IDENTITY} WHERE bundle = $1 AND device = $2 AND state = 'released' ORDER BY id LIMIT 1{kept}"
                ),
                vec![bundle, device],
            ),
            Pick::Hardware(name) => (
                format!(
                    "{IDENTITY} WHERE bundle = $1 AND id IN (SELECT id FROM hardware WHERE name = $2) AND state = 'released' \
                     ORDER BY id LIMIT 1{kept}"
                ),
                vec![bundle, name],
            ),
            Pick::Next => {
                (format!("{IDENTITY} WHERE bundle = $1 AND state = 'released' ORDER BY id LIMIT 1{kept}"), vec![bundle])
            }
        };
        Ok(self.many(&sql, &values)?.into_iter().next())
    }

    fn find(&mut self, device_or_record: &str) -> Result<Vec<Identity>, StationError> {
        if let Some(record) = Digest::parse(device_or_record) {
            let found = self.many(&format!("{IDENTITY} WHERE record = decode($1, 'hex')"), &[&record.hex()])?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.many(&format!("{IDENTITY} WHERE device = $1 ORDER BY id DESC LIMIT 8"), &[device_or_record])
    }

    fn identities(&mut self, bundle: Option<&str>, after: i64, most: usize) -> Result<Vec<Identity>, StationError> {
        let (after, most) = (after.to_string(), most.to_string());
        match bundle {
            Some(bundle) => self.many(
                &format!("{IDENTITY} WHERE id > $1::bigint AND bundle = $2 ORDER BY id LIMIT $3::bigint"),
                &[&after, bundle, &most],
            ),
            None => {
                self.many(&format!("{IDENTITY} WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint"), &[&after, &most])
            }
        }
    }

    fn set_state(&mut self, id: i64, state: State, line: Option<u32>, since: u64) -> Result<(), StationError> {
        let line = line.map(|line| line.to_string()).unwrap_or_default();
        self.done(
            "UPDATE identities SET state = $2, line = coalesce(nullif($3, '')::bigint, line), since = $4::bigint WHERE id = $1::bigint",
            &[&id.to_string(), state.word(), &line, &since.to_string()],
        )
    }

    fn move_first(&mut self, bundle: &str, from: State, to: State, most: u64, since: u64) -> Result<u64, StationError> {
        let most = most.min(i64::MAX as u64).to_string();
        let rows = self.client.rows(
            &format!(
                "WITH moved AS (UPDATE identities SET state = $2, since = CASE WHEN $2 = 'reported' THEN since ELSE $4::bigint END WHERE id IN \
                 (SELECT id FROM identities WHERE bundle = $1 AND state = '{from}' ORDER BY id LIMIT $3::bigint FOR UPDATE) RETURNING id) \
                 SELECT count(*) FROM moved"
            ),
            &[bundle, to.word(), &most, &since.to_string()],
        )?;
        number(&rows, 0, 0)
    }

    fn add_bundle(&mut self, b: &Bundle) -> Result<(), StationError> {
        self.done(
            "INSERT INTO bundles VALUES ($1, $2::bigint, decode($3, 'hex'), decode($4, 'hex'), $5, $6, $7, $8::bigint, $9::bigint, \
             decode($10, 'hex'), $11::boolean)",
            &[
                &b.bundle,
                &b.seq.to_string(),
                &b.manifest.hex(),
                &b.order.hex(),
                &b.product,
                &b.sku,
                &b.recipient,
                &b.count.to_string(),
                &b.expires.to_string(),
                &b.nonce.hex(),
                &b.by_device.to_string(),
            ],
        )
    }

    fn add_identities(&mut self, identities: &[Identity]) -> Result<(), StationError> {
        // A thousand rows a statement: lines wait for the ledger's end while a bundle goes in.
        let sql = "INSERT INTO identities (bundle, shard, idx, device, record, start, octets, state, line, since, spki) \
                   SELECT bundle, shard, idx, device, decode(record, 'hex'), start, octets, state, line, since, decode(spki, 'hex') \
                   FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (bundle text, shard bigint, idx bigint, device text, record text, \
                   start bigint, octets bigint, state text, line bigint, since bigint, spki text)) WITH ORDINALITY ORDER BY ordinality";
        for rows in identities.chunks(1_000) {
            let rows: Vec<serde_json::Value> = rows
                .iter()
                .map(|i| {
                    serde_json::json!({
                        "bundle": i.bundle, "shard": i.shard, "idx": i.index, "device": i.device, "record": i.record.hex(),
                        "start": i.offset, "octets": i.octets, "state": i.state.word(), "line": i.line, "since": i.since,
                        "spki": hex_encode(&i.spki),
                    })
                })
                .collect();
            self.done(sql, &[&serde_json::Value::Array(rows).to_string()])?;
        }
        // Records are each once, so that they find what was just added.
        let named: Vec<_> = identities
            .iter()
            .flat_map(|i| i.hardware.iter().map(|name| serde_json::json!({"name": name, "record": i.record.hex()})))
            .collect();
        let sql = "INSERT INTO hardware SELECT named.name, identities.id FROM jsonb_to_recordset($1::jsonb) AS named (name text, record text) \
                   JOIN identities ON identities.record = decode(named.record, 'hex')";
        for rows in named.chunks(1_000) {
            self.done(sql, &[&serde_json::Value::Array(rows.to_vec()).to_string()])?;
        }
        Ok(())
    }

    fn set_by_device(&mut self, bundle: &str) -> Result<(), StationError> {
        self.done("UPDATE bundles SET by_device = true WHERE bundle = $1", &[bundle])
    }

    fn bundles(&mut self) -> Result<Vec<Bundle>, StationError> {
        let rows = self.client.rows(
            "SELECT bundle, seq, encode(manifest, 'hex'), encode(ordered, 'hex'), product, sku, recipient, count, expires, encode(nonce, 'hex'), \
             by_device::text FROM bundles ORDER BY seq",
            &[],
        )?;
        (0..rows.len())
            .map(|row| {
                Ok(Bundle {
                    bundle: text(&rows, row, 0)?,
                    seq: number(&rows, row, 1)?,
                    manifest: digest(&rows, row, 2)?,
                    order: digest(&rows, row, 3)?,
                    product: text(&rows, row, 4)?,
                    sku: text(&rows, row, 5)?,
                    recipient: text(&rows, row, 6)?,
                    count: number(&rows, row, 7)?,
                    expires: number(&rows, row, 8)?,
                    nonce: digest(&rows, row, 9)?,
                    by_device: cell(&rows, row, 10)? == "true",
                })
            })
            .collect()
    }

    fn counts(&mut self) -> Result<Vec<Count>, StationError> {
        let sql = "SELECT bundle, state, line, count FROM tally WHERE count > 0 ORDER BY bundle, state, line";
        let rows = self.client.rows(sql, &[])?;
        (0..rows.len())
            .map(|row| {
                Ok(Count {
                    bundle: text(&rows, row, 0)?,
                    state: state(&rows, row, 1)?,
                    line: small(&rows, row, 2)?,
                    count: number(&rows, row, 3)?,
                })
            })
            .collect()
    }

    fn keep_proof(&mut self, id: i64, signature: &[u8]) -> Result<(), StationError> {
        let sql = "INSERT INTO proofs VALUES ($1::bigint, decode($2, 'hex'))";
        self.done(sql, &[&id.to_string(), &hex_encode(signature)])
    }

    fn proof(&mut self, id: i64) -> Result<Option<Vec<u8>>, StationError> {
        let sql = "SELECT encode(signature, 'hex') FROM proofs WHERE id = $1::bigint";
        let rows = self.client.rows(sql, &[&id.to_string()])?;
        if rows.is_empty() { Ok(None) } else { octets(&rows, 0, 0).map(Some) }
    }

    fn refusals(&mut self) -> Result<Vec<(String, u64)>, StationError> {
        let rows = self.client.rows("SELECT class, count FROM refusals ORDER BY class", &[])?;
        (0..rows.len()).map(|row| Ok((text(&rows, row, 0)?, number(&rows, row, 1)?))).collect()
    }

    fn add_refusal(&mut self, class: &str) -> Result<(), StationError> {
        let sql = "INSERT INTO refusals VALUES ($1, 1) ON CONFLICT (class) DO UPDATE SET count = refusals.count + 1";
        self.done(sql, &[class])
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, StationError> {
        let rows = self.client.rows("SELECT value FROM owned WHERE name = $1", &[name])?;
        if rows.is_empty() { Ok(None) } else { text(&rows, 0, 0).map(Some) }
    }

    fn set_value(&mut self, name: &str, value: &str) -> Result<(), StationError> {
        let sql = "INSERT INTO owned VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.done(sql, &[name, value])
    }

    fn commit(mut self: Box<Self>) -> Result<(), StationError> {
        self.client.commit()?;
        self.committed = true;
        Ok(())
    }
}

fn identity(rows: &Rows, row: usize) -> Result<Identity, StationError> {
    Ok(Identity {
        id: i64::try_from(number(rows, row, 0)?).map_err(|_| StationError::Damaged("a number is too large"))?,
        bundle: text(rows, row, 1)?,
        shard: small(rows, row, 2)?,
        index: small(rows, row, 3)?,
        device: text(rows, row, 4)?,
        record: digest(rows, row, 5)?,
        offset: number(rows, row, 6)?,
        octets: small(rows, row, 7)?,
        state: state(rows, row, 8)?,
        line: small(rows, row, 9)?,
        since: number(rows, row, 10)?,
        spki: octets(rows, row, 11)?,
        hardware: Vec::new(),
    })
}

fn small(rows: &Rows, row: usize, column: usize) -> Result<u32, StationError> {
    u32::try_from(number(rows, row, column)?).map_err(|_| StationError::Damaged("a number is too large"))
}

fn octets(rows: &Rows, row: usize, column: usize) -> Result<Vec<u8>, StationError> {
    hex_decode(cell(rows, row, column)?).ok_or(StationError::Damaged("the server gave no octets"))
}

fn digest(rows: &Rows, row: usize, column: usize) -> Result<Digest, StationError> {
    Digest::parse(cell(rows, row, column)?).ok_or(StationError::Damaged("the server gave no digest"))
}

fn state(rows: &Rows, row: usize, column: usize) -> Result<State, StationError> {
    State::from_word(cell(rows, row, column)?).ok_or(StationError::Damaged("the server gave no state"))
}
