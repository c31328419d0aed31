//! `/maro track SCRUM-123 […]`: looks up every key in Jira in one go and adds what it finds to the channel's
//! list.

use maro_plugin::{
    Description, IssueKey, Plugin, Reply, RunError,
    jira::{self, Finding, Issue},
    keys::{self, Words},
    register,
    reply::{Line, details, issue, moved},
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
        let words = keys::parse_on_site(arguments)?;
        track(&words).map_err(|error| words.explain(error))
    }
}

register!(Track);

fn track(words: &Words) -> Result<Reply, RunError> {
    let findings = jira::look_up(&words.keys())?;
    let outcomes = tracker_edit::track(&present_keys(&findings))?;
    Ok(reply(words, &findings, &outcomes))
}

/// The keys that the issues found have now, each once: several words may be keys of one issue.
fn present_keys(findings: &[Finding]) -> Vec<IssueKey> {
    let mut keys: Vec<IssueKey> = Vec::new();
    for issue in findings.iter().filter_map(found) {
        if !keys.contains(&issue.key) {
            keys.push(issue.key.clone());
        }
    }
    keys
}

/// `findings` are the answers for the keys among `words`, `outcomes` the tracker's for the issues found.
fn reply(words: &Words, findings: &[Finding], outcomes: &[TrackOutcome]) -> Reply {
    let changed = outcomes.contains(&TrackOutcome::Tracked);
    let reply = if changed { Reply::to_channel() } else { Reply::to_caller() };

    let keys = present_keys(findings);
    let mut told: Vec<&IssueKey> = Vec::new();
    let mut findings = findings.iter();
    reply.lines(words.lines_each(|key| match findings.next() {
        Some(Finding::Found(issue)) => {
            let mut lines = Vec::new();
            if !told.contains(&&issue.key) {
                told.push(&issue.key);
                let outcome = keys.iter().position(|key| *key == issue.key).and_then(|at| outcomes.get(at));
                lines.push(line(issue, outcome));
            }
            if *key != issue.key {
                lines.push(moved(key, &issue.key));
            }
            lines
        }
        Some(Finding::Withheld(sentence)) => vec![spans![sentence.as_str()]],
        // What doesn't exist is no link.
        Some(Finding::Missing) | None => vec![spans![key.as_str(), " not found in Jira"]],
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

fn found(finding: &Finding) -> Option<&Issue> {
    match finding {
        Finding::Found(issue) => Some(issue),
        Finding::Missing | Finding::Withheld(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    fn known(key: &str, summary: &str) -> Finding {
        Finding::Found(Issue { key: key.into(), summary: summary.into(), status: "Open".into() })
    }

    #[test]
    fn every_word_has_its_line_in_the_order_given() {
        let words = keys::parse("SCRUM-123 foo! SCRUM-999 SCRUM-124").unwrap();
        let findings =
            [known("SCRUM-123", "User authentication flow"), Finding::Missing, known("SCRUM-124", "b")];
        let reply = reply(&words, &findings, &[TrackOutcome::Tracked, TrackOutcome::AlreadyTracked]);
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
    fn a_key_that_may_not_be_shown_hides_no_other() {
        let words = keys::parse("SECRET-1 SCRUM-124").unwrap();
        let withheld = Finding::Withheld("SECRET-1 can't be shown in this channel.".into());
        let reply = reply(&words, &[withheld, known("SCRUM-124", "b")], &[TrackOutcome::Tracked]);
        assert_eq!(
            reply.preview(),
            "SECRET-1 can't be shown in this channel.\nNow tracking SCRUM-124: b (Open)"
        );
    }

    #[test]
    fn moved_issues_are_shown_with_their_new_key() {
        let words = keys::parse("OLD-1 OLDER-1").unwrap();
        let findings = [known("NEW-7", "Sign-up form"), known("NEW-7", "Sign-up form")];
        let told = reply(&words, &findings, &[TrackOutcome::Tracked]);
        assert_eq!(
            told.preview(),
            "Now tracking NEW-7: Sign-up form (Open)\nOLD-1 is now NEW-7\nOLDER-1 is now NEW-7"
        );
        let words = keys::parse("OLD-1 B-2 NEW-7").unwrap();
        let findings = [known("NEW-7", "Sign-up form"), known("B-2", "b"), known("NEW-7", "Sign-up form")];
        let told = reply(&words, &findings, &[TrackOutcome::AlreadyTracked, TrackOutcome::Tracked]);
        assert_eq!(
            told.preview(),
            "NEW-7 is already tracked in this channel\nOLD-1 is now NEW-7\nNow tracking B-2: b (Open)"
        );
    }

    #[test]
    fn the_channel_sees_only_changes() {
        let words = keys::parse("SCRUM-123").unwrap();
        for (finding, outcomes) in [
            (known("SCRUM-123", "a"), &[TrackOutcome::AlreadyTracked][..]),
            (known("SCRUM-123", "a"), &[TrackOutcome::Unconfirmed]),
            (Finding::Missing, &[]),
        ] {
            assert_eq!(reply(&words, &[finding], outcomes).visibility, Visibility::Caller);
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
