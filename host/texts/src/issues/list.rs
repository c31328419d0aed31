//! Below a list of issues: what of it may be missing or old.

use jiff::{SignedDuration, Timestamp};

use crate::text;
use maro_domain::reply::{Span, TimeForm};

/// From this age on, a time of day alone could be yesterday's.
const SHOWN_WITH_DAY: SignedDuration = SignedDuration::from_hours(12);

/// Below the issues of a person.
pub fn assigned_may_be_missing() -> Vec<Span> {
    vec![text("Issues that are assigned to you may be missing, because Jira didn't say which ones are.")]
}

/// Below a list, while Jira doesn't answer.
pub fn statuses_as_of(at: Timestamp, now: Timestamp) -> Vec<Span> {
    vec![text("Statuses as of "), time(at, now), text("; Jira can't be reached")]
}

/// A moment in the past.
pub(super) fn time(at: Timestamp, now: Timestamp) -> Span {
    let form = if now.duration_since(at) < SHOWN_WITH_DAY { TimeForm::Clock } else { TimeForm::DayAndClock };
    Span::Time { at, form }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let now: Timestamp = "2026-01-31T20:00:00Z".parse().unwrap();
        let form = |hours: i64| match time(now - SignedDuration::from_hours(hours), now) {
            Span::Time { form, .. } => form,
            other => panic!("{other:?}"),
        };
        assert_eq!(form(11), TimeForm::Clock);
        assert_eq!(form(12), TimeForm::DayAndClock);
    }
}
