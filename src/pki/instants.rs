//! Instants as X.509 times: whole seconds, UTCTime until 2049 and GeneralizedTime from 2050 (RFC 5280 4.1.2.5).

use super::PkiError;
use crate::basics::Instant;
use der::DateTime;
use std::time::Duration;
use x509_cert::time::Time;

/// The time as it is written; what is below a second is dropped, because X.509 cannot say it.
///
/// # Errors
/// After the year 9999.
pub fn to_time(instant: Instant) -> Result<Time, PkiError> {
    DateTime::from_unix_duration(Duration::from_secs(instant.seconds()))
        .map(Time::from)
        .map_err(|_| PkiError::Time(instant.rfc3339()))
}

#[must_use]
pub fn to_instant(time: Time) -> Instant {
    Instant(time.to_unix_duration().as_secs().saturating_mul(1000))
}

/// Whether the time is written in the one way its year allows.
#[must_use]
pub fn is_usual(time: Time) -> bool {
    Time::from(time.to_date_time()) == time
}

/// Without its milliseconds: two instants that are written the same are the same here.
#[must_use]
pub const fn whole_second(instant: Instant) -> Instant {
    Instant(instant.seconds().saturating_mul(1000))
}

/// The same day and time `years` later; 29 February becomes 1 March where there is none.
#[must_use]
pub fn years_after(instant: Instant, years: u16) -> Option<Instant> {
    let date = whole_second(instant).rfc3339();
    let year = instant.civil().year.checked_add(years)?;
    let rest = date.get(4..)?;
    Instant::parse(&format!("{year:04}{rest}"))
        .or_else(|| Instant::parse(&format!("{year:04}{}", rest.replacen("-02-29T", "-03-01T", 1))))
}

/// `days` times 24 hours later.
#[must_use]
pub const fn days_after(instant: Instant, days: u32) -> Instant {
    Instant(instant.0.saturating_add(days as u64 * 86_400_000))
}
