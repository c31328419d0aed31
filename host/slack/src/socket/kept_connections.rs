//! Keeps connections open, each by itself: greets it, watches it, and replaces it when it ends.

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
    handshake::{ConnectError, DISABLED, TOO_MANY},
    link::{Link, LinkEvent},
};
use maro_process::{http::retry::Backoff, telemetry::error_chain};

/// How many connections are open at once, so that one can be replaced while another serves. Slack allows ten.
pub const CONNECTIONS: usize = 2;

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

/// Why there is no connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Away {
    Disabled,
    /// Which is logged once for all in a row.
    Troubled,
    Stopped,
}

impl Supervisor {
    /// Until everything has to stop.
    pub(super) async fn run(self) {
        let mut failures = 0;
        // Why the last try to connect failed, if it did.
        let mut away = None;
        // The connection that still serves while it is being replaced.
        let mut retiring: Option<Link> = None;
        loop {
            let link = self.connect(away).await;
            away = link.as_ref().err().copied();
            if let Some(retired) = retiring.take() {
                retired.close().await;
            }
            let Ok(mut link) = link else {
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

    /// Opens a connection and waits until Slack greets it. That it can't is logged once, although it goes on trying;
    /// `before` is how the last try failed.
    async fn connect(&self, before: Option<Away>) -> Result<Link, Away> {
        match self.stop.run_until_cancelled(self.greeted_link()).await.ok_or(Away::Stopped)? {
            Ok(link) => {
                self.context.greeted();
                tracing::info!(connection = self.number, "Socket Mode is connected");
                Ok(link)
            }
            Err(ConnectError::Disabled) => {
                self.context.turned_off();
                Err(Away::Disabled)
            }
            Err(error) => {
                if before != Some(Away::Troubled) {
                    self.log(&error);
                }
                Err(Away::Troubled)
            }
        }
    }

    fn log(&self, error: &ConnectError) {
        let chain = error_chain(error);
        tracing::warn!(error = chain, connection = self.number, "Socket Mode can't connect");
        if matches!(error, ConnectError::TooMany) {
            self.log_too_many();
        }
    }

    fn log_too_many(&self) {
        tracing::warn!(
            connection = self.number,
            "Slack has as many Socket Mode connections of this app as it allows, which is ten; stop other bots that use \
             the same SLACK_APP_TOKEN"
        );
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
                        self.log_too_many();
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
