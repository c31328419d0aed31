//! `/maro untrack SCRUM-123 […]`: removes issues from the channel's list, by whichever key they have or had. Works even
//! when Jira is down.

use maro_plugin::{
    Description, IssueKey, Plugin, Reply, RunError,
    jira::{self, Finding},
    keys::{self, Words},
    register,
    reply::{issue, moved},
    spans, tracker,
    tracker_edit::{self, UntrackOutcome},
};

mod many;

use crate::many::Request;

/// How many issues of the list are looked at.
const MOST_LISTED: u32 = 200;

struct Untrack;

impl Plugin for Untrack {
    fn describe() -> Description {
        Description {
            name: "untrack",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Stop tracking Jira issues in this channel",
            usage: "KEY [KEY …] | all | done",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        if let Some(request) = Request::parse(arguments) {
            return request.run();
        }
        let words = keys::parse_on_site(arguments)?;
        untrack(&words).map_err(|error| words.explain(error))
    }
}

register!(Untrack);

/// Jira is asked only about keys that aren't on the list and that one of its issues may have had. If it can't be, they
/// aren't tracked as far as is known.
fn untrack(words: &Words) -> Result<Reply, RunError> {
    let keys = words.keys();
    let mut answers: Vec<Answer> = tracker_edit::untrack(&keys)?.into_iter().map(Answer::as_typed).collect();
    let rest: Vec<IssueKey> = keys
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| !answer.is_untracked)
        .map(|(key, _)| key.clone())
        .collect();
    if rest.is_empty() {
        return Ok(reply(words, &answers));
    }
    let removed: Vec<&IssueKey> =
        keys.iter().zip(&answers).filter(|(_, answer)| answer.is_untracked).map(|(key, _)| key).collect();
    let followed = follow(&rest, &removed);
    // What was removed by then is told, whatever fails later.
    let Followed { findings, untracked: by_present_key } = match followed {
        Err(error) if rest.len() == keys.len() => return Err(error),
        Err(_) | Ok(None) => return Ok(reply(words, &answers)),
        Ok(Some(followed)) => followed,
    };
    let as_typed = keys.iter().zip(&answers).filter(|(_, answer)| answer.is_untracked);
    let untracked: Vec<IssueKey> =
        by_present_key.into_iter().chain(as_typed.map(|(key, _)| key.clone())).collect();
    let mut findings = findings.iter();
    for (key, answer) in keys.iter().zip(&mut answers).filter(|(_, answer)| !answer.is_untracked) {
        let Some(present) = findings.next().and_then(present_key) else { continue };
        answer.is_untracked = untracked.contains(present);
        answer.moved_to = Some(present.clone()).filter(|present| present != key);
    }
    Ok(reply(words, &answers))
}

/// Keys that aren't on the list.
struct Followed {
    /// What Jira says of them.
    findings: Vec<Finding>,
    /// The present keys of issues that were on the list by these.
    untracked: Vec<IssueKey>,
}

/// Untracks issues by the keys that they have now. `None` if none of the list's can be among them, or if Jira doesn't
/// say so. `removed` were on the list until now.
fn follow(keys: &[IssueKey], removed: &[&IssueKey]) -> Result<Option<Followed>, RunError> {
    if !may_be_there(keys, removed)? {
        return Ok(None);
    }
    let Ok(findings) = jira::look_up(keys) else { return Ok(None) };
    let present: Vec<IssueKey> = findings.iter().filter_map(present_key).cloned().collect();
    let outcomes = tracker_edit::untrack(&present)?;
    let removed = present.into_iter().zip(outcomes);
    let removed = removed.filter(|(_, outcome)| *outcome == UntrackOutcome::Untracked);
    Ok(Some(Followed { findings, untracked: removed.map(|(key, _)| key).collect() }))
}

