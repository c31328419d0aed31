//! Messages of people in channels, as far as they may name issues:
//! <https://docs.slack.dev/reference/events/message.channels>.

use crate::events::{envelope::Envelope, message::MessageEvent};
use maro_domain::{
    ids::{ChannelId, TeamId, UserId},
    issue::IssueKey,
};

/// The longest message that is read, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// The most keys that are read of a message. What looks like one needn't be one.
const MAX_KEYS: usize = 8;

/// What surrounds code of several lines, where keys are other people's.
const FENCE: &str = "```";

/// What somebody wrote in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKeys {
    pub user: UserId,
    pub team: Option<TeamId>,
    pub channel: ChannelId,
    pub ts: String,
    /// The thread that it's in, if it is a reply.
    pub thread_ts: Option<String>,
    /// What may be keys, in order, each once.
    pub keys: Vec<IssueKey>,
}

/// Reads a message. `None` for what no person writes in a channel, and for messages without a key. Links don't count:
/// of those Slack tells elsewhere. Neither does a message that mentions the app, which is answered with help.
pub(super) fn read(envelope: &Envelope, event: MessageEvent) -> Option<NamedKeys> {
    let is_in_channel = matches!(event.channel_type.as_deref(), Some("channel" | "group"));
    let is_persons =
        event.app_id.is_none() && event.is_written(&["file_share", "thread_broadcast", "me_message"]);
    if !is_in_channel || !is_persons {
        return None;
    }
    let text = event.text.filter(|text| text.len() <= MAX_TEXT)?;
    let is_mentioned = |user: &String| text.contains(&format!("<@{user}"));
    if envelope.authorized_users()?.iter().any(is_mentioned) {
        return None;
    }
    let keys = keys_in(&text);
    (!keys.is_empty()).then_some(NamedKeys {
        user: UserId::parse(&event.user?).ok()?,
        team: envelope.team(),
        channel: ChannelId::parse(&event.channel?).ok()?,
        ts: event.ts.filter(|ts| !ts.is_empty())?,
        thread_ts: event.thread_ts,
        keys,
    })
}

/// Words that are written as keys: in capitals, with nothing around them but punctuation.
fn keys_in(text: &str) -> Vec<IssueKey> {
    let mut keys: Vec<IssueKey> = Vec::new();
    // What stands between fences is every second piece.
    let said = text.split(FENCE).step_by(2).flat_map(words);
    for word in said {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        if word.bytes().any(|byte| byte.is_ascii_lowercase()) {
            continue;
        }
        if let Ok(key) = IssueKey::parse(word)
            && !keys.contains(&key)
        {
            keys.push(key);
        }
        if keys.len() == MAX_KEYS {
            break;
        }
    }
    keys
}

/// The words of a text in Slack's markup, without what Slack writes between `<` and `>`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split('<').enumerate().map(|(number, piece)| match number {
        0 => piece,
        _ => piece.split_once('>').map_or("", |(_, after)| after),
    });
    let separates = |letter: char| matches!(letter, ',' | ';' | '|' | '/' | '(' | ')' | '&' | '\'' | '’');
    let said = pieces.flat_map(str::split_whitespace).filter(|word| !word.contains("://"));
    said.flat_map(move |word| word.split(separates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{self, News};
    use serde_json::{Value, json};

    fn parse(body: &[u8]) -> Option<NamedKeys> {
        match event::parse(body).ok()?.news? {
            News::Named(found) => Some(found),
            _ => None,
        }
    }

    fn named(change: Value) -> Option<NamedKeys> {
        let mut event = json!({ "type": "message", "channel_type": "channel", "channel": "C1", "user": "U1",
            "text": "SCRUM-1 is odd", "ts": "1.2" });
        event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        parse(json!({ "team_id": "T1", "event": event }).to_string().as_bytes())
    }

    #[test]
    fn what_mentions_the_app_is_answered_elsewhere() {
        let body = |text: &str| {
            let event = json!({ "type": "message", "channel_type": "channel", "channel": "C1", "user": "U1",
                "text": text, "ts": "1.2" });
            let known = json!([{ "team_id": "T1", "user_id": "U0BOT", "is_bot": true }, { "user_id": null }]);
            json!({ "team_id": "T1", "authorizations": known, "event": event }).to_string()
        };
        assert_eq!(parse(body("<@U0BOT> SCRUM-1").as_bytes()), None);
        assert_eq!(parse(body("see <@U0BOT|maro>, SCRUM-1").as_bytes()), None);
        assert!(parse(body("<@U2> SCRUM-1").as_bytes()).is_some());
    }

    fn keys(text: &str) -> Vec<String> {
        keys_in(text).into_iter().map(IssueKey::into_string).collect()
    }

    #[test]
    fn what_people_write_in_channels_is_read() {
        let said = named(json!({ "thread_ts": "1.0", "channel_type": "group", "channel": "G1" })).unwrap();
        assert_eq!((said.ts.as_str(), said.thread_ts.as_deref(), said.keys.len()), ("1.2", Some("1.0"), 1));
        for other in [
            json!({ "bot_id": "B1" }),
            json!({ "app_id": "A1" }),
            json!({ "subtype": "message_changed" }),
            json!({ "subtype": "channel_topic" }),
            json!({ "hidden": true }),
            json!({ "channel_type": "im" }),
            json!({ "channel_type": "mpim" }),
            json!({ "type": "app_mention" }),
            json!({ "user": null }),
            json!({ "text": "nothing to see" }),
            json!({ "text": "A-1 ".repeat(5_000) }),
        ] {
            assert_eq!(named(other.clone()), None, "{other}");
        }
        assert_eq!(parse(b"nonsense"), None);
    }

    #[test]
    fn a_key_is_a_word_of_its_own_in_capitals() {
        assert_eq!(
            keys("Is SCRUM-1's twin (or *OPS-22*) done? SCRUM-1, `DATA_2-3`; R2D2-4/R2D2-5 & A-6."),
            ["SCRUM-1", "OPS-22", "DATA_2-3", "R2D2-4", "R2D2-5", "A-6"]
        );
        for none in [
            "scrum-1 Scrum-2 SCRUM-0 SCRUM-01 SCRUM- -1 1-2 feature_SCRUM-12_fix SCRUM-1-2 v1.2-3",
            "<https://x.example/browse/SCRUM-1> <https://x.example/SCRUM-2|SCRUM-2> <@U1|ADA-1>",
            "https://x.example?a=SCRUM-1 https://x.example/browse/SCRUM-1",
            "```\nERROR SCRUM-1\n``` and so on",
            "```SCRUM-1 without an end",
            "",
        ] {
            assert_eq!(keys(none), [""; 0], "{none}");
        }
        assert_eq!(keys("```a``` SCRUM-1 ```SCRUM-2```"), ["SCRUM-1"]);
        assert_eq!(keys(&(1..20).map(|number| format!("A{number}-1 ")).collect::<String>()).len(), MAX_KEYS);
    }
}
