//! A factory collects its devices' requests: a table says which file belongs to which device; everything is judged as the ceremony will, so
//! that what it would refuse is known before anybody travels.
//!
//! ```text
//! device,request,attestation,signature,soc
//! METER-00000001,m1.csr,m1.chain.pem,,9f3c0001
//! ```
//! `device` and `request` are needed; `attestation` is a file of PEM certificates, the device's or the attesting key's first; `signature` a file
//! with the attesting key's signature; every other column is a kind of hardware id. No quotes: a value has no comma.

use super::before::IssuedBefore;
use super::folder::failed;
use super::requests::{self, Entries};
use super::{BundleError, untold};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, SafeText, limits};
use crate::devices::durable_file;
use crate::factory::requests::{Collected, Judge, Known, Prints, Refused, Statement};
use crate::factory::{Class, DeviceId, Order, Refusal, hardware, merkle};
use crate::pki::request::der_of_file;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub device: DeviceId,
    pub hardware: BTreeMap<String, String>,
    pub request: String,
    pub attestation: Option<String>,
    pub signature: Option<String>,
}

/// Reads the table.
///
/// # Errors
/// The first line that is none.
pub fn table(octets: &[u8]) -> Result<Vec<Row>, Refusal> {
    let refuse = |line: usize, expected: &str, found: &str| {
        Refusal::new(Class::Malformed, format!("table, line {line}"), expected, found)
    };
    let text = std::str::from_utf8(octets).map_err(|_| refuse(1, "UTF-8 text", "other octets"))?;
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_end_matches('\r')));
    let (_, first) = lines.next().ok_or_else(|| refuse(1, "a line with the names of the columns", "none"))?;
    let columns: Vec<&str> = first.split(',').collect();
    let different: BTreeSet<_> = columns.iter().collect();
    if different.len() != columns.len() || !columns.contains(&"device") || !columns.contains(&"request") {
        return Err(refuse(1, "columns `device` and `request`, each name once", first));
    }
    let mut rows = Vec::new();
    for (n, line) in lines.filter(|(_, line)| !line.is_empty()) {
        if rows.len() >= limits::COLLECTED_REQUESTS as usize {
            return Err(refuse(n, &format!("at most {} devices", limits::COLLECTED_REQUESTS), "more"));
        }
        let values: Vec<&str> = line.split(',').collect();
        if values.len() != columns.len() || line.contains('"') {
            let expected = format!("{} values without quotes, a comma between them", columns.len());
            return Err(refuse(n, &expected, line));
        }
        let (mut row, mut of) = (BTreeMap::new(), BTreeMap::new());
        for (column, value) in columns.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            match *column {
                "device" | "request" | "attestation" | "signature" => row.insert(*column, value.to_owned()),
                // Labels have them with colons and in capitals.
                kind => of.insert(kind.to_owned(), hardware::written(kind, value)),
            };
        }
        let device = DeviceId::parse(row.get("device").map_or("", String::as_str))?;
        let request = row.remove("request").ok_or_else(|| refuse(n, "a file in column `request`", "none"))?;
        let (attestation, signature) = (row.remove("attestation"), row.remove("signature"));
        rows.push(Row { device, hardware: of, request, attestation, signature });
    }
    match rows.len() {
        0 => Err(refuse(2, "a device", "none")),
        _ => Ok(rows),
    }
}

/// Where a collection comes from.
pub struct Source<'s> {
    pub rows: &'s [Row],
    /// The folder in which the table's files are.
    pub folder: &'s Path,
    pub order: &'s Order,
    pub order_digest: Digest,
    /// DER of the certificates that attestations share.
    pub certificates: &'s [Vec<u8>],
    pub now: Instant,
}

/// A collection that lies in its file.
#[derive(Debug)]
pub struct Written {
    pub statement: Statement,
    /// What was left out, or would be refused.
    pub refused: Vec<Refused>,
}

/// Writes the file of a collection. Where a request would be refused it is left out, if `leave_out` says so; else nothing is written.
///
/// # Errors
/// What cannot be read; an order that is not for such a collection; nothing to collect.
pub fn collect(source: &Source<'_>, leave_out: bool, out: &Path) -> Result<Written, BundleError> {
    if out.symlink_metadata().is_ok() {
        let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(failed(out, "expected no file of this name")(cause).into());
    }
    let all = out.with_file_name(format!(".{}.all", out.file_name().unwrap_or_default().to_string_lossy()));
    let kept = out.with_file_name(format!(".{}.partial", out.file_name().unwrap_or_default().to_string_lossy()));
    let written = written(source, leave_out, (&all, &kept), out);
    for path in [&all, &kept] {
        durable_file::remove_if_there(path)?;
    }
    written
}

