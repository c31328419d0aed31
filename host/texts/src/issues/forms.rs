//! For people with an open form: opening it, waiting, and what can stop it.

use crate::text;
use maro_domain::{command_name::CommandName, reply::Span};

pub const CHANNEL: &str = "Channel";
pub const PROJECT: &str = "Project";
pub const ISSUE_TYPE: &str = "Type";
pub const SUMMARY: &str = "Summary";
pub const DESCRIPTION: &str = "Description";

pub const LABELS_HINT: &str = "Separate labels with spaces.";

pub const ESTIMATE_HINT: &str = "Enter weeks, days, hours and minutes, such as 3d 4h.";

/// A sprint to choose.
pub fn sprint(name: &str, is_active: bool) -> String {
    if is_active { format!("{name} (active)") } else { name.to_owned() }
}

/// Above the form, which now has the fields that Jira missed.
pub const FILL_IN_BELOW: &str = "Fill that in below and submit again.";

pub const CHANNEL_MISSING: &str = "Choose a channel.";
pub const PROJECT_MISSING: &str = "Choose a project.";
pub const ISSUE_TYPE_MISSING: &str = "Choose a type.";
pub const SUMMARY_MISSING: &str = "Enter a summary.";

pub const CREATE: &str = "Create";
pub const TRY_AGAIN: &str = "Try again";
pub const CLOSE: &str = "Close";
pub const DONE: &str = "Done.";
pub const LOADING: &str = "Loading from Jira…";
pub const WORKING: &str =
    "MARO is working on it. You can close this window; MARO will post in the channel when it's done.";

/// As [`WORKING`], where similar issues are looked for first.
pub const CREATING: &str = "MARO is working on it. If you close this window during the search for duplicates, nothing \
    is created. After that, MARO will post in the channel when it's done.";

/// To the person who did that.
pub const CANCELLED: &str = "You closed the form before MARO started on your issue, so nothing was created.";

/// Above a form that Jira had nothing for.
pub const NOTHING_LOST: &str = "Nothing you type here is lost. Nothing is created until you press Create.";

pub const OPENED_TOO_LATE: &str = "The form took too long to open. Try again.";
pub const NOT_OPENED: &str = "MARO couldn't open the form. Try again in a moment.";
/// Slack rejected MARO's token, or the app lacks a scope.
pub const NOT_ALLOWED_TO_OPEN: &str =
    "MARO couldn't open the form because Slack doesn't allow it. Ask your MARO admin to check the Slack app.";
/// Slack sent no trigger for opening a form.
pub const CANNOT_OPEN: &str = "MARO can't open a form from here.";
pub const EXPIRED: &str = "This form has expired. Close it and start again.";
/// Only to the person, instead of in the form.
pub const CLOSED_TOO_EARLY: &str = "MARO had a question about your issue, but the form was already closed. \
    Nothing was created. Please start again.";

pub const SOMETHING_WRONG: &str = "Something went wrong in MARO. Check Jira before trying again.";
pub const UNCONFIRMED: &str = "Jira didn't confirm whether this worked. Don't send it again: MARO will keep \
    checking and tell you the result.";
pub const NOT_FOUND_AFTERWARDS: &str =
    "Jira didn't confirm this, and MARO couldn't find the issue. Check Jira before trying again.";

/// As [`NOT_FOUND_AFTERWARDS`], to a person who has closed the form by then.
pub fn not_found_afterwards(summary: &str) -> String {
    format!(
        "Jira didn't confirm your issue \"{summary}\", and MARO couldn't find it. \
         Check Jira before trying again."
    )
}

pub const NOT_ANNOUNCED: &str = "MARO couldn't post in the channel because Slack rejected the message.";
pub const NOT_IN_CHANNEL: &str =
    "MARO couldn't post there because it isn't in the channel. Invite it with /invite @maro.";

/// An issue was created, but the rest has to wait for the database.
pub fn created_but_pending(key: &str) -> String {
    format!(
        "{key} was created, but MARO can't reach its database right now. It will be tracked and announced shortly."
    )
}

/// An issue was created or linked, but isn't on the list.
pub fn not_tracked_yet(name: &CommandName, key: &str) -> String {
    format!(
        "{key} couldn't be added to this channel's list yet. MARO will retry, or you can type {name} track {key}."
    )
}

/// Below a required input that is empty.
pub fn field_missing(name: &str) -> String {
    format!("Fill in {name}.")
}

/// Jira refused what was put into a field, and gave no reason.
pub fn field_refused(name: &str) -> String {
    format!("Jira didn't accept {name}.")
}

/// Jira's reason, away from the field that it is about.
pub fn about_field(name: &str, reason: &str) -> String {
    if reason.to_lowercase().contains(&name.to_lowercase()) {
        reason.to_owned()
    } else {
        format!("{name}: {reason}")
    }
}

/// Above the form. Jira requires fields that weren't there.
pub fn more_fields(names: &[&str]) -> String {
    format!(
        "For this type, Jira also requires: {}. Fill in the new fields and submit again.",
        first_of(names)
    )
}

/// Above the form. Jira requires fields that can't be asked for in Slack.
pub fn beyond_slack(names: &[String], address: &str) -> Vec<Span> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let required =
        format!("For this type, Jira also requires: {}. Slack forms can't ask for that. ", first_of(&names));
    vec![text(required), jira_form(address)]
}

/// Some names, and how many others there are.
fn first_of(names: &[&str]) -> String {
    const MAX_NAMED: usize = 10;
    match names.split_at_checked(MAX_NAMED) {
        Some((first, others)) if !others.is_empty() => {
            format!("{}, and {} more", first.join(", "), others.len())
        }
        _ => names.join(", "),
    }
}

fn jira_form(address: &str) -> Span {
    Span::Link { url: address.to_owned(), label: "Open Jira's form with what you've entered".to_owned() }
}

/// Jira wants fields that the form doesn't have.
pub fn create_in_jira(address: &str) -> Vec<Span> {
    let words = "Jira requires a field this form doesn't have. Create the issue in Jira instead: ";
    vec![text(words), jira_form(address)]
}

pub fn summary_too_long(max_length: usize) -> String {
    format!("Summaries can be up to {max_length} characters.")
}
