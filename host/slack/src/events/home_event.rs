//! That somebody opens the app's Home tab: <https://docs.slack.dev/reference/events/app_home_opened>.

use serde::Deserialize;

use crate::events::envelope::Envelope;
use maro_domain::ids::{ChannelId, UserId};

/// Who opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeOpened {
    pub user: UserId,
    /// Their conversation with MARO.
    pub conversation: ChannelId,
}

#[derive(Deserialize)]
struct AppHomeOpened {
    user: Option<String>,
    channel: Option<String>,
    /// Of the tabs of an app, the conversation is one, too.
    tab: Option<String>,
}

/// Reads an `app_home_opened`. `None` for another tab.
pub(super) fn read(envelope: &Envelope) -> Option<HomeOpened> {
    let event: AppHomeOpened = envelope.event()?;
    if event.tab.is_some_and(|tab| tab != "home") {
        return None;
    }
    Some(HomeOpened {
        user: UserId::parse(&event.user?).ok()?,
        conversation: ChannelId::parse(&event.channel?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::{self, News};
    use serde_json::{Value, json};

    fn parse(body: &[u8]) -> Option<HomeOpened> {
        match event::parse(body).ok()?.news? {
            News::Home(found) => Some(found),
            _ => None,
        }
    }

    fn opened(event: Value) -> Option<HomeOpened> {
        parse(json!({ "type": "event_callback", "event_id": "Ev1", "event": event }).to_string().as_bytes())
    }

    #[test]
    fn the_home_tab_is_told_from_the_others() {
        let event =
            |tab: &str| json!({ "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": tab });
        let home = opened(event("home")).unwrap();
        assert_eq!((home.user.as_str(), home.conversation.as_str()), ("U1", "D1"));
        assert_eq!(opened(event("messages")), None);
        assert_eq!(opened(json!({ "type": "app_mention", "user": "U1", "channel": "C1" })), None);
        assert_eq!(opened(json!({ "type": "app_home_opened", "user": "U1" })), None);
        assert_eq!(parse(b"nonsense"), None);
    }
}
