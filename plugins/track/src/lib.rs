//! `/maro track SCRUM-123 […]`: looks up every key in Jira in one go and adds what it finds to the channel's
//! list.

use maro_plugin::{
    Description, IssueKey, Plugin, Reply, RunError,
    jira::{self, Issue, Lookup},
    keys::{self, Words},
    register,
    reply::{Line, details, issue},
    spans,
    tracker_edit::{self, TrackOutcome},
};

struct Track;

impl Plugin for Track {
    fn describe() -> Description {
        Description {
            name: "track",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Track Jira issues in this channel",
            usage: "KEY [KEY …]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let words = keys::parse(arguments)?;
        track(&words).map_err(|error| words.explain(error))
    }
}

register!(Track);

fn track(words: &Words) -> Result<Reply, RunError> {
    let lookups = jira::get_issues(&words.keys())?;
    let found: Vec<IssueKey> = lookups.iter().filter_map(found).map(|issue| issue.key.clone()).collect();
    let outcomes = tracker_edit::track(&found)?;
    Ok(reply(words, &lookups, &outcomes))
}

/// `lookups` are Jira's answers for the keys among `words`, `outcomes` the tracker's for the keys found.
fn reply(words: &Words, lookups: &[Lookup], outcomes: &[TrackOutcome]) -> Reply {
    let changed = outcomes.contains(&TrackOutcome::Tracked);
    let reply = if changed { Reply::to_channel() } else { Reply::to_caller() };

    let mut lookups = lookups.iter();
    let mut outcomes = outcomes.iter();
    reply.lines(words.lines(|key| match lookups.next().and_then(found) {
        Some(issue) => line(issue, outcomes.next()),
        None => spans![issue(key), " not found in Jira"],
    }))
}

/// A moved issue is shown with its new key, which is the one that's tracked.
fn line(found: &Issue, outcome: Option<&TrackOutcome>) -> Line {
    let key = issue(&found.key);
    match outcome {
        Some(TrackOutcome::Tracked) => spans!["Now tracking ", key, details(&found.summary, &found.status)],
        Some(TrackOutcome::AlreadyTracked) => spans![key, " is already tracked in this channel"],
        Some(TrackOutcome::Unconfirmed) | None => spans!["Couldn't track ", key],
    }
}

fn found(lookup: &Lookup) -> Option<&Issue> {
    match lookup {
        Lookup::Found(issue) => Some(issue),
        Lookup::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    fn known(key: &str, summary: &str) -> Lookup {
        Lookup::Found(Issue { key: key.into(), summary: summary.into(), status: "Open".into() })
    }

    #[test]
    fn every_word_has_its_line_in_the_order_given() {
        let words = keys::parse("SCRUM-123 foo! SCRUM-999 SCRUM-124").unwrap();
        let lookups =
            [known("SCRUM-123", "User authentication flow"), Lookup::Missing, known("SCRUM-124", "b")];
        let reply = reply(&words, &lookups, &[TrackOutcome::Tracked, TrackOutcome::AlreadyTracked]);
        assert_eq!(
            reply.preview(),
            "Now tracking SCRUM-123: User authentication flow (Open)\n\
             `foo!` is not an issue key\n\
             SCRUM-999 not found in Jira\n\
             SCRUM-124 is already tracked in this channel"
        );
        assert_eq!(reply.visibility, Visibility::Channel);
    }

    #[test]
    fn moved_issues_are_shown_with_their_new_key() {
        let words = keys::parse("OLD-1 OLDER-1").unwrap();
        let lookups = [known("NEW-7", "Sign-up form"), known("NEW-7", "Sign-up form")];
        let reply = reply(&words, &lookups, &[TrackOutcome::Tracked, TrackOutcome::AlreadyTracked]);
        assert_eq!(
            reply.preview(),
            "Now tracking NEW-7: Sign-up form (Open)\nNEW-7 is already tracked in this channel"
        );
    }

    #[test]
    fn the_channel_sees_only_changes() {
        let words = keys::parse("SCRUM-123").unwrap();
        for (lookup, outcomes) in [
            (known("SCRUM-123", "a"), &[TrackOutcome::AlreadyTracked][..]),
            (known("SCRUM-123", "a"), &[TrackOutcome::Unconfirmed]),
            (Lookup::Missing, &[]),
        ] {
            assert_eq!(reply(&words, &[lookup], outcomes).visibility, Visibility::Caller);
        }
    }

    #[test]
    fn without_any_key_the_host_is_not_called() {
        // Outside a component, calling the host panics.
        let reply = Track::run("foo! bar").unwrap();
        assert_eq!(reply.preview(), "`foo!` is not an issue key\n`bar` is not an issue key");
        assert_eq!(reply.visibility, Visibility::Caller);
        assert!(matches!(Track::run(" "), Err(RunError::Usage(_))));
    }
}
