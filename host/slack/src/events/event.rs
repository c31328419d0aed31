//! An event, read once: whom it comes from, and what MARO hears by it.

use serde::Deserialize;

use crate::events::{
    addressed::{self, Addressed},
    channel_event::{self, ChannelEvent},
    envelope::Envelope,
    home_event::{self, HomeOpened},
    message::MessageEvent,
    named_keys::{self, NamedKeys},
    sender::Sender,
    shared_links::{self, SharedLinks},
};

/// Something that happened in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Envelope")]
pub struct SlackEvent {
    /// The same each time that Slack sends the event. Empty if it has none.
    pub id: String,
    /// Such as `channel_id_changed`. Empty if there is no event.
    pub kind: String,
    pub sender: Sender,
    /// `None` if MARO leaves it alone.
    pub news: Option<News>,
}

/// What MARO hears by an event. Each type of event brings one kind of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Somebody says something to MARO.
    Addressed(Addressed),
    /// Something happened to a channel.
    OfChannel(ChannelEvent),
    /// Somebody opened their Home tab.
    Home(HomeOpened),
    /// Somebody shared links.
    Links(SharedLinks),
    /// Somebody may have named issues by their keys.
    Named(NamedKeys),
}

/// Reads the JSON of an event.
///
/// # Errors
/// It is none.
pub fn parse(json: &[u8]) -> Result<SlackEvent, serde_json::Error> {
    serde_json::from_slice(json)
}

impl TryFrom<Envelope> for SlackEvent {
    type Error = serde_json::Error;

    fn try_from(envelope: Envelope) -> Result<Self, serde_json::Error> {
        let (kind, sender) = envelope.head()?;
        let news = read(&kind, &envelope);
        Ok(Self { id: envelope.id().unwrap_or_default(), kind, sender, news })
    }
}

fn read(kind: &str, envelope: &Envelope) -> Option<News> {
    match kind {
        "app_mention" => addressed::read(envelope, envelope.event()?).map(News::Addressed),
        "message" => {
            let message: MessageEvent = envelope.event()?;
            match message.is_direct() {
                true => addressed::read(envelope, message).map(News::Addressed),
                false => named_keys::read(envelope, message).map(News::Named),
            }
        }
        "link_shared" => shared_links::read(envelope).map(News::Links),
        "app_home_opened" => home_event::read(envelope).map(News::Home),
        _ => channel_event::read(envelope).map(News::OfChannel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(body: &Value) -> Result<SlackEvent, serde_json::Error> {
        parse(body.to_string().as_bytes())
    }

    #[test]
    fn whatever_is_left_alone_still_says_whom_it_comes_from() {
        let other = event(&json!({ "event_id": "Ev1", "team_id": "T1", "enterprise_id": "E1",
            "event": { "type": "reaction_added", "user_team": "T9" } }))
        .unwrap();
        let sender = Sender {
            team: Some("T1".to_owned()),
            user_team: Some("T9".to_owned()),
            enterprise: Some("E1".to_owned()),
        };
        let expected =
            SlackEvent { id: "Ev1".to_owned(), kind: "reaction_added".to_owned(), sender, news: None };
        assert_eq!(other, expected);
    }

    #[test]
    fn what_only_one_type_needs_hinders_no_other() {
        let home = json!({ "event_id": 7, "event_time": "noon", "authorizations": "none",
            "event": { "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home" } });
        assert!(matches!(event(&home).unwrap().news, Some(News::Home(_))));
        assert_eq!(event(&json!({})).unwrap().kind, "");
        for none in
            [json!(7), json!({ "team_id": 7 }), json!({ "event": 7 }), json!({ "event": { "type": 7 } })]
        {
            assert!(event(&none).is_err(), "{none}");
        }
    }
}
