//! `/maro standup`: shows the channel's issues by status, and what changed since yesterday.

use maro_plugin::{
    Description, Plugin, Reply, RunError, clock, register,
    reply::{Line, channel, code, details, issue, strong},
    spans,
    storage::{self, Scope},
    tracker::{self, ListFilter, RowDetails, RowState},
};

mod memory;

use crate::memory::{Memory, Statuses};

/// Rows that one call of the host reads, and the most that are shown.
const ROWS_PER_CALL: u32 = 200;
const MAX_ROWS: u32 = 1_000;

/// The most issues that are shown of one status.
const MAX_SHOWN: usize = 30;

/// Where what is remembered is kept.
const MEMORY: &str = "statuses";

struct Standup;

impl Plugin for Standup {
    fn describe() -> Description {
        Description {
            name: "standup",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Show the channel's issues by status, and what changed since yesterday",
            usage: "",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        if !arguments.trim().is_empty() {
            return Err(RunError::usage("Standup doesn't take any arguments."));
        }
        let (mut open, done) = (rows(ListFilter::Open)?, rows(ListFilter::Done)?);
        let statuses =
            Statuses::of(open.iter().chain(&done).map(|row| (&*row.issue.key, &*row.issue.status)));
        let stored = storage::get(Scope::Channel, MEMORY)?.unwrap_or_default();
        let memory = Memory::parse(&stored).followed_by(statuses, clock::now()?);
        let written = memory.to_text();
        if written != stored {
            storage::set(Scope::Channel, MEMORY, &written)?;
        }
        // What can't be shown is neither, so that nobody learns its status.
        if open.len() + done.len() < tracker::count_tracked()? as usize {
            open.extend(rows(ListFilter::All)?.into_iter().filter(|row| row.state == RowState::Hidden));
        }
        Ok(report(&open, &done, memory.yesterday()))
    }
}

register!(Standup);

fn rows(filter: ListFilter) -> Result<Vec<RowDetails>, RunError> {
    let mut rows: Vec<RowDetails> = Vec::new();
    let mut offset = 0;
    loop {
        let page = tracker::list_filtered(filter, offset, ROWS_PER_CALL)?;
        rows.extend(page.rows);
        offset += ROWS_PER_CALL;
        if !page.more || offset >= MAX_ROWS {
            return Ok(rows);
        }
    }
}

/// All that is open, by status. Of what is done, what wasn't yesterday.
fn report(open: &[RowDetails], done: &[RowDetails], yesterday: Option<&Statuses>) -> Reply {
    if open.is_empty() && done.is_empty() {
        return Reply::to_caller()
            .paragraph(spans!["Nothing is tracked in ", channel(), " yet."])
            .paragraph(spans!["To track an issue, type ", code("/maro track SCRUM-123")]);
    }
    let is_shown = |row: &&RowDetails| row.state == RowState::Present;
    let finished: Vec<&RowDetails> = done.iter().filter(|row| is_news(row, yesterday)).collect();
    let mut reply = Reply::to_caller().paragraph(spans!["Standup in ", channel(), ":"]);
    for (status, rows) in by_status(open.iter().chain(finished.iter().copied()).filter(is_shown)) {
        let heading = if status.is_empty() { "Not read yet" } else { status };
        reply = reply.paragraph(spans![strong(heading), [" (", &rows.len().to_string(), ")"].concat()]);
        reply = reply.items(rows.iter().take(MAX_SHOWN).map(|row| line(row, yesterday)));
        if rows.len() > MAX_SHOWN {
            reply = reply.lines([spans![["and ", &(rows.len() - MAX_SHOWN).to_string(), " more"].concat()]]);
        }
    }
    // What these are isn't their status.
    for (state, heading) in
        [(RowState::Gone, "Not found in Jira: "), (RowState::Hidden, "Can't be shown in this channel: ")]
    {
        let rows = open.iter().chain(done).filter(|row| row.state == state);
        let keys: Vec<&str> = rows.map(|row| &*row.issue.key).collect();
        if !keys.is_empty() {
            reply = reply.lines([spans![[heading, &some(&keys)].concat()]]);
        }
    }
    let rest = done.iter().filter(is_shown).count() - finished.len();
    if rest > 0 {
        reply = reply.lines([spans![["Done before: ", &rest.to_string()].concat()]]);
    }
    match yesterday {
        None => reply.lines([spans!["Changes will show up from tomorrow."]]),
        Some(yesterday) => match gone(yesterday, open, done) {
            gone if gone.is_empty() => reply,
            gone => reply.lines([spans![["No longer tracked: ", &gone.join(", ")].concat()]]),
        },
    }
}

/// The first keys of many.
fn some(keys: &[&str]) -> String {
    match keys.len().saturating_sub(MAX_SHOWN) {
        0 => keys.join(", "),
        rest => [&keys[..MAX_SHOWN].join(", "), " and ", &rest.to_string(), " more"].concat(),
    }
}

/// Whether it's done since yesterday, as far as is known.
fn is_news(row: &RowDetails, yesterday: Option<&Statuses>) -> bool {
    let Some(yesterday) = yesterday.filter(|_| row.state == RowState::Present) else { return false };
    yesterday.get(&row.issue.key).is_none_or(|status| status != row.issue.status)
}

/// In the order in which each status is met first.
fn by_status<'a>(rows: impl Iterator<Item = &'a RowDetails>) -> Vec<(&'a str, Vec<&'a RowDetails>)> {
    let mut groups: Vec<(&str, Vec<&RowDetails>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(status, _)| *status == row.issue.status) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((&row.issue.status, vec![row])),
        }
    }
    groups
}

