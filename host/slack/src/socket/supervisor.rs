//! Keeps a connection open: greets it, watches it, and replaces it when it ends.

use std::{
    future,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::socket::{
    context::SocketContext,
    handshake::{ConnectError, DISABLED},
    link::{Link, LinkEvent},
};
use maro_process::{http::retry::Backoff, telemetry::error_chain};

/// Slack's reason for ending one connection too many.
const TOO_MANY: &str = "too_many_websockets";

/// How long Slack may take to say hello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// If a connection lasted longer than this, its end isn't a failure.
const GOOD_LIFE: Duration = Duration::from_secs(30);

/// The pause before a connection is replaced.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30), certain: 0.5 };

/// Keeps one connection open.
pub(super) struct Supervisor {
    pub(super) context: Arc<SocketContext>,
    pub(super) stop: CancellationToken,
    pub(super) number: usize,
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
    /// Until everything has to stop.
    pub(super) async fn run(self) {
        let mut failures = 0;
        // Whether the last try to connect failed.
        let mut is_away = false;
        // The connection that still serves while it is being replaced.
        let mut retiring: Option<Link> = None;
        loop {
            let link = self.connect(is_away).await;
            is_away = link.is_none();
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
            self.context.connected.send_modify(|connected| *connected += 1);
            let end = self.serve(&mut link).await;
            self.context.connected.send_modify(|connected| *connected -= 1);
            failures = if since.elapsed() > GOOD_LIFE { 0 } else { failures + 1 };
            match end {
                End::Stopped => return link.close().await,
                End::Replace if failures <= 1 => retiring = Some(link),
                End::Replace | End::Lost | End::Disabled => {
                    if matches!(end, End::Disabled) {
                        self.context.turned_off();
                        failures = 1;
                    }
                    link.close().await;
                    if self.pause(failures).await.is_break() {
                        return;
                    }
                }
            }
        }
    }

    /// Opens a connection and waits until Slack greets it. That it can't is logged once, although it goes on trying.
    async fn connect(&self, is_away: bool) -> Option<Link> {
        match self.stop.run_until_cancelled(self.greeted_link()).await? {
            Ok(link) => {
                self.context.greeted();
                tracing::info!(connection = self.number, "Socket Mode is connected");
                Some(link)
            }
            Err(ConnectError::Disabled) => {
                self.context.turned_off();
                None
            }
            Err(error) => {
                if !is_away {
                    let error = error_chain(&error);
                    tracing::warn!(error, connection = self.number, "Socket Mode can't connect");
                }
                None
            }
        }
    }

    async fn greeted_link(&self) -> Result<Link, ConnectError> {
        let mut link = Link::open(&self.context).await?;
        match timeout(HELLO_TIMEOUT, link.greeted()).await {
            Ok(greeted) => greeted.map(|()| link),
            Err(_) => Err(ConnectError::NotGreeted),
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
                    if reason == TOO_MANY {
                        tracing::warn!(
                            connection = self.number,
                            "Slack has as many Socket Mode connections of this app as it allows, which is ten; stop \
                             other bots that use the same SLACK_APP_TOKEN"
                        );
                    }
                    return match reason.as_str() {
                        DISABLED => End::Disabled,
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

    /// Breaks if everything has to stop. While Socket Mode is turned off, it's long, and ends once another connection
    /// finds it turned on.
    async fn pause(&self, failures: u32) -> ControlFlow<()> {
        let mut off = self.context.is_off.subscribe();
        let is_off = *off.borrow_and_update();
        let pauses = if is_off { &self.context.off_pauses } else { &BACKOFF };
        let turned_on = async {
            // Fails without a sender, and this has one.
            if !is_off || off.wait_for(|is_off| !is_off).await.is_err() {
                future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pauses.pause(failures)) => ControlFlow::Continue(()),
            () = turned_on => ControlFlow::Continue(()),
            () = self.stop.cancelled() => ControlFlow::Break(()),
        }
    }
}
