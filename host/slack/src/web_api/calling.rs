//! Calling a method: with the token of now, again if that is harmless and may help, and noting how it ends.
//!
//! The client is slack-morphism's, but without three of its parts: its rate control, which would slow down
//! every call of the process to the pace of the slowest; its models of requests and answers, which reject an
//! answer because of a field that nobody reads; and its connections (see `web_api/connector.rs`). It has no
//! time-outs, so each call here has a deadline for all its attempts, and each attempt has one too.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::Value;
use slack_morphism::{SlackApiToken, SlackClient};
use tokio::time::{Instant, timeout};

use crate::{
    config::SlackConfig,
    web_api::{
        connector::{Connector, api_token, into_failure},
        error::{ApiError, SlackOutage},
        token::TokenState,
    },
};
use maro_process::{
    breaker::{Breaker, BreakerSettings},
    http::retry::{Backoff, Failure, Retry},
    metrics::calls::Calls,
    outage_log::Outage,
    replaceable::Live,
    secret::Secret,
    telemetry::error_chain,
};

/// How many times one call is sent at most.
const MAX_ATTEMPTS: u32 = 4;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(60), certain: 0.0 };

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// People wait for what is read, each for a question of their own: while Slack is away, one of them finds out whether
/// it's back.
const READS: BreakerSettings = BreakerSettings {
    failures_to_open: 5,
    cool_down: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5), certain: 0.5 },
    trial_limit: Duration::from_secs(5),
};

/// A message whose end nobody knows may be lost. So after one of them, no other begins until Slack has answered
/// something harmless, and then one at a time, ever later.
const POSTS: BreakerSettings = BreakerSettings {
    failures_to_open: 1,
    cool_down: Backoff { first: Duration::from_secs(4), longest: Duration::from_secs(60), certain: 0.75 },
    trial_limit: Duration::from_secs(15),
};

/// A method of Slack's, and how long to try calling it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    pub(super) name: &'static str,
    /// For all attempts together.
    pub(super) deadline: Duration,
    /// Whether a second call does no harm, so that it is tried again even if the first may have worked.
    pub(super) repeatable: bool,
}

/// Calls Slack with the bot's token.
pub(super) struct Caller {
    client: SlackClient<Connector>,
    pub(super) token: Live<SlackApiToken>,
    /// How that token fares.
    pub(super) token_state: TokenState,
    calls: Calls,
    outage: Outage,
    /// Whether Slack is asked at all.
    reads: Breaker<Instant>,
    /// Whether it's given messages of which none may be posted twice.
    pub(super) posts: Breaker<Instant>,
}

impl Caller {
    /// Doesn't connect yet.
    pub(super) fn new(config: &SlackConfig, calls: Calls) -> Self {
        Self {
            client: SlackClient::new(Connector::new(&config.api_url, &config.network)),
            token: Live::new(api_token(&config.bot_token)),
            token_state: TokenState::default(),
            calls,
            outage: Outage::default(),
            reads: Breaker::new(READS),
            posts: Breaker::new(POSTS),
        }
    }

    /// Has every later call carry this token.
    pub(super) fn replace_token(&self, bot_token: &Secret) {
        let token = api_token(bot_token);
        if *self.token.get() != token {
            self.token.set(token);
            self.token_state.was_replaced();
        }
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.client.http_api.connector
    }

    /// Calls a method with parameters in its address. Fails at once while Slack is known to be away.
    pub(super) async fn get<A: DeserializeOwned + Send>(
        &self,
        method: Method,
        params: &[(&str, Option<&str>)],
    ) -> Result<A, ApiError> {
        let token = self.token.get();
        let session = self.client.open_session(&token);
        let params = params.to_vec();
        let get = || session.http_session_api.http_get(method.name, &params, None);
        let held_back = |_| ApiError::Unreachable(SlackOutage::HeldBack);
        let admission = self.reads.admit(Instant::now()).map_err(held_back)?;
        let result = self.repeat(method, || get().map(|answer| answer.map_err(into_failure)).boxed()).await;
        match &result {
            Err(error) if error.is_outage() => admission.failed(Instant::now()),
            Ok(_) | Err(_) => admission.succeeded(),
        };
        result
    }

    /// Calls a method with JSON.
    pub(super) async fn post<A: DeserializeOwned + Send>(
        &self,
        method: Method,
        request: &Value,
    ) -> Result<A, ApiError> {
        self.post_as(&self.token.get(), method, request).await
    }

    /// As [`Caller::post`], with another token than the bot's.
    pub(super) async fn post_as<A: DeserializeOwned + Send>(
        &self,
        token: &SlackApiToken,
        method: Method,
        request: &Value,
    ) -> Result<A, ApiError> {
        self.try_post_as(token, method, request, |failure| failure).await.map_err(|failure| failure.error)
    }

    /// As [`Caller::post`], with all that is known of its failure.
    pub(super) async fn try_post<A: DeserializeOwned + Send>(
        &self,
        method: Method,
        request: &Value,
    ) -> Result<A, Failure<ApiError>> {
        self.try_post_with(method, request, |failure| failure).await
    }

    /// As [`Caller::try_post`], where `taken` says how the failure of an attempt is taken.
    pub(super) async fn try_post_with<A: DeserializeOwned + Send>(
        &self,
        method: Method,
        request: &Value,
        taken: fn(Failure<ApiError>) -> Failure<ApiError>,
    ) -> Result<A, Failure<ApiError>> {
        self.try_post_as(&self.token.get(), method, request, taken).await
    }

    async fn try_post_as<A: DeserializeOwned + Send>(
        &self,
        token: &SlackApiToken,
        method: Method,
        request: &Value,
        taken: fn(Failure<ApiError>) -> Failure<ApiError>,
    ) -> Result<A, Failure<ApiError>> {
        let session = self.client.open_session(token);
        let post = || session.http_session_api.http_post(method.name, request, None);
        let attempt = || post().map(move |answer| answer.map_err(|error| taken(into_failure(error)))).boxed();
        self.try_repeat(method, attempt).await
    }

    /// Makes attempts of a call until one succeeds.
    pub(super) async fn repeat<'a, A>(
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
