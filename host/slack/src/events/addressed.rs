//! What people say to MARO without a command: a message in a conversation with it, or one that mentions it.

use crate::events::{envelope::Envelope, message::MessageEvent};
use maro_domain::ids::{ChannelId, TeamId, UserId};

/// The longest message that is read, in bytes. Commands are shorter.
const MAX_TEXT: usize = 16 * 1024;

/// A message to MARO.
/// What Slack itself says is of this user, without a `bot_id`.
const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The same each time that Slack sends the event.
    pub event_id: String,
    pub user: UserId,
    pub channel: ChannelId,
    pub team: Option<TeamId>,
    /// In Slack's markup, without the mention at its start. Empty if it's too long to be read.
    pub text: String,
    pub ts: String,
    /// The thread that it's in, if it is a reply.
    pub thread_ts: Option<String>,
    /// Whether it stands in the conversation between the person and MARO. Otherwise it mentions MARO in a channel.
    pub is_direct: bool,
    /// Whether it was changed after it was sent. Slack tells of a mention again then.
    pub is_edited: bool,
}

/// Reads a message or a mention. `None` for what no person says to MARO.
pub(super) fn read(envelope: &Envelope, event: MessageEvent) -> Option<Addressed> {
    let channel = ChannelId::parse(event.channel.as_deref()?).ok()?;
    let is_direct = match event.kind.as_str() {
        "app_mention" => false,
        "message" if event.is_direct() && channel.is_direct_message() => true,
        _ => return None,
    };
    let is_edited = event.is_edited();
    let is_persons = event.is_written(&["file_share", "thread_broadcast", "me_message"])
        && !event.user.as_deref().is_some_and(|user| user == SLACKBOT || envelope.is_of_bot(user));
    let text = event.text.filter(|text| text.len() <= MAX_TEXT).unwrap_or_default();
    is_persons.then_some(Addressed {
        event_id: envelope.id()?,
        user: UserId::parse(&event.user?).ok()?,
        channel,
        team: envelope.team(),
        text: without_mention(&text).to_owned(),
        ts: event.ts?,
        thread_ts: event.thread_ts,
        is_direct,
        is_edited,
    })
}

fn without_mention(text: &str) -> &str {
    let text = text.trim();
    let rest = text.strip_prefix("<@").and_then(|rest| rest.split_once('>'));
    rest.map_or(text, |(_, rest)| rest.trim_start_matches([',', ':']).trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{self, News};
    use serde_json::{Value, json};

    fn parse(body: &[u8]) -> Option<Addressed> {
        match event::parse(body).ok()?.news? {
            News::Addressed(found) => Some(found),
            _ => None,
        }
    }

    fn addressed(event: Value) -> Option<Addressed> {
        let body = json!({ "type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event });
        parse(body.to_string().as_bytes())
    }

    fn direct(more: Value) -> Option<Addressed> {
        let mut event = json!({ "type": "message", "channel_type": "im", "channel": "D1", "user": "U1",
            "text": "tracked", "ts": "1.2" });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        addressed(event)
    }

    #[test]
    fn what_people_say_to_maro_is_read() {
        let said = direct(json!({})).unwrap();
        assert!(said.is_direct && said.text == "tracked" && said.thread_ts.is_none(), "{said:?}");
        let mention = json!({ "type": "app_mention", "channel": "C1", "user": "U1", "ts": "3.4", "thread_ts": "1.2",
            "text": "<@U0BOT|maro>: what can you do?" });
        let said = addressed(mention).unwrap();
        assert_eq!((said.is_direct, said.text.as_str()), (false, "what can you do?"));
        assert_eq!(said.thread_ts.as_deref(), Some("1.2"));
        for subtype in ["file_share", "me_message"] {
            assert_eq!(direct(json!({ "subtype": subtype })).unwrap().text, "tracked");
        }
        assert_eq!(direct(json!({ "text": "x".repeat(MAX_TEXT + 1) })).unwrap().text, "");
    }

    #[test]
    fn what_no_person_says_is_left_alone() {
        for other in [
            json!({ "bot_id": "B1" }),
            json!({ "subtype": "message_changed" }),
            json!({ "subtype": "bot_message" }),
            json!({ "hidden": true }),
            json!({ "user": null }),
            json!({ "user": "USLACKBOT" }),
            json!({ "channel_type": "channel" }),
            json!({ "channel": "C1" }),
            json!({ "type": "reaction_added" }),
        ] {
            assert_eq!(direct(other.clone()), None, "{other}");
        }
        // MARO's own, in whatever way they come.
        let body = |user: &str| {
            let known = json!([{ "user_id": user, "is_bot": true }]);
            let event = json!({ "type": "message", "channel_type": "im", "channel": "D1", "user": "U1",
                "text": "tracked", "ts": "1.2" });
            json!({ "event_id": "Ev1", "authorizations": known, "event": event }).to_string()
        };
        assert_eq!(parse(body("U1").as_bytes()), None);
        assert!(parse(body("U0BOT").as_bytes()).is_some());
        assert_eq!(parse(b"nonsense"), None);
    }
}