/// Whether one of these may be a former key of an issue of the list. A move changes the project, so a list of the same
/// project has none of them. Of a long list, that isn't known.
fn may_be_there(keys: &[IssueKey], removed: &[&IssueKey]) -> Result<bool, RunError> {
    let page = tracker::list_tracked(0, MOST_LISTED)?;
    let listed = || page.issues.iter().map(|row| &row.key).chain(removed.iter().copied());
    let is_of_others = |key: &IssueKey| listed().any(|listed| project(listed) != project(key));
    Ok(page.more || keys.iter().any(is_of_others))
}

fn project(key: &IssueKey) -> &str {
    key.rsplit_once('-').map_or(key, |(project, _)| project)
}

fn present_key(finding: &Finding) -> Option<&IssueKey> {
    match finding {
        Finding::Found(issue) => Some(&issue.key),
        Finding::Missing | Finding::Withheld(_) => None,
    }
}

/// What became of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Answer {
    is_untracked: bool,
    /// The key that the issue has now, if it's another.
    moved_to: Option<IssueKey>,
}

impl Answer {
    fn as_typed(outcome: UntrackOutcome) -> Self {
        Self { is_untracked: outcome == UntrackOutcome::Untracked, moved_to: None }
    }
}

/// `answers` are those for the keys among `words`.
fn reply(words: &Words, answers: &[Answer]) -> Reply {
    let changed = answers.iter().any(|answer| answer.is_untracked);
    let reply = if changed { Reply::to_channel() } else { Reply::to_caller() };

    let mut told: Vec<&IssueKey> = Vec::new();
    let typed = words.keys();
    let mut answers = typed.iter().zip(answers);
    reply.lines(words.lines_each(|_| {
        let Some((key, answer)) = answers.next() else { return Vec::new() };
        let present = answer.moved_to.as_ref().unwrap_or(key);
        let mut lines = Vec::new();
        if !told.contains(&present) {
            told.push(present);
            lines.push(if answer.is_untracked {
                spans!["Stopped tracking ", issue(present)]
            } else {
                spans![issue(present), " is not tracked in this channel"]
            });
        }
        if let Some(present) = &answer.moved_to {
            lines.push(moved(key, present));
        }
        lines
    }))
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    fn untracked() -> Answer {
        Answer::as_typed(UntrackOutcome::Untracked)
    }

    #[test]
    fn every_word_has_its_line_in_the_order_given() {
        let words = keys::parse("SCRUM-123, foo!, SCRUM-124").unwrap();
        let reply = reply(&words, &[untracked(), Answer::default()]);
        assert_eq!(
            reply.preview(),
            "Stopped tracking SCRUM-123\n`foo!` is not an issue key\nSCRUM-124 is not tracked in this channel"
        );
        assert_eq!(reply.visibility, Visibility::Channel);
    }

    #[test]
    fn the_channel_sees_only_changes() {
        let words = keys::parse("SCRUM-123").unwrap();
        assert_eq!(reply(&words, &[Answer::default()]).visibility, Visibility::Caller);
    }

    #[test]
    fn an_old_key_is_named_with_the_new_one() {
        let moved = |is_untracked| Answer { is_untracked, moved_to: Some("NEW-7".into()) };
        let words = keys::parse("OLD-1 NEW-7 OLDER-1").unwrap();
        let told = reply(&words, &[moved(true), untracked(), moved(true)]);
        assert_eq!(told.preview(), "Stopped tracking NEW-7\nOLD-1 is now NEW-7\nOLDER-1 is now NEW-7");
        let words = keys::parse("OLD-1").unwrap();
        let told = reply(&words, &[moved(false)]);
        assert_eq!(told.preview(), "NEW-7 is not tracked in this channel\nOLD-1 is now NEW-7");
        assert_eq!(told.visibility, Visibility::Caller);
    }

    #[test]
    fn without_any_key_the_host_is_not_called() {
        // Outside a component, calling the host panics.
        let reply = Untrack::run("foo!").unwrap();
        assert_eq!(reply.preview(), "`foo!` is not an issue key");
        assert!(matches!(Untrack::run(""), Err(RunError::Usage(_))));
    }
}