fn line(row: &RowDetails, yesterday: Option<&Statuses>) -> Line {
    let tracked = &row.issue;
    let change = match yesterday.map(|yesterday| yesterday.get(&tracked.key)) {
        Some(None) => " (new)".to_owned(),
        Some(Some(before)) if before != tracked.status && !before.is_empty() => {
            [" (was ", before, ")"].concat()
        }
        _ => String::new(),
    };
    spans![issue(&tracked.key), details(&tracked.summary, ""), change]
}

fn gone<'a>(yesterday: &'a Statuses, open: &[RowDetails], done: &[RowDetails]) -> Vec<&'a str> {
    let is_listed = |key: &str| open.iter().chain(done).any(|row| row.issue.key == key);
    yesterday.keys().filter(|key| !is_listed(key)).collect()
}

#[cfg(test)]
mod tests {
    use maro_plugin::tracker::{RowState, StatusCategory, TrackedIssue};

    use super::*;

    fn row(key: &str, status: &str) -> RowDetails {
        let issue = TrackedIssue {
            key: key.into(),
            summary: "Anchor".into(),
            status: status.into(),
            tracked_by: "U1".into(),
            tracked_at: 0,
        };
        let status_category = StatusCategory::Unknown;
        RowDetails { issue, last_read: None, state: RowState::Present, status_category, moved_from: None }
    }

    #[test]
    fn the_first_standup_shows_what_is_open() {
        let open = [row("A-1", "Open"), row("A-2", "In Progress"), row("A-3", "Open")];
        assert_eq!(
            report(&open, &[row("A-4", "Done")], None).preview(),
            "Standup in #channel:\n\
             Open (2)\n• A-1: Anchor\n• A-3: Anchor\n\
             In Progress (1)\n• A-2: Anchor\n\
             Done before: 1\nChanges will show up from tomorrow."
        );
        assert!(report(&[], &[], None).preview().starts_with("Nothing is tracked in #channel yet."));
    }

    #[test]
    fn later_ones_show_what_changed() {
        let yesterday = Statuses::of(
            [("A-1", "Open"), ("A-2", "Open"), ("A-5", "Done"), ("A-6", "Open"), ("A-7", "Open")].into_iter(),
        );
        let open = [row("A-1", "Open"), row("A-2", "In Progress"), row("A-3", "Open")];
        let done = [row("A-5", "Done"), row("A-6", "Done")];
        assert_eq!(
            report(&open, &done, Some(&yesterday)).preview(),
            "Standup in #channel:\n\
             Open (2)\n• A-1: Anchor\n• A-3: Anchor (new)\n\
             In Progress (1)\n• A-2: Anchor (was Open)\n\
             Done (1)\n• A-6: Anchor (was Open)\n\
             Done before: 1\nNo longer tracked: A-7"
        );
    }

    #[test]
    fn what_is_gone_or_hidden_is_no_status() {
        let of = |key: &str, status: &str, state| RowDetails { state, ..row(key, status) };
        let open = [
            row("A-1", "Open"),
            of("A-2", "not found in Jira", RowState::Gone),
            of("A-3", "", RowState::Hidden),
            of("A-4", "not found in Jira", RowState::Gone),
        ];
        assert_eq!(
            report(&open, &[], Some(&Statuses::default())).preview(),
            "Standup in #channel:\nOpen (1)\n• A-1: Anchor (new)\n\
             Not found in Jira: A-2, A-4\nCan't be shown in this channel: A-3"
        );
    }

    #[test]
    fn a_long_status_is_cut() {
        let open: Vec<_> = (0..40).map(|number| row(&["A-", &number.to_string()].concat(), "Open")).collect();
        let shown = report(&open, &[], None).preview();
        assert!(shown.contains("Open (40)") && shown.contains("\nand 10 more\n"), "{shown}");
    }
}
