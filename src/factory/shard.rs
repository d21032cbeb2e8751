//! A shard: about a thousand records in one age file. What the file holds, opened:
//!
//! ```text
//! 88                              array of 8
//!   71 "anchorite-shard/1"        format
//!   69 "rehearsal"                realm
//!   50 <16>                       bundle id
//!   00                            number of the shard, from 0
//!   00                            index of its first record
//!   19 03e8                       how many records follow
//!   67 "ostrava"                  factory
//!   78 3e "age1..."               recipient
//! <record> <record> ...           one after the other, nothing between, nothing after
//! ```
//! The header says again what the manifest says, so a shard that somebody sealed anew to another factory, or put into
//! another bundle or another place, gives itself away.

use crate::basics::{Realm, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::{BundleId, Class, Record, Refusal};
use zeroize::Zeroizing;

const WHAT: &str = "shard";
const FORMAT: &str = "anchorite-shard/1";

/// What a shard says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardHeader {
    pub realm: Realm,
    pub bundle: BundleId,
    pub shard: u32,
    pub first: u32,
    pub count: u32,
    pub factory: String,
    pub recipient: String,
}

impl ShardHeader {
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(256);
        let mut w = Writer::new(&mut octets);
        w.array(8).text(FORMAT).text(self.realm.word()).octets(self.bundle.octets());
        w.number(u64::from(self.shard)).number(u64::from(self.first)).number(u64::from(self.count));
        w.text(&self.factory).text(&self.recipient);
        octets
    }

    /// Reads the header from the front of an opened shard; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`ShardHeader::to_octets`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(WHAT, octets);
        r.array(8)?;
        let format = r.text(FORMAT.len())?;
        if format != FORMAT {
            return Err(Refusal::malformed(WHAT, FORMAT, format));
        }
        let realm = match r.text(16)? {
            "production" => Realm::Production,
            "rehearsal" => Realm::Rehearsal,
            other => return Err(Refusal::malformed(WHAT, "a realm", other)),
        };
        let header = Self {
            realm,
            bundle: BundleId::from_octets(r.octets_of()?),
            shard: r.number_u32()?,
            first: r.number_u32()?,
            count: r.number_u32()?,
            factory: r.text(limits::FACTORY_NAME_CHARS)?.to_owned(),
            recipient: r.text(limits::RECIPIENT_CHARS)?.to_owned(),
        };
        let used = r.position();
        same_octets(WHAT, &header.to_octets(), octets.get(..used).unwrap_or_default())?;
        if header.count as usize > limits::SHARD_RECORDS {
            return Err(Refusal::malformed(WHAT, format!("at most {} records", limits::SHARD_RECORDS), header.count));
        }
        Ok((header, used))
    }

    /// Compares with what the manifest says this shard is.
    ///
    /// # Errors
    /// Each difference with its own class: another realm, another bundle or place, another count, factory or recipient.
    pub fn expect(&self, expected: &Self) -> Result<(), Refusal> {
        let what = format!("shard {:05}", expected.shard);
        let differs = |class, name: &str, expected: &dyn ToString, found: &dyn ToString| {
            Err(Refusal::new(class, format!("{what}: {name}"), expected.to_string(), found.to_string()))
        };
        if self.realm != expected.realm {
            return differs(Class::WrongRealm, "realm", &expected.realm, &self.realm);
        }
        if self.bundle != expected.bundle {
            return differs(Class::Foreign, "bundle", &expected.bundle, &self.bundle);
        }
        if self.shard != expected.shard {
            return differs(Class::Foreign, "number", &expected.shard, &self.shard);
        }
        if self.factory != expected.factory {
            return differs(Class::WrongFactory, "factory", &expected.factory, &self.factory);
        }
        if self.recipient != expected.recipient {
            return differs(Class::WrongRecipient, "recipient", &expected.recipient, &self.recipient);
        }
        if self.first != expected.first {
            return differs(Class::Count, "first record", &expected.first, &self.first);
        }
        if self.count != expected.count {
            return differs(Class::Count, "records", &expected.count, &self.count);
        }
        Ok(())
    }
}

/// The records of an opened shard, one at a time.
pub struct Records<'o> {
    rest: &'o [u8],
    header: ShardHeader,
    next: u32,
}

impl<'o> Records<'o> {
    /// Reads the header of an opened shard.
    ///
    /// # Errors
    /// As [`ShardHeader::read`], and where it is longer than any shard.
    pub fn open(octets: &'o [u8]) -> Result<Self, Refusal> {
        if octets.len() > limits::SHARD_OCTETS {
            return Err(Refusal::malformed(WHAT, format!("at most {} octets", limits::SHARD_OCTETS), octets.len()));
        }
        let (header, used) = ShardHeader::read(octets)?;
        Ok(Self { rest: octets.get(used..).unwrap_or_default(), header, next: 0 })
    }

    #[must_use]
    pub const fn header(&self) -> &ShardHeader {
        &self.header
    }

    fn read(&mut self) -> Result<Option<Record>, Refusal> {
        let what = format!("shard {:05}", self.header.shard);
        if self.next == self.header.count {
            return match self.rest.len() {
                0 => Ok(None),
                more => {
                    Err(Refusal::new(Class::Count, what, "nothing after the last record", format!("{more} octets")))
                }
            };
        }
        if self.rest.is_empty() {
            let (expected, found) = (format!("{} records", self.header.count), self.next);
            return Err(Refusal::new(Class::Count, what, expected, found));
        }
        let (record, used) = Record::read(self.rest)?;
        let expected = u64::from(self.header.first) + u64::from(self.next);
        if u64::from(record.index) != expected {
            return Err(Refusal::new(Class::Foreign, what, format!("record {expected} next"), record.index));
        }
        if record.lineage.bundle != self.header.bundle {
            let what = format!("record {}", record.index);
            return Err(Refusal::new(Class::Foreign, what, self.header.bundle, record.lineage.bundle));
        }
        self.rest = self.rest.get(used..).unwrap_or_default();
        self.next += 1;
        Ok(Some(record))
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if matches!(read, Some(Err(_))) {
            // Nothing after the first thing that is wrong is believed.
            (self.rest, self.next) = (&[], self.header.count);
        }
        read
    }
}

/// The plain octets of a shard.
#[must_use]
pub fn write(header: &ShardHeader, records: &[Record]) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(1024 * (records.len() + 1)));
    octets.extend_from_slice(&header.to_octets());
    for record in records {
        record.write(&mut octets);
    }
    octets
}
