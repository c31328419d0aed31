//! When a digest is due: at a time of day, in somebody's time zone.

use std::fmt;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Time, Weekday},
    tz::TimeZone,
};

/// Without another time.
const MORNING: Time = Time::constant(9, 0, 0, 0);

/// What the database of time zones calls one that isn't known.
const UNKNOWN: &str = "Etc/Unknown";

const NOON: Time = Time::constant(12, 0, 0, 0);

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Every day, or every week on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    day: Option<Weekday>,
    time: Time,
}

/// A schedule as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedSchedule {
    pub schedule: Schedule,
    /// The time zone's name, if one was typed.
    pub zone: Option<String>,
}

/// Why what was typed is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    Unclear,
    /// There is nothing wrong but this word, which stands where a time zone may.
    UnknownZone(String),
}

impl Schedule {
    /// Reads `daily 9:00` or `weekly mon 9:00`, in any case; what is left out is `daily`, `mon` and `9:00`. `9`,
    /// `9.30`, `0930`, `9h30`, `9am`, `9:30 p.m.`, `9 o'clock` and `noon` are times, too, and `every day`, `every
    /// monday`, `tues` and `on mondays` are days.
    pub fn parse(text: &str) -> Option<Self> {
        Self::typed(text).ok().filter(|typed| typed.zone.is_none()).map(|typed| typed.schedule)
    }

    /// As [`Schedule::parse`], with the name of a time zone, as in `daily 9:00 Europe/Berlin`.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn typed(text: &str) -> Result<TypedSchedule, Unread> {
        let (mut is_daily, mut is_weekly, mut named, mut at) = (false, false, None, None);
        let mut zone: Option<String> = None;
        for word in tidy(text).ok_or(Unread::Unclear)? {
            match (word.as_str(), day(&word), time(&word)) {
                ("daily", ..) if !is_daily => is_daily = true,
                ("weekly", ..) if !is_weekly => is_weekly = true,
                (_, Some(day), _) if named.is_none() => named = Some(day),
                (_, None, Some(time)) if at.is_none() => at = Some(time),
                // `9:00 Berlin time`
                ("time", ..) if zone.is_some() => {}
                (word, None, None) if zone.is_none() && may_be_zone(word) => {
                    zone = Some(zone_word(word).to_owned())
                }
                _ => return Err(Unread::Unclear),
            }
        }
        is_weekly |= named.is_some();
        if is_daily && is_weekly {
            return Err(Unread::Unclear);
        }
        let day = is_weekly.then(|| named.unwrap_or(Weekday::Monday));
        let schedule = Self { day, time: at.unwrap_or(MORNING) };
        let Some(zone) = zone else { return Ok(TypedSchedule { schedule, zone: None }) };
        let known = TimeZone::get(&zone).ok().and_then(|known| known.iana_name().map(str::to_owned));
        match known {
            Some(known) if known != UNKNOWN => Ok(TypedSchedule { schedule, zone: Some(known) }),
            _ => Err(as_zone(text, &zone)
                .filter(|_| at.is_some())
                .map_or(Unread::Unclear, Unread::UnknownZone)),
        }
    }

    /// The first time after `now`. An hour that the clocks skip is the one after it, and of one that comes twice it is
    /// the first.
    pub fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let today = now.to_zoned(zone.clone()).date();
        let days = (0..=8).filter_map(|days| today.checked_add(days.days()).ok());
        let days = days.filter(|date| self.day.is_none_or(|day| date.weekday() == day));
        let times = days.filter_map(|date| zone.to_timestamp(date.to_datetime(self.time)).ok());
        times.into_iter().find(|time| *time > now).unwrap_or(Timestamp::MAX)
    }

    /// As people read it: `every Monday at 9:00`.
    pub fn in_words(&self) -> String {
        let (hour, minute) = (self.time.hour(), self.time.minute());
        match self.day {
            None => format!("every day at {hour}:{minute:02}"),
            Some(day) => format!("every {} at {hour}:{minute:02}", day_name(day)),
        }
    }
}

/// As it's stored, and read again.
impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.time.hour(), self.time.minute());
        match self.day {
            None => write!(formatter, "daily {hour}:{minute:02}"),
            Some(day) => {
                write!(formatter, "weekly {} {hour}:{minute:02}", &day_name(day).to_lowercase()[..3])
            }
        }
    }
}

