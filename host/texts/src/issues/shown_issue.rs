//! For people who type an issue's key, or paste a link to it: what Jira says of it, and whether the channel tracks it.

use jiff::{SignedDuration, Timestamp};

use crate::text;
use maro_domain::{
    issue::IssueKey,
    issue_details::IssueDetails,
    reply::{Span, TimeForm},
    tracked::TrackedIssue,
};

pub const TRACK: &str = "Track";
pub const STOP_TRACKING: &str = "Stop tracking";
pub const ASSIGN: &str = "Assign";

/// From this age on, a time of day alone could be yesterday's.
const SHOWN_WITH_DAY: SignedDuration = SignedDuration::from_hours(12);

/// The first line: what the issue is about, and its status.
pub fn head(key: &IssueKey, summary: &str, status: &str) -> Vec<Span> {
    let colon = if summary.is_empty() { "" } else { ": " };
    let status = if status.is_empty() { String::new() } else { format!(" ({status})") };
    vec![Span::Issue(key.clone()), text(format!("{colon}{summary}{status}"))]
}

/// Who is at it, and when it last changed.
pub fn about(details: &IssueDetails) -> Vec<Span> {
    let assignee = details.assignee.as_ref().map(|person| person.name.as_str());
    let mut spans = match assignee {
        Some(name) => vec![text(format!("Assigned to {name}"))],
        None => vec![text("Unassigned")],
    };
    if let Some(at) = details.updated_at {
        spans.extend([text(" · updated "), Span::Time { at, form: TimeForm::DayAndClock }]);
    }
    spans
}

/// Below a link in somebody's message: what kind of issue it is and, for those who may know, who is at it.
pub fn unfurled(details: &IssueDetails, has_assignee: bool) -> Vec<Span> {
    let kind = if details.issue_type.is_empty() { "Issue" } else { &details.issue_type };
    let assignee = match details.assignee.as_ref().filter(|_| has_assignee) {
        Some(person) => format!(" · assigned to {}", person.name),
        None if has_assignee => " · unassigned".to_owned(),
        None => String::new(),
    };
    vec![text(format!("{kind}{assignee}"))]
}

/// Asked before an issue is assigned to somebody else than now.
pub fn takes_over(key: &IssueKey, assignee: &str) -> String {
    format!("{key} is assigned to {assignee}. Assign it to yourself?")
}

/// It has just been assigned to the person who reads this.
pub fn now_yours(key: &IssueKey) -> String {
    format!("{key} is now assigned to you.")
}

pub fn already_yours(key: &IssueKey) -> String {
    format!("{key} is already assigned to you.")
}

/// Since when the channel tracks it, and because of whom.
pub fn tracked(row: Option<&TrackedIssue>) -> Vec<Span> {
    let Some(row) = row else { return vec![text("Not tracked in this channel")] };
    let at = Span::Time { at: row.tracked_at, form: TimeForm::Day };
    let mut spans = vec![text("Tracked in this channel since "), at];
    if let Some(user) = &row.tracked_by {
        spans.extend([text(", added by "), Span::User(user.clone())]);
    }
    spans
}

/// Instead of who is at it: Jira couldn't be asked, so this is from the list, which was last synced `at`.
pub fn status_as_of(at: Option<Timestamp>, now: Timestamp) -> Vec<Span> {
    match at {
        Some(at) => vec![text("Status as of "), time(at, now), text("; Jira can't be reached")],
        None => vec![text("Jira can't be reached")],
    }
}

/// Below the issues of a person.
pub fn assigned_may_be_missing() -> Vec<Span> {
    vec![text("Issues that are assigned to you may be missing, because Jira didn't say which ones are.")]
}

/// Below a list, while Jira doesn't answer.
pub fn statuses_as_of(at: Timestamp, now: Timestamp) -> Vec<Span> {
    vec![text("Statuses as of "), time(at, now), text("; Jira can't be reached")]
}

/// An issue that somebody asked for by an older key.
pub fn moved(from: &IssueKey, to: &IssueKey) -> Vec<Span> {
    vec![Span::Issue(from.clone()), text(" is now "), Span::Issue(to.clone())]
}

/// A word among keys that isn't one.
pub fn not_a_key(word: &str) -> Vec<Span> {
    vec![Span::Code(word.to_owned()), text(" isn't an issue key")]
}

/// Of a message whose issues somebody wants to track.
pub const NONE_IN_MESSAGE: &str = "This message doesn't mention any issue that can be tracked here.";

/// Below what was tracked of such a message.
pub fn first_keys_alone(most: usize) -> Vec<Span> {
    vec![text(format!("The message mentions more than {most} issues. MARO looked at the first {most}."))]
}

pub fn too_many_keys(most: usize) -> String {
    format!("You can use up to {most} keys at a time.")
}

fn time(at: Timestamp, now: Timestamp) -> Span {
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
