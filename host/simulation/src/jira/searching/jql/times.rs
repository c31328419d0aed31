//! Points in time in a query.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// `-7d`, `2026-01-31`, `2026/01/31 12:00`, all in UTC. `None` for anything else.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(age) = age(text) {
        return Some(now - age);
    }
    let text = text.replace('/', "-");
    let time = match text.len() {
        10 => civil::DateTime::strptime("%Y-%m-%d %H:%M", format!("{text} 00:00")),
        _ => civil::DateTime::strptime("%Y-%m-%d %H:%M", &text),
    };
    Some(time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `now()` and `startOfDay()`.
pub(super) fn function(name: &str, now: Timestamp) -> Option<Timestamp> {
    match name.to_ascii_lowercase().as_str() {
        "now" => Some(now),
        "startofday" => Some(now.to_zoned(TimeZone::UTC).start_of_day().ok()?.timestamp()),
        _ => None,
    }
}

/// `-90m`, `-2h`, `-3d`, `-1w`.
fn age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_prefix('-')?.strip_suffix(unit)?.parse().ok()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    Some(SignedDuration::from_mins(number.checked_mul(minutes)?))
}
