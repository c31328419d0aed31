//! Socket Mode: what Slack would send over HTTP arrives over WebSockets that MARO opens.
//!
//! slack-morphism has a client for this, but it bypasses `process::http`, hides why a connection fails, and
//! reads payloads into types that drop fields. So MARO asks for an address, opens the WebSocket and reads the
//! raw JSON itself. Each connection has a task that watches and replaces it.

mod answers;
mod context;
mod envelope;
mod handshake;
pub mod kept_connections;
mod link;
pub mod probe;
pub mod request;

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{sync::watch, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    config::SlackConfig,
    outgoing::response_url::ResponseUrlPolicy,
    signature::RequestId,
    socket::{
        answers::Answers,
        context::SocketContext,
        kept_connections::{CONNECTIONS, Supervisor},
        request::{Handler, SocketRequest},
    },
    web_api::SlackWebApi,
};
use maro_process::{metrics::calls::Calls, replaceable::Live, secret::Secret};

/// There is no `SLACK_APP_TOKEN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Socket Mode needs SLACK_APP_TOKEN")]
pub struct NoAppToken;

/// Connections to Slack that are kept open. Dropping this value ends them; [`SocketMode::stop`] ends them
/// gracefully.
pub struct SocketMode {
    context: Arc<SocketContext>,
    stop: DropGuard,
    supervisors: TaskTracker,
}

impl SocketMode {
    /// Opens two connections and keeps them open in the background, whatever happens to Slack.
    ///
    /// `handler` gets each request once, even if Slack sends it several times, with what identifies it. What its
    /// future returns within
    /// 2.8 s is the payload of the acknowledgement, as made by [`crate::outgoing::message::Message::to_answer`],
    /// [`crate::interaction::answer::SubmissionResponse::to_json`] or
    /// [`crate::interaction::answer::options_json`]. If it returns nothing, or not in time, the acknowledgement has
    /// no payload. The future always runs to its end.
    ///
    /// # Errors
    /// [`NoAppToken`]. If Slack rejects the token, that is only logged; see [`probe::try_out`].
    pub fn start<H, F>(config: &SlackConfig, handler: H) -> Result<Self, NoAppToken>
    where
        H: Fn(SocketRequest, RequestId) -> F + Send + Sync + 'static,
        F: Future<Output = Vec<u8>> + Send + 'static,
    {
        Self::measured(config, Calls::default(), handler)
    }

    /// As [`SocketMode::start`], measured.
    ///
    /// # Errors
    /// As [`SocketMode::start`].
    pub fn measured<H, F>(config: &SlackConfig, calls: Calls, handler: H) -> Result<Self, NoAppToken>
    where
        H: Fn(SocketRequest, RequestId) -> F + Send + Sync + 'static,
        F: Future<Output = Vec<u8>> + Send + 'static,
    {
        let app_token = config.app_token.clone().ok_or(NoAppToken)?;
        let handler: Handler = Arc::new(move |request, id| handler(request, id).boxed());
        let context = Arc::new(SocketContext {
            api: SlackWebApi::measured(config, calls),
            app_token: Live::new(app_token),
            answers: Answers::new(handler, ResponseUrlPolicy::new(config)),
            connected: watch::Sender::new(0),
            is_off: watch::Sender::new(false),
            off_pauses: config.socket_mode_off,
        });
        let (stop, supervisors) = (CancellationToken::new(), TaskTracker::new());
        for number in 0..CONNECTIONS {
            let supervisor = Supervisor { context: Arc::clone(&context), stop: stop.clone(), number };
            supervisors.spawn(supervisor.run());
        }
        supervisors.close();
        Ok(Self { context, stop: stop.drop_guard(), supervisors })
    }

    /// Has every later connection opened with this token.
    pub fn replace_app_token(&self, app_token: Secret) {
        self.context.app_token.set(app_token);
    }

    /// Whether Slack took the app's token when a connection was last asked for.
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.context.api.acceptance()
    }

    /// How many connections Slack has greeted and not yet ended.
    pub fn connected(&self) -> usize {
        *self.context.connected.borrow()
    }

    /// The same, as it changes.
    pub fn connections(&self) -> watch::Receiver<usize> {
        self.context.connected.subscribe()
    }

    /// Sends the pending acknowledgements, closes the connections, and waits for the handler's futures. All
    /// of it takes at most `grace`, and closing at most 5 s of that.
    pub async fn stop(self, grace: Duration) {
        let Self { context, stop, supervisors } = self;
        drop(stop);
        let stopped = timeout(grace, async {
            supervisors.wait().await;
            context.answers.finish().await;
        });
        if stopped.await.is_err() {
            tracing::warn!("Socket Mode didn't stop in time");
        }
    }
}
