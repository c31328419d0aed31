//! What Slack's events say of channels: <https://docs.slack.dev/reference/events>. What isn't about a channel is none.

use serde::Deserialize;

use maro_domain::ids::ChannelId;

/// Something that happened to a channel, and the id of the event that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEvent {
    pub id: String,
    pub what: ChannelNews,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelNews {
    /// It has another id, because it became private or public or moved within an organisation.
    Moved {
        old: ChannelId,
        new: ChannelId,
    },
    Archived(ChannelId),
    Unarchived(ChannelId),
    Deleted(ChannelId),
    /// The bot was removed from it.
    Left(ChannelId),
    /// Somebody, maybe the bot, was added to it: the bot hears of that only where it is.
    Joined(ChannelId),
    Renamed(ChannelId),
}

#[derive(Deserialize)]
struct Envelope {
    event_id: String,
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    old_channel_id: Option<String>,
    new_channel_id: Option<String>,
    channel: Option<Channel>,
}

/// Some events have the whole channel.
#[derive(Deserialize)]
#[serde(untagged)]
enum Channel {
    Id(String),
    Whole { id: String },
}

/// Reads an event's body.
pub fn parse(body: &[u8]) -> Option<ChannelEvent> {
    let Envelope { event_id, event } = serde_json::from_slice(body).ok()?;
    let id = |text: Option<String>| ChannelId::parse(&text?).ok();
    let channel = match event.channel {
        Some(Channel::Id(id) | Channel::Whole { id }) => ChannelId::parse(&id).ok(),
        None => None,
    };
    let what = match event.kind.as_str() {
        "channel_id_changed" => {
            ChannelNews::Moved { old: id(event.old_channel_id)?, new: id(event.new_channel_id)? }
        }
        "channel_archive" | "group_archive" => ChannelNews::Archived(channel?),
        "channel_unarchive" | "group_unarchive" => ChannelNews::Unarchived(channel?),
        "channel_deleted" | "group_deleted" => ChannelNews::Deleted(channel?),
        "channel_left" | "group_left" => ChannelNews::Left(channel?),
        "member_joined_channel" => ChannelNews::Joined(channel?),
        "channel_rename" | "group_rename" => ChannelNews::Renamed(channel?),
        _ => return None,
    };
    (!event_id.is_empty()).then_some(ChannelEvent { id: event_id, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn news(event: Value) -> Option<ChannelNews> {
        let body = json!({ "type": "event_callback", "event_id": "Ev1", "event": event }).to_string();
        parse(body.as_bytes()).map(|event| event.what)
    }

    #[test]
    fn what_happens_to_a_channel_is_read() {
        let id = |text: &str| ChannelId::parse(text).unwrap();
        let moved = json!({ "type": "channel_id_changed", "old_channel_id": "G1", "new_channel_id": "C1", "event_ts": "1.2" });
        assert_eq!(news(moved), Some(ChannelNews::Moved { old: id("G1"), new: id("C1") }));
        for (kind, expected) in [
            ("channel_archive", ChannelNews::Archived(id("C1"))),
            ("group_unarchive", ChannelNews::Unarchived(id("C1"))),
            ("channel_deleted", ChannelNews::Deleted(id("C1"))),
            ("group_left", ChannelNews::Left(id("C1"))),
            ("member_joined_channel", ChannelNews::Joined(id("C1"))),
        ] {
            assert_eq!(news(json!({ "type": kind, "channel": "C1", "user": "U1" })), Some(expected));
        }
        let renamed =
            json!({ "type": "channel_rename", "channel": { "id": "C1", "name": "docks", "created": 1 } });
        assert_eq!(news(renamed), Some(ChannelNews::Renamed(id("C1"))));
        for other in [
            json!({ "type": "app_mention", "channel": "C1" }),
            json!({ "type": "channel_archive" }),
            json!({}),
            json!(7),
        ] {
            assert_eq!(news(other.clone()), None, "{other}");
        }
        assert_eq!(parse(b"nonsense"), None);
    }
}
