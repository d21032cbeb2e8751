//! Row 1: what a ceremony and a factory say to each other: order, bundle (manifest, shards of records, index, leaves), receipt.
//! Pure formats: octets in, values out, and the same octets back; and what must hold between them (`issuing`, `issued`). It seals nothing, opens nothing, draws nothing and asks no
//! clock; the strongroom makes and seals records, the station draws them. The octets are specified in `media/BUNDLE.md`.

pub mod account;
mod cbor;
pub mod device;
pub mod enrolment;
pub mod export;
pub mod hardware;
pub mod index;
pub mod issuance_log;
pub mod issued;
pub mod issuing;
pub mod kept;
pub mod lineage;
pub mod manifest;
pub mod merkle;
pub mod order;
pub mod places;
pub mod receipt;
pub mod record;
pub mod refusal;
pub mod requests;
pub mod returned;
pub mod sample;
pub mod shard;
pub mod tar;
pub mod terms;

pub use account::{Account, Accounting, Fault};
pub use device::{BundleId, DeviceId};
pub use hardware::{HardwareIds, Listed};
pub use issuing::Issuing;
pub use kept::{IssuedHeader, IssuedRecord};
pub use lineage::{Firmware, Lineage};
pub use manifest::Manifest;
pub use order::{Mode, Order};
pub use places::Places;
pub use receipt::{Outcome, Receipt, State};
pub use record::Record;
pub use refusal::{Class, Refusal};
pub use shard::ShardHeader;
pub use terms::BatchTerms;

#[cfg(test)]
mod tests;
