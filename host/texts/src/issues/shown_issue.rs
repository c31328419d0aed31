//! For people who type an issue's key, or paste a link to it: what Jira says of it, and whether the channel tracks it.

use jiff::Timestamp;

use crate::{issues::list::time, text};
use maro_domain::{
    issue::IssueKey,
    issue_details::IssueDetails,
    reply::{Span, TimeForm},
    tracked::{MISSING_STATUS, TrackedIssue},
};

pub const TRACK: &str = "Track";
pub const STOP_TRACKING: &str = "Stop tracking";

/// The first line: what the issue is about, and its status.
pub fn head(key: &IssueKey, summary: &str, status: &str) -> Vec<Span> {
    let colon = if summary.is_empty() { "" } else { ": " };
    let status = if status.is_empty() { String::new() } else { format!(" ({status})") };
    vec![Span::Issue(key.clone()), text(format!("{colon}{summary}{status}"))]
}

/// The same of an issue on a list, as far as it `is_shown`. A key that Jira doesn't know any more is no link.
pub fn row(issue: TrackedIssue, is_shown: bool) -> Vec<Span> {
    let TrackedIssue { key, last_jira_summary, last_jira_status, former_key, .. } = issue;
    let shown = |text: Option<String>| text.filter(|_| is_shown).unwrap_or_default();
    let status = shown(last_jira_status);
    let is_gone = status == MISSING_STATUS;
    let mut spans = head(&key, &shown(last_jira_summary), &status);
    if is_gone {
        spans[0] = text(key.to_string());
    } else if let Some(former) = former_key.filter(|_| is_shown) {
        spans.push(text(format!(" · was {former}")));
    }
    spans
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

/// An issue that somebody asked for by an older key.
pub fn moved(from: &IssueKey, to: &IssueKey) -> Vec<Span> {
    vec![Span::Issue(from.clone()), text(" is now "), Span::Issue(to.clone())]
}

/// Of a message whose issues somebody wants to track.
pub const NONE_IN_MESSAGE: &str = "This message doesn't mention any issue that can be tracked here.";

/// Below what was tracked of such a message.
pub fn first_keys_alone(most: usize) -> Vec<Span> {
    vec![text(format!("The message mentions more than {most} issues. MARO looked at the first {most}."))]
}
