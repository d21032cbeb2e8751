//! Requests of devices, the station's half: its receipt key says which were collected for which order.

use crate::basics::Instant;
use crate::factory::enrolment::Signed;
use crate::factory::refusal::same;
use crate::factory::requests::Statement;
use crate::factory::{Class, Mode, Order};
use crate::station::{Station, StationError};

impl Station {
    /// Whether an order is one for which this station collects requests.
    ///
    /// # Errors
    /// Where it is of another realm or factory, makes keys elsewhere, or is over.
    pub fn collects_for(&self, order: &Order, now: Instant) -> Result<(), StationError> {
        same(Class::WrongRealm, "order: realm", &self.home.realm, &order.realm)?;
        same(Class::WrongFactory, "order: factory", &self.home.factory, &order.factory)?;
        same(Class::Policy, "order: mode", &Mode::DeviceGenerated, &order.mode)?;
        if order.expires <= now {
            let (expected, found) = (format!("a time after {now}"), order.expires);
            return Err(crate::factory::Refusal::new(Class::Expired, "order: expires", expected, found).into());
        }
        Ok(())
    }

    /// Signs what was collected.
    ///
    /// # Errors
    /// Where the receipt key is missing.
    pub fn sign_requests(&self, statement: Statement) -> Result<Signed<Statement>, StationError> {
        Ok(statement.sign(&self.receipt_key()?)?)
    }
}
