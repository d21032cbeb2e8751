//! Logs of an authority in the factory's own module, the station's half: its receipt key says what was issued.

use crate::basics::{Digest, Instant};
use crate::factory::enrolment::Signed;
use crate::factory::issuance_log::LogStatement;
use crate::factory::refusal::same;
use crate::factory::{Class, Mode, Order};
use crate::station::{Station, StationError};

impl Station {
    /// Signs a log of so many certificates, octets and this SHA-256: the first of its authority, or the one after the log whose signed statement is
    /// `before`.
    ///
    /// # Errors
    /// Where the order is of another realm or factory, or not for an authority of the factory's own; where `before` is not about a log of this
    /// order and authority by this station, or made after `now`.
    pub fn sign_log(
        &self,
        (order, digest): (&Order, &Digest),
        issuer: &Digest,
        before: Option<&[u8]>,
        (count, size, sha256): (u32, u64, Digest),
        now: Instant,
    ) -> Result<Signed<LogStatement>, StationError> {
        same(Class::WrongRealm, "order: realm", &self.home.realm, &order.realm)?;
        same(Class::WrongFactory, "order: factory", &self.home.factory, &order.factory)?;
        same(Class::Policy, "order: mode", &Mode::Delegated, &order.mode)?;
        let key = self.receipt_key()?;
        let last = match before {
            None => None,
            Some(octets) => {
                let last = LogStatement::read(octets, order.realm)?;
                LogStatement::of(&last, &key.public(), (order, digest), issuer)?;
                Some((last.statement.sequence, Digest::of(octets), last.statement.made))
            }
        };
        let statement = LogStatement {
            format: LogStatement::format(),
            realm: order.realm,
            factory: order.factory.clone(),
            order: *digest,
            issuer: *issuer,
            sequence: last.map_or(1, |(number, ..)| number.saturating_add(1)),
            previous: last.map(|(_, digest, _)| digest),
            made: now,
            count,
            size,
            sha256,
        };
        statement.continues(last)?;
        Ok(statement.sign(&key)?)
    }
}
