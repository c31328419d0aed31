//! Socket Mode: what Slack would send over HTTP arrives over WebSockets that MARO opens.
//!
//! slack-morphism has a client for this, but it bypasses `process::http`, hides why a connection fails, and
//! reads payloads into types that drop fields. So MARO asks for an address, opens the WebSocket and reads the
//! raw JSON itself. Each connection has a task that watches and replaces it.

mod answers;
mod connections;
mod envelope;
mod handshake;
mod link;
pub mod request;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    config::SlackConfig,
    response_url::ResponseUrlPolicy,
    socket::{
        answers::Answers,
        connections::Connections,
        handshake::ConnectError,
        link::{Link, LinkEvent},
        request::{Handler, SocketRequest},
    },
    web_api::SlackWebApi,
};
use maro_process::{http::retry::Backoff, metrics::calls::Calls, telemetry::error_chain};

/// How many connections are open at once, so that one can be replaced while another serves. Slack allows ten.
const CONNECTIONS: usize = 2;

/// How long Slack may take to say hello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// If a connection lasted longer than this, its end isn't a failure.
const GOOD_LIFE: Duration = Duration::from_secs(30);

/// The pause before a connection is replaced.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30), certain: 0.5 };

/// There is no `SLACK_APP_TOKEN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Socket Mode needs SLACK_APP_TOKEN")]
pub struct NoAppToken;

/// Connections to Slack that are kept open. Dropping this value ends them; [`SocketMode::stop`] ends them
/// gracefully.
pub struct SocketMode {
    shared: Arc<Connections>,
    stop: DropGuard,
    supervisors: TaskTracker,
}

impl SocketMode {
    /// Opens two connections and keeps them open in the background, whatever happens to Slack.
    ///
    /// `handler` gets each request once, even if Slack sends it several times. What its future returns within
    /// 2.8 s is the payload of the acknowledgement, as made by [`crate::message::Message::to_answer`],
    /// [`crate::interaction::answer::SubmissionResponse::to_json`] or
    /// [`crate::interaction::answer::options_json`]. If it returns nothing, or not in time, the acknowledgement has
    /// no payload. The future always runs to its end.
    ///
    /// # Errors
    /// [`NoAppToken`]. If Slack rejects the token, that is only logged; see [`SlackWebApi::check_app_token`].
    pub fn start<H, F>(config: &SlackConfig, handler: H) -> Result<Self, NoAppToken>
    where
        H: Fn(SocketRequest) -> F + Send + Sync + 'static,
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
        H: Fn(SocketRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Vec<u8>> + Send + 'static,
    {
        let app_token = config.app_token.clone().ok_or(NoAppToken)?;
        let handler: Handler = Arc::new(move |request| handler(request).boxed());
        let shared = Arc::new(Connections {
            api: SlackWebApi::measured(config, calls),
            app_token,
            answers: Answers::new(handler, ResponseUrlPolicy::new(config)),
            connected: AtomicUsize::new(0),
        });
        let (stop, supervisors) = (CancellationToken::new(), TaskTracker::new());
        for number in 0..CONNECTIONS {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            let supervisor = Supervisor { shared, stop, number, is_away: AtomicBool::new(false) };
            supervisors.spawn(supervisor.run());
        }
        supervisors.close();
        Ok(Self { shared, stop: stop.drop_guard(), supervisors })
    }

    /// How many connections Slack has greeted and not yet ended.
    pub fn connected(&self) -> usize {
        self.shared.connected.load(Ordering::Acquire)
    }

    /// Sends the pending acknowledgements, closes the connections, and waits for the handler's futures. All
    /// of it takes at most `grace`, and closing at most 5 s of that.
    pub async fn stop(self, grace: Duration) {
        let Self { shared, stop, supervisors } = self;
        drop(stop);
        let stopped = timeout(grace, async {
            supervisors.wait().await;
            shared.answers.finish().await;
        });
        if stopped.await.is_err() {
            tracing::warn!("Socket Mode didn't stop in time");
        }
    }
}

/// Keeps one connection open.
struct Supervisor {
    shared: Arc<Connections>,
    stop: CancellationToken,
    number: usize,
    /// Whether the last try to connect failed.
    is_away: AtomicBool,
}

/// How a connection ended, or is about to.
enum End {
    Stopped,
    /// Slack will close it soon. Until then it serves.
    Replace,
    Lost,
    /// Socket Mode is switched off in the app's settings.
    Disabled,
}

impl Supervisor {
    async fn run(self) {
        let mut failures = 0;
        // The connection that still serves while it is being replaced.
        let mut retiring: Option<Link> = None;
        loop {
            let link = self.connect().await;
            if let Some(retired) = retiring.take() {
                retired.close().await;
            }
            let Some(mut link) = link else {
                failures += 1;
                if self.pause(failures).await.is_break() {
                    return;
                }
                continue;
            };
            let since = Instant::now();
            self.shared.connected.fetch_add(1, Ordering::AcqRel);
            let end = self.serve(&mut link).await;
            self.shared.connected.fetch_sub(1, Ordering::AcqRel);
            failures = if since.elapsed() > GOOD_LIFE { 0 } else { failures + 1 };
            match end {
                End::Stopped => return link.close().await,
                End::Disabled => {
                    tracing::error!(
                        "Socket Mode is turned off in the Slack app's settings; MARO won't try again"
                    );
                    return link.close().await;
                }
                End::Replace if failures <= 1 => retiring = Some(link),
                End::Replace | End::Lost => {
                    link.close().await;
                    if self.pause(failures).await.is_break() {
                        return;
                    }
                }
            }
        }
    }

    /// Opens a connection and waits until Slack greets it.
    async fn connect(&self) -> Option<Link> {
        match self.stop.run_until_cancelled(self.greeted_link()).await? {
            Ok(link) => {
                self.is_away.store(false, Ordering::Relaxed);
                tracing::info!(connection = self.number, "Socket Mode is connected");
                Some(link)
            }
            Err(error) => {
                // Once, although it goes on trying.
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    let error = error_chain(&error);
                    tracing::warn!(error, connection = self.number, "Socket Mode can't connect");
                }
                None
            }
        }
    }

    async fn greeted_link(&self) -> Result<Link, ConnectError> {
        let mut link = Link::open(&self.shared).await?;
        match timeout(HELLO_TIMEOUT, link.greeted()).await {
            Ok(true) => Ok(link),
            Ok(false) | Err(_) => Err(ConnectError::NotGreeted),
        }
    }

    /// Waits for the end of a connection.
    async fn serve(&self, link: &mut Link) -> End {
        loop {
            let event = tokio::select! {
                event = link.next() => event,
                () = self.stop.cancelled() => return End::Stopped,
            };
            match event {
                LinkEvent::Hello => {}
                LinkEvent::Disconnect { reason } => {
                    tracing::info!(%reason, connection = self.number, "Slack is closing a Socket Mode connection");
                    return match reason.as_str() {
                        "link_disabled" => End::Disabled,
                        "warning" | "refresh_requested" => End::Replace,
                        _ => End::Lost,
                    };
                }
                LinkEvent::Closed => {
                    tracing::info!(connection = self.number, "a Socket Mode connection was lost");
                    return End::Lost;
                }
            }
        }
    }

    /// Breaks if everything has to stop.
    async fn pause(&self, failures: u32) -> std::ops::ControlFlow<()> {
        tokio::select! {
            () = tokio::time::sleep(BACKOFF.pause(failures)) => std::ops::ControlFlow::Continue(()),
            () = self.stop.cancelled() => std::ops::ControlFlow::Break(()),
        }
    }
}
