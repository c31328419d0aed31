//! What Slack's events say of channels: <https://docs.slack.dev/reference/events>. What isn't about a channel is none.

use serde::Deserialize;
use serde_json::Value;

use crate::events::envelope::Envelope;
use maro_domain::ids::ChannelId;

/// Something that happened to a channel, and the id of the event that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEvent {
    pub id: String,
    /// When it happened by Slack's clock, in microseconds since 1970, if the event says so.
    pub happened_us: Option<i64>,
    pub what: ChannelNews,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelNews {
    /// It has another id, because it became private or public or moved within an organization.
    Moved {
        old: ChannelId,
        new: ChannelId,
    },
    Archived(ChannelId),
    Unarchived(ChannelId),
    Deleted(ChannelId),
    /// The bot was removed from it.
    Left(ChannelId),
    /// Somebody was added to it: the bot hears about that only where it is.
    Joined {
        channel: ChannelId,
        /// Whether it's the bot, as far as the event says for whom it is.
        is_bot: bool,
    },
    Renamed(ChannelId),
    /// People of another organization can be in it from now on, or can't any more.
    Shared(ChannelId),
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    old_channel_id: Option<String>,
    new_channel_id: Option<String>,
    channel: Option<Channel>,
    user: Option<Value>,
    event_ts: Option<String>,
}

/// Some events have the whole channel.
#[derive(Deserialize)]
#[serde(untagged)]
enum Channel {
    Id(String),
    Whole { id: String },
}

/// Reads what isn't an event of another kind. `None` if it isn't about a channel.
pub(super) fn read(envelope: &Envelope) -> Option<ChannelEvent> {
    let event: Event = envelope.event()?;
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
        "member_joined_channel" => {
            let user = event.user.as_ref().and_then(Value::as_str);
            let is_bot = user.is_some_and(|user| {
                envelope.authorized_users().is_some_and(|known| known.iter().any(|bot| bot == user))
            });
            ChannelNews::Joined { channel: channel?, is_bot }
        }
        "channel_rename" | "group_rename" => ChannelNews::Renamed(channel?),
        "channel_shared"
        | "channel_unshared"
        | "shared_channel_invite_accepted"
        | "shared_channel_invite_approved"
        | "shared_channel_invite_declined" => ChannelNews::Shared(channel?),
        _ => return None,
    };
    let happened_us = event.event_ts.as_deref().and_then(microseconds);
    let happened_us = happened_us.or_else(|| envelope.time()?.checked_mul(1_000_000));
    Some(ChannelEvent { id: envelope.id()?, happened_us, what })
}

/// A timestamp of Slack's, such as `1361482916.000003`.
fn microseconds(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let fraction = format!("{fraction:0<6}");
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction.get(..6)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{self, News};
    use serde_json::json;

    fn parse(body: &[u8]) -> Option<ChannelEvent> {
        match event::parse(body).ok()?.news? {
            News::OfChannel(found) => Some(found),
            _ => None,
        }
    }

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
            ("member_joined_channel", ChannelNews::Joined { channel: id("C1"), is_bot: false }),
            ("channel_shared", ChannelNews::Shared(id("C1"))),
            ("channel_unshared", ChannelNews::Shared(id("C1"))),
        ] {
            assert_eq!(news(json!({ "type": kind, "channel": "C1", "user": "U1" })), Some(expected));
        }
        let renamed =
            json!({ "type": "channel_rename", "channel": { "id": "C1", "name": "docks", "created": 1 } });
        assert_eq!(news(renamed), Some(ChannelNews::Renamed(id("C1"))));
        let joined = json!({ "type": "member_joined_channel", "channel": "C1", "user": "U0BOT" });
        let body = json!({ "event_id": "Ev1", "authorizations": [{ "user_id": "U0BOT" }], "event": joined });
        let itself = ChannelNews::Joined { channel: id("C1"), is_bot: true };
        assert_eq!(parse(body.to_string().as_bytes()).map(|event| event.what), Some(itself));
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

    #[test]
    fn when_it_happened_is_read_as_exactly_as_slack_says_it() {
        let happened = |event_ts: Value, event_time: Value| {
            let event = json!({ "type": "channel_archive", "channel": "C1", "event_ts": event_ts });
            let body = json!({ "event_id": "Ev1", "event_time": event_time, "event": event });
            parse(body.to_string().as_bytes()).unwrap().happened_us
        };
        assert_eq!(happened(json!("1361482916.000003"), json!(7)), Some(1_361_482_916_000_003));
        assert_eq!(happened(json!("1361482916.5"), json!(7)), Some(1_361_482_916_500_000));
        assert_eq!(happened(json!("soon"), json!(7)), Some(7_000_000));
        assert_eq!(happened(Value::Null, Value::Null), None);
    }
}
