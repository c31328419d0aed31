//! `POST /slack/events`: proves to Slack that the address is ours, and hears what becomes of channels, what people say to
//! MARO, and which links they share.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::server::{
    authentication::signed::{Signed, SignedBody},
    messages::{strangers, to_maro},
    slack::{channel_events, home},
    state::BotState,
};
use maro_slack::{
    events::addressed::{self, Addressed},
    events::channel_event::{self, ChannelEvent},
    events::home_event::{self, HomeOpened},
    events::named_keys::{self, NamedKeys},
    events::sender::{EventAuthor, Sender},
    events::shared_links::{self, SharedLinks},
};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    UrlVerification {
        challenge: String,
    },
    #[serde(rename = "event_callback")]
    Callback {
        #[serde(flatten)]
        sender: Box<EventSender>,
        /// What it says of a channel.
        #[serde(skip)]
        of_channel: Option<ChannelEvent>,
        /// What somebody says to MARO with it.
        #[serde(skip)]
        addressed: Option<Box<Addressed>>,
        /// The links in a message that may be shown.
        #[serde(skip)]
        links: Option<Box<SharedLinks>>,
        /// The issues that a message in a channel may name.
        #[serde(skip)]
        named: Option<Box<NamedKeys>>,
        /// Whose Home tab was opened with it.
        #[serde(skip)]
        home: Option<HomeOpened>,
    },
    #[serde(other)]
    Other,
}

/// Whose event it is.
#[derive(Deserialize)]
pub(crate) struct EventSender {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    event: Option<EventAuthor>,
}

impl SignedBody for Event {
    const ADDRESS: &'static str = "/slack/events";
    const MALFORMED: &'static str = "The request isn't an event.\n";

    type Error = serde_json::Error;

    /// What changes something does so once for each event's id, and Slack repeats what it takes for lost.
    fn may_come_again(&self) -> bool {
        true
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, serde_json::Error> {
        let mut event = serde_json::from_slice(body)?;
        if let Self::Callback { of_channel, addressed, links, named, home, .. } = &mut event {
            *of_channel = channel_event::parse(body);
            *addressed = addressed::parse(body).map(Box::new);
            *links = shared_links::parse(body).map(Box::new);
            *named = named_keys::parse(body).map(Box::new);
            *home = home_event::parse(body);
        }
        Ok(event)
    }
}

pub(crate) async fn receive(State(state): State<Arc<BotState>>, Signed(event, _): Signed<Event>) -> Response {
    match event {
        Event::UrlVerification { challenge } => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Event::Callback { sender, of_channel, addressed, links, named, home } => {
            let EventSender { team_id, enterprise_id, event } = *sender;
            let user_team = event.and_then(EventAuthor::team);
            let sender = Sender { team: team_id, user_team, enterprise: enterprise_id };
            let Ok(foreign_team) = strangers::admit(&state, &sender).await else {
                if let Some(addressed) = addressed {
                    strangers::refuse_said(&state, *addressed);
                }
                return StatusCode::OK.into_response();
            };
            if let Some(addressed) = addressed {
                state.tasks.spawn(to_maro::answer(Arc::clone(&state), *addressed, foreign_team));
            }
            if let Some(links) = links {
                state.tasks.spawn(crate::server::messages::shared_links::show(Arc::clone(&state), *links));
            }
            if let Some(named) = named {
                state.tasks.spawn(crate::server::messages::named_keys::answer(Arc::clone(&state), *named));
            }
            if let Some(home) = home {
                state.tasks.spawn(home::show(Arc::clone(&state), home));
            }
            match of_channel {
                // Until it is written down, Slack has to send it again.
                Some(event) if channel_events::follow(&state, &event).await.is_err() => {
                    StatusCode::SERVICE_UNAVAILABLE.into_response()
                }
                _ => StatusCode::OK.into_response(),
            }
        }
        Event::Other => StatusCode::OK.into_response(),
    }
}
