//! `/maro untrack SCRUM-123 […]`: removes issues from the channel's list. Works even when Jira is down.

use maro_plugin::{
    Description, Plugin, Reply, RunError,
    keys::{self, Words},
    register,
    reply::issue,
    spans,
    tracker_edit::{self, UntrackOutcome},
};

struct Untrack;

impl Plugin for Untrack {
    fn describe() -> Description {
        Description {
            name: "untrack",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Stop tracking Jira issues in this channel",
            usage: "KEY [KEY …]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let words = keys::parse(arguments)?;
        match tracker_edit::untrack(&words.keys()) {
            Ok(outcomes) => Ok(reply(&words, &outcomes)),
            Err(error) => Err(words.explain(error.into())),
        }
    }
}

register!(Untrack);

/// `outcomes` are the tracker's answers for the keys among `words`.
fn reply(words: &Words, outcomes: &[UntrackOutcome]) -> Reply {
    let changed = outcomes.contains(&UntrackOutcome::Untracked);
    let reply = if changed { Reply::to_channel() } else { Reply::to_caller() };

    let mut outcomes = outcomes.iter();
    reply.lines(words.lines(|key| match outcomes.next() {
        Some(UntrackOutcome::Untracked) => spans!["Stopped tracking ", issue(key)],
        Some(UntrackOutcome::NotTracked) | None => spans![issue(key), " is not tracked in this channel"],
    }))
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    #[test]
    fn every_word_has_its_line_in_the_order_given() {
        let words = keys::parse("SCRUM-123, foo!, SCRUM-124").unwrap();
        let reply = reply(&words, &[UntrackOutcome::Untracked, UntrackOutcome::NotTracked]);
        assert_eq!(
            reply.preview(),
            "Stopped tracking SCRUM-123\n`foo!` is not an issue key\nSCRUM-124 is not tracked in this channel"
        );
        assert_eq!(reply.visibility, Visibility::Channel);
    }

    #[test]
    fn the_channel_sees_only_changes() {
        let words = keys::parse("SCRUM-123").unwrap();
        assert_eq!(reply(&words, &[UntrackOutcome::NotTracked]).visibility, Visibility::Caller);
    }

    #[test]
    fn without_any_key_the_host_is_not_called() {
        // Outside a component, calling the host panics.
        let reply = Untrack::run("foo!").unwrap();
        assert_eq!(reply.preview(), "`foo!` is not an issue key");
        assert!(matches!(Untrack::run(""), Err(RunError::Usage(_))));
    }
}
