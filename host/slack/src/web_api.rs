//! The methods of Slack's Web API that MARO calls.
//!
//! The client is slack-morphism's, but without three of its parts: its rate control, which would slow down
//! every call of the process to the pace of the slowest; its models of requests and answers, which reject an
//! answer because of a field that nobody reads; and its connections (see `web_api/connector.rs`). It has no
//! time-outs, so each call here has a deadline for all its attempts, and each attempt has one too.

mod connector;
mod conversations;
pub mod error;
pub mod history;
mod home;
pub mod identity;
pub mod notices;
mod token;
mod unfurl;
pub mod user;
mod user_groups;

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use slack_morphism::{SlackApiToken, SlackClient};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use url::Url;

use crate::{
    config::SlackConfig,
    outgoing::message::Message,
    view::View,
    web_api::{
        connector::{Connector, api_token, into_failure},
        error::ApiError,
        token::TokenState,
        user::User,
    },
};
use maro_domain::ids::{ChannelId, UserId};
use maro_process::{
    http::retry::{Backoff, Failure, Retry},
    live::Live,
    metrics::calls::Calls,
    outage::Outage,
    secret::Secret,
    telemetry::error_chain,
};

/// How many times one call is sent at most.
const MAX_ATTEMPTS: u32 = 4;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(60), certain: 0.0 };

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// A method of Slack's, and how long to try calling it.
#[derive(Debug, Clone, Copy)]
struct Method {
    name: &'static str,
    /// For all attempts together.
    deadline: Duration,
    /// Whether a second call does no harm, so that it is tried again even if the first may have worked.
    repeatable: bool,
}

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
    client: SlackClient<Connector>,
    token: Live<SlackApiToken>,
    /// How that token fares.
    token_state: TokenState,
    calls: Calls,
    outage: Outage,
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
    /// Whether people of other organisations are in it.
    pub is_ext_shared: bool,
    /// Whether such people have been invited.
    pub is_pending_ext_shared: bool,
}

impl SlackWebApi {
    /// Doesn't connect yet.
    pub fn new(config: &SlackConfig) -> Self {
        Self::measured(config, Calls::default())
    }

    /// As [`SlackWebApi::new`], measured.
    pub fn measured(config: &SlackConfig, calls: Calls) -> Self {
        let client = SlackClient::new(Connector::new(&config.api_url, &config.network));
        Self {
            client,
            token: Live::new(api_token(&config.bot_token)),
            token_state: TokenState::default(),
            calls,
            outage: Outage::default(),
        }
    }

    /// Has every later call carry this token.
    pub fn replace_token(&self, bot_token: &Secret) {
        let token = api_token(bot_token);
        if *self.token.get() != token {
            self.token.set(token);
            self.token_state.was_replaced();
        }
    }