/// The zone with this name, and whether it's known. Otherwise it's UTC.
pub fn zone_named(name: Option<&str>) -> (TimeZone, bool) {
    match name.and_then(|name| TimeZone::get(name).ok()) {
        Some(zone) => (zone, true),
        None => (TimeZone::UTC, false),
    }
}

/// The words in lower case, without those that only join others. `None` if one of these is the last.
fn tidy(text: &str) -> Option<Vec<String>> {
    let mut tidy: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.to_lowercase().split_whitespace() {
        is_open = matches!(word, "at" | "on" | "every" | "each");
        match (word, tidy.last_mut()) {
            _ if is_open => {}
            ("am" | "pm" | "a.m." | "p.m.", Some(time)) => time.push_str(word),
            ("o'clock" | "o’clock" | "oclock" | "uhr" | "h", Some(_)) => {}
            ("day", None) => tidy.push("daily".to_owned()),
            _ => tidy.push(word.trim_end_matches([',', ';']).to_owned()),
        }
    }
    (!is_open).then_some(tidy)
}

/// A word without the brackets around it.
fn zone_word(word: &str) -> &str {
    word.trim_matches(['(', ')', '[', ']', '.', '`'])
}

/// Whether a word is written as names of time zones are: `europe/berlin`, `cet`, `etc/gmt+2`.
fn may_be_zone(word: &str) -> bool {
    let word = zone_word(word);
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-:".contains(&byte))
}

/// A word in lower case as it stands in a text, if it's written as people write time zones: `PST`, `pst`, `Berlin`.
fn as_zone(text: &str, word: &str) -> Option<String> {
    let mut typed = text.split_whitespace().map(|typed| zone_word(typed.trim_end_matches([',', ';'])));
    let typed = typed.find(|typed| typed.to_lowercase() == word)?;
    let is_short = (3..=4).contains(&word.len()) && word.ends_with('t');
    let is_zone =
        is_short || word.contains(['/', '+']) || typed.starts_with(|first: char| first.is_uppercase());
    is_zone.then(|| typed.to_owned())
}

fn day(word: &str) -> Option<Weekday> {
    let starts = |name: &str| {
        let is_short = |word: &str| word.len() >= 3 && name.starts_with(word);
        is_short(word) || word.strip_suffix('s').is_some_and(is_short) || name.get(..2) == Some(word)
    };
    DAYS.iter().find(|(name, _)| starts(name)).map(|(_, day)| *day)
}

fn day_name(day: Weekday) -> String {
    let name = DAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name);
    let (first, rest) = name.split_at(name.len().min(1));
    first.to_uppercase() + rest
}

