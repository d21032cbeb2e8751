//! One transaction of the SQLite store.

use crate::basics::Digest;
use crate::station::StationError;
use crate::station::chain::Position;
use crate::station::state::State;
use crate::station::store::{Bundle, Count, Identity, Pick, Transaction};
use rusqlite::{OptionalExtension, Row, ToSql, params};

pub struct SqliteTransaction<'c> {
    pub(super) transaction: rusqlite::Transaction<'c>,
}

const IDENTITY: &str =
    "SELECT id, bundle, shard, idx, device, record, start, octets, state, line, since, spki FROM identities";

impl SqliteTransaction<'_> {
    fn one(&self, sql: &str, params: &[&dyn ToSql]) -> Result<Option<Identity>, StationError> {
        Ok(self.transaction.prepare_cached(sql)?.query_row(params, identity).optional()?)
    }

    fn many(&self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Identity>, StationError> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let rows = statement.query_map(params, identity)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn position(&mut self) -> Result<Position, StationError> {
        let sql = "SELECT seq, head FROM ledger ORDER BY seq DESC LIMIT 1";
        let last = self
            .transaction
            .prepare_cached(sql)?
            .query_row([], |row| Ok(Position { seq: number(row, 0)?, head: digest(row, 1)? }))
            .optional()?;
        match last {
            Some(position) => Ok(position),
            None => {
                let start = self.value("start")?.and_then(|hex| Digest::parse(&hex));
                Ok(Position { seq: 0, head: start.ok_or(StationError::Damaged("it has no start"))? })
            }
        }
    }

    fn entry_at(&mut self, seq: u64) -> Result<Option<(Vec<u8>, Digest)>, StationError> {
        if seq == 0 {
            let start = self.value("start")?.and_then(|hex| Digest::parse(&hex));
            return Ok(start.map(|head| (Vec::new(), head)));
        }
        let mut statement = self.transaction.prepare_cached("SELECT body, head FROM ledger WHERE seq = ?1")?;
        Ok(statement.query_row(params![stored(seq)], |row| Ok((row.get(0)?, digest(row, 1)?))).optional()?)
    }

    fn push(&mut self, position: Position, body: &[u8]) -> Result<(), StationError> {
        let mut statement = self.transaction.prepare_cached("INSERT INTO ledger VALUES (?1, ?2, ?3)")?;
        statement.execute(params![stored(position.seq), body, position.head.octets().as_slice()])?;
        Ok(())
    }

    fn entries(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Vec<u8>, Digest)>, StationError> {
        let sql = "SELECT seq, body, head FROM ledger WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![stored(after), stored(most as u64)], |row| {
                Ok((number(row, 0)?, row.get(1)?, digest(row, 2)?))
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn first_released(&mut self, bundle: &str, pick: Pick<'_>) -> Result<Option<Identity>, StationError> {
        match pick {
            Pick::Device(device) => self.one(
                &format!("{IDENTITY} WHERE device = ?1 AND bundle = ?2 AND state = 'released' ORDER BY id LIMIT 1"),
                &[&device, &bundle],
            ),
            Pick::Hardware(name) => self.one(
                &format!(
                    "{IDENTITY} WHERE id IN (SELECT id FROM hardware WHERE name = ?1) AND +bundle = ?2 AND state = 'released' \
                     ORDER BY id LIMIT 1"
                ),
                &[&name, &bundle],
            ),
            // The partial index is in drawing order: this reads one row.
            Pick::Next => self.one(
                &format!(
                    "{IDENTITY} INDEXED BY identity_released WHERE bundle = ?1 AND state = 'released' ORDER BY id LIMIT 1"
                ),
                &[&bundle],
            ),
        }
    }

    fn find(&mut self, device_or_record: &str) -> Result<Vec<Identity>, StationError> {
        if let Some(record) = Digest::parse(device_or_record) {
            let found = self.many(&format!("{IDENTITY} WHERE record = ?1"), &[&record.octets().as_slice()])?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.many(&format!("{IDENTITY} WHERE device = ?1 ORDER BY id DESC LIMIT 8"), &[&device_or_record])
    }

    fn identities(&mut self, bundle: Option<&str>, after: i64, most: usize) -> Result<Vec<Identity>, StationError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match bundle {
            Some(bundle) => self.many(
                &format!("{IDENTITY} WHERE id > ?1 AND +bundle = ?2 ORDER BY id LIMIT ?3"),
                &[&after, &bundle, &most],
            ),
            None => self.many(&format!("{IDENTITY} WHERE id > ?1 ORDER BY id LIMIT ?2"), &[&after, &most]),
        }
    }

    fn set_state(&mut self, id: i64, state: State, line: Option<u32>, since: u64) -> Result<(), StationError> {
        let sql = "UPDATE identities SET state = ?2, line = coalesce(?3, line), since = ?4 WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute(params![id, state.word(), line, stored(since)])?;
        Ok(())
    }

    fn move_first(&mut self, bundle: &str, from: State, to: State, most: u64, since: u64) -> Result<u64, StationError> {
        // The state is written out so that its partial index is used.
        // `reported` is no event of the device: the time of its proof stays.
        let sql = format!(
            "UPDATE identities SET state = ?2, since = CASE WHEN ?2 = 'reported' THEN since ELSE ?4 END WHERE id IN \
             (SELECT id FROM identities WHERE bundle = ?1 AND state = '{from}' ORDER BY id LIMIT ?3)"
        );
        let moved =
            self.transaction.prepare_cached(&sql)?.execute(params![bundle, to.word(), stored(most), stored(since)])?;
        Ok(moved as u64)
    }

    fn add_bundle(&mut self, b: &Bundle) -> Result<(), StationError> {
        let sql = "INSERT INTO bundles VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        self.transaction.prepare_cached(sql)?.execute(params![
            b.bundle,
            stored(b.seq),
            b.manifest.octets().as_slice(),
            b.order.octets().as_slice(),
            b.product,
            b.sku,
            b.recipient,
            stored(b.count),
            stored(b.expires),
            b.nonce.octets().as_slice(),
            b.by_device
        ])?;
        Ok(())
    }

    fn add_identities(&mut self, identities: &[Identity]) -> Result<(), StationError> {
        let sql = "INSERT INTO identities (bundle, shard, idx, device, record, spki, start, octets, state, line, since) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut named = self.transaction.prepare_cached("INSERT INTO hardware VALUES (?1, ?2)")?;
        for i in identities {
            let id = statement.insert(params![
                i.bundle,
                i.shard,
                i.index,
                i.device,
                i.record.octets().as_slice(),
                i.spki,
                stored(i.offset),
                i.octets,
                i.state.word(),
                i.line,
                stored(i.since)
            ])?;
            for name in &i.hardware {
                named.execute(params![name, id])?;
            }
        }
        Ok(())
    }

    fn set_by_device(&mut self, bundle: &str) -> Result<(), StationError> {
        self.transaction.prepare_cached("UPDATE bundles SET by_device = 1 WHERE bundle = ?1")?.execute([bundle])?;
        Ok(())
    }

    fn bundles(&mut self) -> Result<Vec<Bundle>, StationError> {
        let sql = "SELECT bundle, seq, manifest, ordered, product, sku, recipient, count, expires, nonce, by_device \
                   FROM bundles ORDER BY seq";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Bundle {
                bundle: row.get(0)?,
                seq: number(row, 1)?,
                manifest: digest(row, 2)?,
                order: digest(row, 3)?,
                product: row.get(4)?,
                sku: row.get(5)?,
                recipient: row.get(6)?,
                count: number(row, 7)?,
                expires: number(row, 8)?,
                nonce: digest(row, 9)?,
                by_device: row.get(10)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn counts(&mut self) -> Result<Vec<Count>, StationError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT bundle, state, line, count FROM tally WHERE count > 0 ORDER BY bundle, state, line",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Count { bundle: row.get(0)?, state: state(row, 1)?, line: row.get(2)?, count: number(row, 3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn keep_proof(&mut self, id: i64, signature: &[u8]) -> Result<(), StationError> {
        self.transaction.prepare_cached("INSERT INTO proofs VALUES (?1, ?2)")?.execute(params![id, signature])?;
        Ok(())
    }

    fn proof(&mut self, id: i64) -> Result<Option<Vec<u8>>, StationError> {
        let mut statement = self.transaction.prepare_cached("SELECT signature FROM proofs WHERE id = ?1")?;
        Ok(statement.query_row(params![id], |row| row.get(0)).optional()?)
    }

    fn refusals(&mut self) -> Result<Vec<(String, u64)>, StationError> {
        let mut statement = self.transaction.prepare_cached("SELECT class, count FROM refusals ORDER BY class")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, number(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn add_refusal(&mut self, class: &str) -> Result<(), StationError> {
        let sql = "INSERT INTO refusals VALUES (?1, 1) ON CONFLICT DO UPDATE SET count = count + 1";
        self.transaction.prepare_cached(sql)?.execute([class])?;
        Ok(())
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, StationError> {
        let mut statement = self.transaction.prepare_cached("SELECT value FROM owned WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_value(&mut self, name: &str, value: &str) -> Result<(), StationError> {
        let sql = "INSERT INTO owned VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.transaction.prepare_cached(sql)?.execute([name, value])?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StationError> {
        Ok(self.transaction.commit()?)
    }
}

fn identity(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        id: row.get(0)?,
        bundle: row.get(1)?,
        shard: row.get(2)?,
        index: row.get(3)?,
        device: row.get(4)?,
        record: digest(row, 5)?,
        offset: number(row, 6)?,
        octets: row.get(7)?,
        state: state(row, 8)?,
        line: row.get(9)?,
        since: number(row, 10)?,
        spki: row.get(11)?,
        hardware: Vec::new(),
    })
}

/// SQLite's integers are signed; nothing here comes near their end.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(at)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, value))
}

fn digest(row: &Row<'_>, at: usize) -> rusqlite::Result<Digest> {
    Ok(Digest::from_octets(row.get::<_, [u8; 32]>(at)?))
}

fn state(row: &Row<'_>, at: usize) -> rusqlite::Result<State> {
    let word: String = row.get(at)?;
    let kind = rusqlite::types::Type::Text;
    State::from_word(&word).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(at, kind, format!("expected a state, found {word:?}").into())
    })
}
