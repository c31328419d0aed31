//! How times are stored.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// The format of times in SQLite, where they must sort as text: UTC with six decimals.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A duration as the databases take it.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The same of one that may be negative.
pub(crate) fn signed_millis(duration: SignedDuration) -> i64 {
    let bound = if duration.is_negative() { i64::MIN } else { i64::MAX };
    i64::try_from(duration.as_millis()).unwrap_or(bound)
}

/// Reads a time from a database. A number means microseconds since 1970. A text can have any of the formats
/// that other tools write into SQLite. `None` if it is invalid.
pub(crate) struct StoredTime(pub(crate) Option<Timestamp>);

impl<'de> Deserialize<'de> for StoredTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = StoredTime;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time as text or in microseconds")
    }

    fn visit_i64<E: Error>(self, microseconds: i64) -> Result<StoredTime, E> {
        Ok(StoredTime(Timestamp::from_microsecond(microseconds).ok()))
    }

    fn visit_u64<E: Error>(self, microseconds: u64) -> Result<StoredTime, E> {
        Ok(StoredTime(i64::try_from(microseconds).ok().and_then(|us| Timestamp::from_microsecond(us).ok())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StoredTime, E> {
        Ok(StoredTime(parse_time(text)))
    }
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let seconds = || Timestamp::from_second(text.parse().ok()?).ok();
    text.parse().ok().or_else(seconds).or_else(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_spelling() {
        let expected: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for text in
            ["2026-01-02T03:04:05.000000Z", "2026-01-02 03:04:05", "1767323045", "2026-01-02T05:04:05+02:00"]
        {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        assert_eq!(parse_time("yesterday"), None);
        assert_eq!(time_text(expected), "2026-01-02T03:04:05.000000Z");
    }

    #[test]
    fn a_time_is_written_to_the_microsecond() {
        let time: Timestamp = "2026-01-02T03:04:05.123456999Z".parse().unwrap();
        assert_eq!(time_text(time), "2026-01-02T03:04:05.123456Z");
    }
}