fn time(word: &str) -> Option<Time> {
    match word {
        "noon" | "midday" => return Some(NOON),
        "midnight" => return Some(Time::midnight()),
        _ => {}
    }
    let without = |ends: [&str; 3]| ends.into_iter().find_map(|end| word.strip_suffix(end));
    let (word, half) = match (without(["am", "a.m.", "a.m"]), without(["pm", "p.m.", "p.m"])) {
        (Some(word), _) => (word, Some(0)),
        (_, Some(word)) => (word, Some(12)),
        _ => (word, None),
    };
    let word = word.strip_suffix('h').unwrap_or(word);
    let is_together = (3..=4).contains(&word.len()) && word.bytes().all(|digit| digit.is_ascii_digit());
    let (hour, minute) = match is_together {
        true => word.split_at(word.len() - 2),
        false => word.split_once([':', '.', 'h']).unwrap_or((word, "00")),
    };
    let is_number =
        |text: &str| (1..=2).contains(&text.len()) && text.chars().all(|digit| digit.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_people_type_them() {
        for (text, read) in [
            ("", "daily 9:00"),
            ("daily", "daily 9:00"),
            ("Daily 09:30", "daily 9:30"),
            ("daily at 5pm", "daily 17:00"),
            ("12am", "daily 0:00"),
            ("8", "daily 8:00"),
            ("weekly", "weekly mon 9:00"),
            ("weekly FRI 16:45", "weekly fri 16:45"),
            ("weekly wednesday", "weekly wed 9:00"),
            ("thu 7:15am", "weekly thu 7:15"),
            ("weekly 10:00", "weekly mon 10:00"),
            ("daily 9:00 AM", "daily 9:00"),
            ("9 am", "daily 9:00"),
            ("daily 9.30", "daily 9:30"),
            ("every day at 9", "daily 9:00"),
            ("weekly on friday", "weekly fri 9:00"),
            ("every tuesday at 8 pm", "weekly tue 20:00"),
            ("on Mondays", "weekly mon 9:00"),
            ("weekly at 10 on thu", "weekly thu 10:00"),
            ("at 9 mon", "weekly mon 9:00"),
            ("weekly mo", "weekly mon 9:00"),
            ("Tues at 17h", "weekly tue 17:00"),
            ("weds, 8h15", "weekly wed 8:15"),
            ("thurs 0930", "weekly thu 9:30"),
            ("daily 930", "daily 9:30"),
            ("daily noon", "daily 12:00"),
            ("every day at midnight", "daily 0:00"),
            ("12:30 p.m.", "daily 12:30"),
            ("daily 9 o'clock", "daily 9:00"),
        ] {
            let schedule = Schedule::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(schedule.to_string(), read, "{text}");
            assert_eq!(Schedule::parse(read), Some(schedule));
        }
        for wrong in [
            "often",
            "daily 25:00",
            "daily 9:60",
            "daily mon",
            "9:0",
            "13pm",
            "daily 9 9",
            "daily at",
            "mon tue 9",
            "daily weekly",
            "weekly t",
            "9 10am",
            "12345",
            "0960",
            "am",
        ] {
            assert_eq!(Schedule::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Schedule::parse("weekly tue 8:05").unwrap().in_words(), "every Tuesday at 8:05");
    }

    #[test]
    fn a_time_zone_may_be_named() {
        for (text, schedule, zone) in [
            ("daily 9:00 Europe/Berlin", "daily 9:00", "Europe/Berlin"),
            ("weekly fri 16:30 america/new_york", "weekly fri 16:30", "America/New_York"),
            ("9am CET", "daily 9:00", "CET"),
            ("every day at 9:00 a.m. (UTC)", "daily 9:00", "UTC"),
            ("daily Asia/Kolkata", "daily 9:00", "Asia/Kolkata"),
            ("mon 7:15 Japan time", "weekly mon 7:15", "Japan"),
        ] {
            let typed = Schedule::typed(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(
                (typed.schedule.to_string().as_str(), typed.zone.as_deref()),
                (schedule, Some(zone)),
                "{text}"
            );
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
        for (text, zone) in [
            ("9am PST", "PST"),
            ("9am (pst)", "pst"),
            ("daily 9:00 Berlin time", "Berlin"),
            ("mon 9:00 UTC+2", "UTC+2"),
            ("daily 9:00 Mars/Olympus", "Mars/Olympus"),
        ] {
            assert_eq!(Schedule::typed(text), Err(Unread::UnknownZone(zone.to_owned())), "{text}");
        }
        for text in [
            "often",
            "daily often",
            "9:00 CET UTC",
            "Berlin",
            "daily 9:00 ../etc/passwd",
            "weekdays 9:00",
            "9:00 tomorrow",
        ] {
            assert_eq!(Schedule::typed(text), Err(Unread::Unclear), "{text}");
        }
    }

    #[test]
    fn the_next_time_follows_the_clocks_of_the_zone() {
        let berlin = zone_named(Some("Europe/Berlin")).0;
        let next = |schedule: &str, now: &str| {
            let now: Timestamp = now.parse().unwrap();
            Schedule::parse(schedule).unwrap().next_after(now, &berlin).to_string()
        };
        assert_eq!(next("daily 9:00", "2026-11-27T07:59:59Z"), "2026-11-27T08:00:00Z");
        assert_eq!(next("daily 9:00", "2026-11-27T08:00:00Z"), "2026-11-28T08:00:00Z");
        assert_eq!(next("weekly mon 9:00", "2026-11-27T08:00:00Z"), "2026-11-30T08:00:00Z");
        // Between the two, summer time begins, and in October it ends.
        assert_eq!(next("daily 9:00", "2026-03-28T08:00:00Z"), "2026-03-29T07:00:00Z");
        assert_eq!(next("daily 9:00", "2026-10-24T07:00:00Z"), "2026-10-25T08:00:00Z");
        // 2:30 is skipped on that day, and comes twice on the other.
        assert_eq!(next("daily 2:30", "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(next("daily 2:30", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next("daily 2:30", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
        assert_eq!(zone_named(Some("Mars/Olympus")), (TimeZone::UTC, false));
    }
}