    /// Whether Slack took the token when it was last used: the bot's, or the app's in a client that only opens sockets.
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.token_state.acceptance()
    }

    /// How long the bot's token lasts, if Slack has said that it ends.
    pub fn token_lasts(&self) -> Option<Duration> {
        self.token_state.lasts()
    }

    /// Waits until the token is replaced.
    pub async fn token_replaced(&self) {
        self.token_state.replaced().await;
    }

    /// Shows a modal to the person who caused the trigger, within 2.5 s.
    ///
    /// # Errors
    /// [`ApiError::TriggerExpired`] if the trigger is older than three seconds or was used, or another
    /// [`ApiError`].
    pub async fn open_view(&self, trigger_id: &str, view: &View) -> Result<OpenedView, ApiError> {
        let request = json!({ "trigger_id": trigger_id, "view": view.to_json() });
        let answer: ViewAnswer = self.post(OPEN_VIEW, &request).await?;
        Ok(answer.view)
    }

    /// Replaces an open view with `view`, whatever has happened to it in the meantime.
    ///
    /// # Errors
    /// [`ApiError::ViewGone`] if it is no longer open, or another [`ApiError`].
    pub async fn update_view(&self, view_id: &str, view: &View) -> Result<OpenedView, ApiError> {
        let request = json!({ "view_id": view_id, "view": view.to_json() });
        let answer: ViewAnswer = self.post(UPDATE_VIEW, &request).await?;
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
        let answer: PostAnswer = self.post(POST_MESSAGE, &request).await?;
        Ok(MessageTs(answer.ts))
    }

    /// The web address of a message.
    ///
    /// # Errors
    /// [`ApiError`]; an unknown message is [`ApiError::Refused`] with `message_not_found`.
    pub async fn get_permalink(&self, channel: &ChannelId, message_ts: &str) -> Result<String, ApiError> {
        let params = vec![("channel", Some(channel.as_str())), ("message_ts", Some(message_ts))];
        let token = self.token.get();
        let session = self.client.open_session(&token);
        let get = || session.http_session_api.http_get(GET_PERMALINK.name, &params, None);
        let answer: PermalinkAnswer =
            self.repeat(GET_PERMALINK, || get().map(|answer| answer.map_err(into_failure)).boxed()).await?;
        Ok(answer.permalink)
    }

    /// What Slack says of a person, within 3 s.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without `users:read`.
    pub async fn get_user(&self, user: &UserId) -> Result<User, ApiError> {
        let params = vec![("user", Some(user.as_str()))];
        let token = self.token.get();
        let session = self.client.open_session(&token);
        let get = || session.http_session_api.http_get(USER_INFO.name, &params, None);
        let answer: UserAnswer =
            self.repeat(USER_INFO, || get().map(|answer| answer.map_err(into_failure)).boxed()).await?;
        Ok(answer.user)
    }

    /// A new address where one WebSocket can be opened. While it lasts, it is as good as a password.
    ///
    /// # Errors
    /// [`ApiError`]: [`ApiError::InvalidAuth`] and [`ApiError::MissingScope`] are about the app's token.
    pub async fn socket_address(&self, app_token: &Secret) -> Result<Url, ApiError> {
        let token = api_token(app_token);
        let answer: SocketAnswer = self.post_as(&token, OPEN_CONNECTION, &json!({})).await?;
        Url::parse(&answer.url).ok().filter(|url| matches!(url.scheme(), "ws" | "wss")).ok_or_else(|| {
            ApiError::InvalidResponse { detail: "the address isn't a WebSocket address".to_owned() }
        })
    }

    /// The client that calls the Web API.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] if HTTPS needs root certificates and this machine has none.
    pub(crate) async fn http(&self) -> Result<&reqwest::Client, ApiError> {
        self.client.http_api.connector.http().await
    }

    async fn post<A: DeserializeOwned + Send>(&self, method: Method, request: &Value) -> Result<A, ApiError> {
        self.post_as(&self.token.get(), method, request).await
    }

    async fn post_as<A: DeserializeOwned + Send>(
        &self,
        token: &SlackApiToken,
        method: Method,
        request: &Value,
    ) -> Result<A, ApiError> {
        let session = self.client.open_session(token);
        let post = || session.http_session_api.http_post(method.name, request, None);
        self.repeat(method, || post().map(|answer| answer.map_err(into_failure)).boxed()).await
    }

    async fn repeat<'a, A>(
        &self,
        method: Method,
        attempt: impl Fn() -> BoxFuture<'a, Result<A, Failure<ApiError>>>,
    ) -> Result<A, ApiError> {
        self.try_repeat(method, attempt).await.map_err(|failure| failure.error)
    }

    /// Makes a call, and notes how it ends.
    async fn try_repeat<'a, A>(
        &self,
        method: Method,
        attempt: impl Fn() -> BoxFuture<'a, Result<A, Failure<ApiError>>>,
    ) -> Result<A, Failure<ApiError>> {
        let began = Instant::now();
        let result = repeat(method, attempt).await;
        let error = result.as_ref().err().map(|failure| &failure.error);
        self.calls.ended(method.name, error.map_or("ok", ApiError::as_str), began.elapsed());
        match error {
            None => self.token_state.was_taken(true),
            Some(ApiError::InvalidAuth) => self.token_state.was_taken(false),
            Some(_) => {}
        }
        match error {
            Some(error) if error.is_outage() => {
                if self.outage.failed() {
                    tracing::warn!(call = method.name, error = error_chain(error), "Slack doesn't answer");
                }
            }
            _ => {
                if let Some(over) = self.outage.answered() {
                    let (failures, seconds) = (over.failures, over.lasted.as_secs());
                    tracing::info!(failures, seconds, "Slack answers again");
                }
            }
        }
        result
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

/// Tries again if that is harmless and may help.
async fn repeat<'a, A>(
    method: Method,
    attempt: impl Fn() -> BoxFuture<'a, Result<A, Failure<ApiError>>>,
) -> Result<A, Failure<ApiError>> {
    let deadline = Instant::now() + method.deadline;
    let retry =
        Retry { max_attempts: MAX_ATTEMPTS, backoff: BACKOFF, deadline, repeatable: method.repeatable };
    let in_time = |_| {
        let attempt = attempt();
        async move {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let outcome = timeout(remaining.min(ATTEMPT_TIMEOUT), attempt).await;
            outcome.unwrap_or_else(|_| Err(Failure::unknown(ApiError::TimedOut)))
        }
    };
    retry.run(in_time).await
}
