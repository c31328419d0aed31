//! Links in messages that Slack asks the app to show: <https://docs.slack.dev/reference/events/link_shared>.

use serde::Deserialize;

use crate::events::envelope::Envelope;
use maro_domain::ids::{ChannelId, TeamId, UserId};

/// The most links that are looked at, and the longest.
const MAX_LINKS: usize = 20;
const MAX_URL_LENGTH: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLinks {
    /// Who wrote the message.
    pub user: UserId,
    pub team: Option<TeamId>,
    pub channel: ChannelId,
    pub message_ts: String,
    /// As Slack wants them back.
    pub urls: Vec<String>,
}

#[derive(Deserialize)]
struct LinkShared {
    source: Option<String>,
    user: Option<String>,
    channel: Option<String>,
    message_ts: Option<String>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

/// Reads a `link_shared`. `None` if it has no links in a message that was sent: while somebody still writes one, it
/// isn't known where it goes.
pub(super) fn read(envelope: &Envelope) -> Option<SharedLinks> {
    let event: LinkShared = envelope.event()?;
    if event.source.as_deref() == Some("composer") {
        return None;
    }
    let urls = event.links.into_iter().map(|link| link.url).filter(|url| url.len() <= MAX_URL_LENGTH);
    let urls: Vec<String> = urls.take(MAX_LINKS).collect();
    (!urls.is_empty()).then_some(SharedLinks {
        user: UserId::parse(&event.user?).ok()?,
        team: envelope.team(),
        channel: ChannelId::parse(&event.channel?).ok()?,
        message_ts: event.message_ts.filter(|ts| !ts.is_empty())?,
        urls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{self, News};
    use serde_json::json;

    fn parse(body: &[u8]) -> Option<SharedLinks> {
        match event::parse(body).ok()?.news? {
            News::Links(found) => Some(found),
            _ => None,
        }
    }

    #[test]
    fn links_of_sent_messages_are_read() {
        let event = |change: serde_json::Value| {
            let mut event = json!({
                "type": "link_shared", "user": "U1", "channel": "C1", "message_ts": "1.2", "unfurl_id": "C1.1.2",
                "source": "conversations_history", "is_bot_user_member": true,
                "links": [{ "domain": "example.net", "url": "https://example.net/browse/A-1" }],
            });
            event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            parse(json!({ "type": "event_callback", "team_id": "T1", "event": event }).to_string().as_bytes())
        };
        let links = event(json!({})).unwrap();
        assert_eq!(links.urls, ["https://example.net/browse/A-1"]);
        assert_eq!((links.channel.as_str(), links.message_ts.as_str()), ("C1", "1.2"));
        for change in [
            json!({ "source": "composer", "channel": "COMPOSER" }),
            json!({ "type": "message" }),
            json!({ "links": [] }),
            json!({ "message_ts": "" }),
            json!({ "user": null }),
        ] {
            assert_eq!(event(change.clone()), None, "{change}");
        }
    }
}
