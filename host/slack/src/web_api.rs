//! The methods of Slack's Web API that MARO calls.
//!
//! Each group of methods has its file; how any of them is called is in `web_api/calling.rs`.

mod calling;
mod connector;
mod conversations;
pub mod error;
pub mod history;
mod home;
pub mod identity;
pub mod posting_once;
mod token;
mod unfurl;
pub mod user;
mod user_groups;

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use url::Url;

use crate::{
    config::SlackConfig,
    outgoing::message::Message,
    view::View,
    web_api::{
        calling::{Caller, Method},
        connector::api_token,
        error::ApiError,
        user::User,
    },
};
use maro_domain::ids::{ChannelId, UserId};
use maro_process::{metrics::calls::Calls, secret::Secret};

/// A trigger lasts three seconds, and some of that has passed.
const OPEN_VIEW: Method =
    Method { name: "views.open", deadline: Duration::from_millis(2_500), repeatable: false };
const UPDATE_VIEW: Method =
    Method { name: "views.update", deadline: Duration::from_secs(10), repeatable: true };
/// Slack accepts about one message per second and channel, so a burst has to wait.
const POST_MESSAGE: Method =
    Method { name: "chat.postMessage", deadline: Duration::from_secs(60), repeatable: false };
const GET_PERMALINK: Method =
    Method { name: "chat.getPermalink", deadline: Duration::from_secs(5), repeatable: true };
/// Creates an address for Socket Mode. It does no harm if nobody uses it.
const OPEN_CONNECTION: Method =
    Method { name: "apps.connections.open", deadline: Duration::from_secs(10), repeatable: true };
/// Somebody waits for it.
const USER_INFO: Method = Method { name: "users.info", deadline: Duration::from_secs(3), repeatable: true };

/// Calls Slack with the bot's token. One for the whole process: it keeps connections open.
pub struct SlackWebApi {
    caller: Caller,
}

/// An open modal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenedView {
    /// Identifies it to [`SlackWebApi::update_view`].
    pub id: String,
    #[serde(default)]
    pub hash: String,
}

/// The timestamp that identifies a message in its channel: `1503435956.000247`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTs(pub String);

/// Who can be in a channel. What Slack leaves out is false.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Conversation {
    pub name: Option<String>,
    pub is_private: bool,
    /// Whether people of other organizations are in it.
    pub is_ext_shared: bool,
    /// Whether such people have been invited.
    pub is_pending_ext_shared: bool,
    /// Whether the bot is in it.
    pub is_member: bool,
}

impl SlackWebApi {
    /// Doesn't connect yet.
    pub fn new(config: &SlackConfig) -> Self {
        Self::measured(config, Calls::default())
    }

    /// As [`SlackWebApi::new`], measured.
    pub fn measured(config: &SlackConfig, calls: Calls) -> Self {
        Self { caller: Caller::new(config, calls) }
    }

    /// Has every later call carry this token.
    pub fn replace_token(&self, bot_token: &Secret) {
        self.caller.replace_token(bot_token);
    }

    /// Whether Slack took the token when it was last used: the bot's, or the app's in a client that only opens sockets.
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.caller.token_state.acceptance()
    }

    /// How long the bot's token lasts, if Slack has said that it ends.
    pub fn token_lasts(&self) -> Option<Duration> {
        self.caller.token_state.lasts()
    }

    /// Waits until the token is replaced.
    pub async fn token_replaced(&self) {
        self.caller.token_state.replaced().await;
    }

    /// Shows a modal to the person who caused the trigger, within 2.5 s.
    ///
    /// # Errors
    /// [`ApiError::TriggerExpired`] if the trigger is older than three seconds or was used, or another
    /// [`ApiError`].
    pub async fn open_view(&self, trigger_id: &str, view: &View) -> Result<OpenedView, ApiError> {
        let request = json!({ "trigger_id": trigger_id, "view": view.to_json() });
        let answer: ViewAnswer = self.caller.post(OPEN_VIEW, &request).await?;
        Ok(answer.view)
    }

    /// Replaces an open view with `view`, whatever has happened to it in the meantime.
    ///
    /// # Errors
    /// [`ApiError::ViewGone`] if it is no longer open, or another [`ApiError`].
    pub async fn update_view(&self, view_id: &str, view: &View) -> Result<OpenedView, ApiError> {
        let request = json!({ "view_id": view_id, "view": view.to_json() });
        let answer: ViewAnswer = self.caller.post(UPDATE_VIEW, &request).await?;
        Ok(answer.view)
    }

    /// Posts a message to a channel, as a reply if `thread` is the timestamp of a message.
    ///
    /// # Errors
    /// [`ApiError`]. After [`ApiError::TimedOut`] and [`ApiError::Unreachable`], the message may have been posted.
    pub async fn post_message(
        &self,
        channel: &ChannelId,
        thread: Option<&str>,
        message: &Message,
    ) -> Result<MessageTs, ApiError> {
        let mut request = json!({ "channel": channel.as_str(), "text": message.text() });
        // A preview of each issue would bury the message.
        request["unfurl_links"] = json!(false);
        if let Some(thread) = thread {
            request["thread_ts"] = json!(thread);
        }
        if message.has_blocks() {
            request["blocks"] = message.blocks();
        }
        let answer: PostAnswer = self.caller.post(POST_MESSAGE, &request).await?;
        Ok(MessageTs(answer.ts))
    }

    /// The web address of a message.
    ///
    /// # Errors
    /// [`ApiError`]; an unknown message is [`ApiError::Refused`] with `message_not_found`.
    pub async fn get_permalink(&self, channel: &ChannelId, message_ts: &str) -> Result<String, ApiError> {
        let params = vec![("channel", Some(channel.as_str())), ("message_ts", Some(message_ts))];
        let answer: PermalinkAnswer = self.caller.get(GET_PERMALINK, &params).await?;
        Ok(answer.permalink)
    }

    /// What Slack says of a person, within 3 s.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without `users:read`.
    pub async fn get_user(&self, user: &UserId) -> Result<User, ApiError> {
        let params = vec![("user", Some(user.as_str()))];
        let answer: UserAnswer = self.caller.get(USER_INFO, &params).await?;
        Ok(answer.user)
    }

    /// A new address where one WebSocket can be opened. While it lasts, it is as good as a password.
    ///
    /// # Errors
    /// [`ApiError`]: [`ApiError::InvalidAuth`] and [`ApiError::MissingScope`] are about the app's token.
    pub async fn socket_address(&self, app_token: &Secret) -> Result<Url, ApiError> {
        let token = api_token(app_token);
        let answer: SocketAnswer = self.caller.post_as(&token, OPEN_CONNECTION, &json!({})).await?;
        Url::parse(&answer.url).ok().filter(|url| matches!(url.scheme(), "ws" | "wss")).ok_or_else(|| {
            ApiError::InvalidResponse { detail: "the address isn't a WebSocket address".to_owned() }
        })
    }

    /// The client that opens a socket at this address.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] if TLS needs root certificates and this machine has none.
    pub(crate) async fn client_for_socket(&self, address: &Url) -> Result<&reqwest::Client, ApiError> {
        self.caller.connector().for_socket(address).await
    }
}

#[derive(Deserialize)]
struct ViewAnswer {
    view: OpenedView,
}

#[derive(Deserialize)]
struct PostAnswer {
    ts: String,
}

#[derive(Deserialize)]
struct PermalinkAnswer {
    permalink: String,
}

#[derive(Deserialize)]
struct UserAnswer {
    user: User,
}

#[derive(Deserialize)]
struct SocketAnswer {
    url: String,
}
