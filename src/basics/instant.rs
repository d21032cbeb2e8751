//! A point in time: milliseconds since 1970-01-01T00:00:00Z. Rows 0-5 never ask a clock; instants reach them in events.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub u64);

/// A calendar date and time of day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Instant {
    /// The last that can be written: 9999-12-31T23:59:59.999Z.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// Whether it has a date of four digits. What came from outside and has none is malformed.
    #[must_use]
    pub const fn can_be_written(self) -> bool {
        self.0 <= Self::LAST.0
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
    #[must_use]
    pub fn civil(self) -> Civil {
        let seconds = self.seconds();
        let days = seconds / 86_400;
        let rest = seconds % 86_400;
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let small = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        Civil {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: small(month),
            day: small(day),
            hour: small(rest / 3600),
            minute: small(rest % 3600 / 60),
            second: small(rest % 60),
        }
    }

    /// `2026-11-22T14:02:31Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let c = self.civil();
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }

    /// The week of ISO 8601: `2026-W48`. Weeks begin on Monday, and the first of a year holds its first Thursday. What cannot be written is
    /// in the last week that can.
    #[must_use]
    pub fn week(self) -> String {
        const DAY: u64 = 86_400;
        let days = self.min(Self::LAST).seconds() / DAY;
        // 1970-01-01 was a Thursday.
        let weekday = (days + 3) % 7;
        let thursday = Self((days + 3).saturating_sub(weekday) * DAY * 1_000);
        let year = thursday.civil().year;
        let new_year = Self::parse(&format!("{year:04}-01-01T00:00:00Z")).map_or(0, Self::seconds) / DAY;
        let week = (thursday.seconds() / DAY).saturating_sub(new_year) / 7 + 1;
        format!("{year:04}-W{week:02}")
    }

    /// `14:02`, as the header shows it and as people compare it with their watches.
    #[must_use]
    pub fn hours_minutes(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}", c.hour, c.minute)
    }

    /// Parses `YYYY-MM-DDTHH:MM:SSZ` strictly; anything that does not print back the same is refused.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |from: usize, to: usize| -> Option<u64> {
            let part = text.get(from..to)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        if text.len() != 20 {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year / 400;
        let year_of_era = shifted_year % 400;
        let month_index = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_index + 2) / 5 + day.checked_sub(1)?;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
        let instant = Self((days * 86_400 + hour * 3600 + minute * 60 + second) * 1000);
        (instant.rfc3339() == text).then_some(instant)
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn no_number_of_milliseconds_overflows() {
        let last = Instant::LAST;
        assert_eq!((last.rfc3339().as_str(), last.week().as_str()), ("9999-12-31T23:59:59Z", "9999-W52"));
        assert!(last.can_be_written() && !Instant(last.0 + 1).can_be_written());
        for number in [last.0 + 1, (1 << 53) - 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX] {
            let beyond = Instant(number);
            assert_eq!(beyond.week(), "9999-W52", "{number}");
            assert!(!beyond.can_be_written() && !beyond.rfc3339().is_empty() && beyond.hours_minutes().len() == 5);
        }
        assert_eq!(Instant(0).week(), "1970-W01");
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (day, week) in [
            ("1970-01-01", "1970-W01"),
            ("2005-01-01", "2004-W53"),
            ("2005-01-02", "2004-W53"),
            ("2005-12-31", "2005-W52"),
            ("2007-01-01", "2007-W01"),
            ("2008-12-29", "2009-W01"),
            ("2010-01-03", "2009-W53"),
            ("2026-11-22", "2026-W47"),
            ("2026-11-23", "2026-W48"),
            ("2027-01-03", "2026-W53"),
        ] {
            for hour in ["00:00:00", "23:59:59"] {
                assert_eq!(Instant::parse(&format!("{day}T{hour}Z")).unwrap().week(), week, "{day}");
            }
        }
    }
}
