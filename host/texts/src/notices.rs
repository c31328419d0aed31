//! For channels that are told of changes, and for people who choose what they're told.

use jiff::{Timestamp, tz::TimeZone};

use crate::{command, text};
use maro_domain::{
    issue::{Issue, IssueKey, one_line},
    reply::Span,
};
use maro_store::notices::{Kind, Mode, Part};

/// The longest summary in a head line, in characters.
const MAX_SHOWN_SUMMARY: usize = 80;

pub const FEWER: &str = "Fewer";
pub const OFF: &str = "Off";
pub const TURN_ON: &str = "Turn on";
pub const STOP_TRACKING_THEM: &str = "Stop tracking them";

/// The head line of an issue's thread, with its latest status.
pub fn head(key: &IssueKey, summary: &str, status: &str) -> Vec<Span> {
    let summary = one_line(summary, MAX_SHOWN_SUMMARY);
    let rest = if summary.is_empty() { format!(" ({status})") } else { format!(": {summary} ({status})") };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// One thing that changed, and who changed it if Jira says so. `address`: where the issue is in a browser. `names`:
/// whether people may be named there.
pub fn change(key: &IssueKey, part: &Part, address: &str, names: bool) -> Vec<Span> {
    let Part { kind, from, to, set_by } = part;
    let set_by = set_by.as_deref().filter(|_| names);
    let change = match kind {
        Kind::Assignee if to.is_empty() && !names => "unassigned".to_owned(),
        Kind::Assignee if !names && !from.is_empty() && from != to => "assignee changed".to_owned(),
        Kind::Assignee if !names => "assigned".to_owned(),
        Kind::Assignee if to.is_empty() && from.is_empty() => "unassigned".to_owned(),
        Kind::Assignee if to.is_empty() => format!("unassigned, was {from}"),
        Kind::Assignee if from.is_empty() || from == to => format!("assigned to {to}"),
        Kind::Assignee => format!("assignee {from} → {to}"),
        Kind::Priority => format!("priority {}", moved(from, to)),
        Kind::Sprint if to.is_empty() => "removed from its sprint".to_owned(),
        Kind::Sprint => format!("sprint {}", moved(from, to)),
        Kind::Comments => return comments(key, part, address, set_by),
        _ if from == to => format!("back to {to}"),
        Kind::Status | Kind::Introduction | Kind::Finished | Kind::Head => format!("{from} → {to}"),
    };
    vec![Span::Issue(key.clone()), text(format!(": {change}{}", by(set_by)))]
}

fn moved(from: &str, to: &str) -> String {
    let to = if to.is_empty() { "none" } else { to };
    if from.is_empty() || from == to { to.to_owned() } else { format!("{from} → {to}") }
}

fn by(set_by: Option<&str>) -> String {
    set_by.map(|by| format!(" ({by})")).unwrap_or_default()
}

/// How many, with a link to the last. What they say isn't told.
fn comments(key: &IssueKey, part: &Part, address: &str, set_by: Option<&str>) -> Vec<Span> {
    let label =
        if part.from == "1" { "1 new comment".to_owned() } else { format!("{} new comments", part.from) };
    let url = format!("{address}?focusedCommentId={}", part.to);
    vec![Span::Issue(key.clone()), text(": "), Span::Link { url, label }, text(by(set_by))]
}

/// A line of a digest: what the issue is about, the status before, and who set the one of now, where that may be said,
/// and when, in `zone`.
pub fn digest_line(
    issue: &Issue,
    status: Option<&Part>,
    at: Option<Timestamp>,
    zone: &TimeZone,
    names: bool,
) -> Vec<Span> {
    let summary = one_line(&issue.summary, MAX_SHOWN_SUMMARY);
    let mut line = if summary.is_empty() { String::new() } else { format!(": {summary}") };
    if let Some(part) = status {
        let set_by = part.set_by.as_deref().filter(|_| names);
        line += &format!(", was {}{}", part.from, by(set_by));
    }
    if let Some(at) = at {
        line += &format!(", since {}", at.to_zoned(zone.clone()).strftime("%a %b %-d, %H:%M"));
    }
    vec![Span::Issue(issue.key.clone()), text(line)]
}

/// Above many changes at once.
pub fn many(count: usize, is_about_statuses: bool) -> Vec<Span> {
    let (issues, status) =
        (if count == 1 { "issue" } else { "issues" }, if is_about_statuses { " status" } else { "" });
    vec![text(format!("{count} tracked {issues} changed{status}:"))]
}

/// Above issues that have been done for long.
pub fn finished(count: usize) -> Vec<Span> {
    let issues =
        if count == 1 { "1 tracked issue has".to_owned() } else { format!("{count} tracked issues have") };
    vec![text(format!("{issues} been done for more than 14 days. You'll only see this once."))]
}

/// Below those of them that a button takes.
pub fn more_finished(count: usize) -> Vec<Span> {
    vec![
        text(format!("and {count} more. To stop tracking all that are done, type ")),
        command("untrack done"),
        text("."),
    ]
}

/// Below those that are shown.
pub fn more(count: usize) -> Vec<Span> {
    vec![text(format!("and {count} more. To see them all, type ")), command("tracked"), text(".")]
}

/// Once, to a channel that is older than notices.
pub fn introduction() -> Vec<Span> {
    vec![
        text("A tracked issue changed status. MARO can post here when that happens. To turn that on, type "),
        command("notify status"),
        text(". You'll only see this once."),
    ]
}

/// Once, to the person who tracked an issue in a channel that takes no messages from MARO.
pub fn not_in_channel() -> Vec<Span> {
    vec![
        text("MARO can't post in "),
        Span::Channel,
        text(
            " when the issues you track there change, because it isn't in that channel. To invite it, type ",
        ),
        Span::Code("/invite @maro".to_owned()),
        text(" there. Until then, the changes are kept."),
    ]
}

/// Once, to that person where MARO is in the channel and may not post.
pub fn may_not_post() -> Vec<Span> {
    vec![
        text("MARO can't post in "),
        Span::Channel,
        text(
            " when the issues you track there change, because the channel's settings don't let it. Someone who \
            manages the channel can allow it. Until then, the changes are kept.",
        ),
    ]
}

/// Slack takes no messages in a channel, for this reason, and so many changes wait.
pub fn paused(reason: &str, waiting: u32) -> Vec<Span> {
    let changes = match waiting {
        0 => String::new(),
        1 => " 1 change is waiting.".to_owned(),
        more => format!(" {more} changes are waiting."),
    };
    vec![text(format!("Slack takes no messages from MARO here: {reason}.{changes}"))]
}

/// What a channel is told, and how to change that.
pub fn mode(mode: Mode, digest: Option<&DigestText>) -> Vec<Span> {
    let mut spans = match digest.filter(|_| mode == Mode::Digest) {
        Some(digest) => vec![text(format!("This channel {}", digest.sentence()))],
        None => vec![text(told(mode, "This channel is"))],
    };
    spans.push(text(" To change that, type "));
    spans.extend([command("notify status"), text(", "), command("notify all"), text(", ")]);
    spans.extend([command("notify done"), text(", "), command("notify digest"), text(" or ")]);
    spans.extend([command("notify off"), text(".")]);
    spans
}

/// When a channel gets its digest.
pub struct DigestText {
    /// `every day at 9:00`
    pub when: String,
    /// The name of the time zone.
    pub zone: String,
}

impl DigestText {
    fn sentence(&self) -> String {
        let Self { when, zone } = self;
        format!("gets a digest of what changed, {when} ({zone}). If nothing changed, no digest is posted.")
    }
}

/// A channel gets digests from now on. `is_known`: whether the person's time zone is.
pub fn digest_set(digest: &DigestText, is_known: bool) -> Vec<Span> {
    let mut spans = vec![text(format!("From now on, this channel {}", digest.sentence()))];
    if !is_known {
        spans.push(text(
            " The time is in UTC because MARO can't see your time zone. For that, its Slack app needs the scope ",
        ));
        spans.extend([Span::Code("users:read".to_owned()), text(".")]);
    }
    spans
}

/// There is no time zone of this name.
pub fn unknown_zone(name: &str) -> Vec<Span> {
    vec![
        Span::Code(name.to_owned()),
        text(" isn't a time zone MARO knows. Use one such as "),
        Span::Code("Europe/Berlin".to_owned()),
        text(" or "),
        Span::Code("UTC".to_owned()),
        text(", or leave it out to use the time zone in your Slack profile."),
    ]
}

/// It got them at that time before.
pub fn digest_kept(digest: &DigestText) -> Vec<Span> {
    vec![text(format!("Nothing changed: this channel {}", digest.sentence()))]
}

/// A channel's setting was changed.
pub fn mode_set(mode: Mode) -> Vec<Span> {
    let mut spans = vec![text(told(mode, "From now on, this channel is"))];
    if mode == Mode::Off {
        spans.extend([text(" To turn notices on again, type "), command("notify status"), text(".")]);
    }
    spans
}

/// It's told no more than that already.
pub fn fewer_already(mode: Mode, digest: Option<&DigestText>) -> Vec<Span> {
    digest.map_or_else(|| mode_kept(mode), digest_kept)
}

/// That was its setting already.
pub fn mode_kept(mode: Mode) -> Vec<Span> {
    vec![text(told(mode, "Nothing changed: this channel is"))]
}

fn told(mode: Mode, channel_is: &str) -> String {
    match mode {
        Mode::Status => {
            format!("{channel_is} notified when a tracked issue moves between to do, in progress and done.")
        }
        Mode::All => format!(
            "{channel_is} notified each time the status, assignee, priority or sprint of a tracked issue \
            changes or it gets a comment."
        ),
        Mode::Done => format!("{channel_is} notified only when a tracked issue is done."),
        Mode::Digest => format!("{channel_is} notified by a digest of what changed."),
        Mode::Off => format!("{channel_is} not notified about changes to tracked issues."),
    }
}

/// One issue was silenced, or is heard again.
pub fn muted(key: &IssueKey, is_muted: bool) -> Vec<Span> {
    let rest = if is_muted {
        ": this channel won't be notified about it any more."
    } else {
        ": this channel will be notified about it again."
    };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// It can't be heard of again in a channel that hears of nothing.
pub fn off_altogether() -> Vec<Span> {
    vec![text("Notices are off in this channel. To turn them on, type "), command("notify status"), text(".")]
}

/// It was so before.
pub fn muted_already(key: &IssueKey, is_muted: bool) -> Vec<Span> {
    let rest = if is_muted {
        ": this channel wasn't being notified about it anyway."
    } else {
        ": this channel is already notified about it."
    };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// Only what is on the list can be silenced.
pub fn not_tracked(key: &IssueKey) -> Vec<Span> {
    vec![Span::Issue(key.clone()), text(" is not tracked in this channel")]
}

/// Nor has any issue this key, so it's no link.
pub fn missing(key: &IssueKey) -> Vec<Span> {
    vec![text(format!("{key} is not tracked in this channel"))]
}

/// The database failed after other issues were silenced, or heard again.
pub fn mute_failed(key: &IssueKey) -> Vec<Span> {
    vec![
        Span::Issue(key.clone()),
        text(
            ": this may not have changed, because MARO lost its database connection. Try again in a minute.",
        ),
    ]
}

/// Messages of a channel that name issues are answered from now on, or no more. `may_read`: whether the app may read
/// them.
pub fn keys_set(answers: bool, may_read: bool) -> Vec<Span> {
    if !answers {
        return vec![text("From now on, MARO won't answer messages here that mention issue keys.")];
    }
    let mut spans = vec![text(
        "From now on, MARO replies in a thread when a message here mentions an issue key: at most two issues \
        per message, and each at most once in half an hour.",
    )];
    spans.extend(keys_need(may_read));
    spans
}

/// It was so before.
pub fn keys_kept(answers: bool) -> Vec<Span> {
    let sentence = if answers {
        "Nothing changed: MARO answers messages here that mention issue keys."
    } else {
        "Nothing changed: MARO doesn't answer messages here that mention issue keys."
    };
    vec![text(sentence)]
}

/// Whether they are answered, and how to change that.
pub fn keys(answers: bool, may_read: bool) -> Vec<Span> {
    let mut spans = if answers {
        vec![
            text("MARO answers messages here that mention issue keys. To turn that off, type "),
            command("notify keys off"),
        ]
    } else {
        vec![
            text("MARO doesn't answer messages here that mention issue keys. To turn that on, type "),
            command("notify keys on"),
        ]
    };
    spans.push(text("."));
    if answers {
        spans.extend(keys_need(may_read));
    }
    spans
}

/// Without this, MARO hears about no message.
fn keys_need(may_read: bool) -> Vec<Span> {
    let mut spans = vec![text(" For that, MARO must be in this channel, and its Slack app needs ")];
    if !may_read {
        spans.push(text("the scopes "));
        spans.extend([Span::Code("channels:history".to_owned()), text(" and ")]);
        spans.extend([Span::Code("groups:history".to_owned()), text(", and ")]);
    }
    spans.push(text("the events "));
    spans.extend([Span::Code("message.channels".to_owned()), text(" and ")]);
    spans.extend([Span::Code("message.groups".to_owned()), text(", which your MARO admin can add.")]);
    spans
}

/// The arguments can't be used.
pub fn usage() -> Vec<Span> {
    vec![
        text("Usage: "),
        command("notify status|all|done|off"),
        text(" or "),
        command("notify digest [daily 9:00|weekly mon 9:00]"),
        text(" for this channel, or "),
        command("notify SCRUM-123 off"),
        text(" for one issue, or "),
        command("notify keys on|off"),
        text(" for messages that mention issue keys."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_assigned_is_told_by_name_only_where_names_may_be_read() {
        let key = IssueKey::parse("SCRUM-1").unwrap();
        let line = |from: &str, to: &str, names: bool| {
            let part =
                Part { kind: Kind::Assignee, from: from.into(), to: to.into(), set_by: Some("Ada".into()) };
            match &change(&key, &part, "", names)[1] {
                Span::Text(text) => text.trim_start_matches(": ").to_owned(),
                other => panic!("{other:?}"),
            }
        };
        for (from, to, named, nameless) in [
            ("", "Grace", "assigned to Grace (Ada)", "assigned"),
            ("Grace", "Linus", "assignee Grace → Linus (Ada)", "assignee changed"),
            ("Grace", "", "unassigned, was Grace (Ada)", "unassigned"),
        ] {
            assert_eq!([line(from, to, true), line(from, to, false)], [named, nameless]);
        }
    }
}