fn written(
    source: &Source<'_>,
    leave_out: bool,
    (all, kept): (&Path, &Path),
    out: &Path,
) -> Result<Written, BundleError> {
    let mut file = Body::new(all)?;
    // Where an order replaces certificates, requests come in its order.
    let places: BTreeMap<DeviceId, usize> = source.order.list().into_iter().map(|device| device.id).zip(0..).collect();
    let mut rows: Vec<&Row> = source.rows.iter().collect();
    if source.order.replaces.is_some() {
        rows.sort_by_key(|row| places.get(&row.device).copied().unwrap_or(usize::MAX));
    }
    for row in rows {
        file.put(&read(source, row)?.to_octets())?;
    }
    let whole = file.done(source)?;
    let judge = |statement: &Statement, path: &Path| {
        let records = u32::try_from(limits::SHARD_RECORDS).unwrap_or(1);
        let judge = Judge::new(source.order, source.order_digest, statement, Known::default(), source.now, records)?;
        requests::judge(
            path,
            statement,
            judge,
            &IssuedBefore::default(),
            Prints::default(),
            &mut |_, _| Ok(()),
            &mut untold,
        )
    };
    let judged = judge(&whole, all)?;
    if judged.refused.is_empty() {
        durable_file::move_to(all, out)?;
        return Ok(Written { statement: whole, refused: Vec::new() });
    }
    if !leave_out || judged.found.accepted == 0 {
        return Ok(Written { statement: whole, refused: judged.refused });
    }
    let refused: BTreeSet<u32> = judged.refused.iter().map(|refused| refused.request).collect();
    let (mut entries, mut file, mut n) = (Entries::open(all)?, Body::new(kept)?, 0);
    while let Some((_, octets)) = entries.read()? {
        if !refused.contains(&n) {
            file.put(octets)?;
        }
        n += 1;
    }
    let statement = file.done(source)?;
    durable_file::move_to(kept, out)?;
    Ok(Written { statement, refused: judged.refused })
}

/// A file of requests as it grows.
struct Body {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: Sha256,
    tree: merkle::Tree,
    size: u64,
    count: u32,
}

impl Body {
    fn new(path: &Path) -> Result<Self, BundleError> {
        let file = File::create_new(path).map_err(failed(path, "creating"))?;
        let (file, hasher, tree) = (BufWriter::new(file), Sha256::new(), merkle::Tree::default());
        Ok(Self { path: path.to_owned(), file, hasher, tree, size: 0, count: 0 })
    }

    fn put(&mut self, octets: &[u8]) -> Result<(), BundleError> {
        self.hasher.update(octets);
        self.tree.push(merkle::leaf(octets));
        self.size += octets.len() as u64;
        self.count += 1;
        Ok(self.file.write_all(octets).map_err(failed(&self.path, "writing"))?)
    }

    /// What the factory says of it.
    fn done(self, source: &Source<'_>) -> Result<Statement, BundleError> {
        let file = self.file.into_inner().map_err(|e| failed(&self.path, "writing")(e.into_error()))?;
        file.sync_all().map_err(failed(&self.path, "making durable"))?;
        let order = source.order;
        let nonce = order.nonce.ok_or_else(|| {
            Refusal::new(Class::Policy, "order: mode", crate::factory::Mode::DeviceGenerated, order.mode)
        })?;
        Ok(Statement {
            format: Statement::format(),
            realm: order.realm,
            factory: order.factory.clone(),
            order: source.order_digest,
            nonce,
            made: source.now,
            count: self.count,
            size: self.size,
            sha256: Digest::from_octets(self.hasher.finalize().into()),
            root: self.tree.root(),
            certificates: source.certificates.iter().map(|der| hex_encode(der)).collect(),
        })
    }
}

fn read(source: &Source<'_>, row: &Row) -> Result<Collected, BundleError> {
    let refuse = |what: &str, expected: &str, found: &str| {
        Refusal::new(Class::Malformed, format!("{}: {what}", row.device), expected, SafeText::cut(found, 100))
    };
    let file = |name: &str, most: usize| durable_file::read(&source.folder.join(name), most);
    let request = der_of_file(&file(&row.request, 2 * limits::REQUEST_OCTETS)?)
        .map_err(|why| refuse(&row.request, &why.expected, why.found.as_str()))?;
    let attestation = match &row.attestation {
        None => Vec::new(),
        Some(name) => certificates(&file(name, limits::SMALL_FILE_OCTETS * 2)?)
            .map_err(|found| refuse(name, "certificates in PEM", &found))?,
    };
    let signature = match &row.signature {
        None => Vec::new(),
        Some(name) => file(name, limits::DEVICE_SIGNATURE_OCTETS)?,
    };
    Ok(Collected { device: row.device.clone(), hardware: row.hardware.clone(), request, attestation, signature })
}

/// Every certificate of a PEM file, in its order.
///
/// # Errors
/// What was found where a block should be.
pub fn certificates(octets: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let text = std::str::from_utf8(octets).map_err(|_| "octets that are no text".to_owned())?;
    let blocks = text.split(BEGIN).skip(1);
    let read = blocks.map(|block| {
        crate::pki::pem::lenient(crate::pki::pem::CERTIFICATE, format!("{BEGIN}{block}").as_bytes())
            .map_err(|e| e.to_string())
    });
    let read: Vec<Vec<u8>> = read.collect::<Result<_, _>>()?;
    if read.is_empty() { Err("none".to_owned()) } else { Ok(read) }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_is_read_line_by_line_and_refused_by_its_line() {
        let rows = table(b"device,request,attestation,soc\r\nA-1,a.csr,,9f\r\nB-2,b.csr,b.pem,\n\n").unwrap();
        assert_eq!((rows.len(), rows[0].hardware["soc"].as_str(), rows[0].attestation.clone()), (2, "9f", None));
        assert_eq!((rows[1].hardware.len(), rows[1].attestation.as_deref()), (0, Some("b.pem")));
        for (text, line) in [
            ("", "line 1"),
            ("device,soc\nA,1\n", "line 1"),
            ("device,request,device\nA,a,b\n", "line 1"),
            ("device,request\n", "line 2"),
            ("device,request\nA,a\nB\n", "line 3"),
            ("device,request\nA,\n", "line 2"),
            ("device,request\nA,\"a\"\n", "line 2"),
            ("device,request\n-A,a\n", "device id"),
        ] {
            assert!(table(text.as_bytes()).unwrap_err().to_string().contains(line), "{text}");
        }
    }
}
