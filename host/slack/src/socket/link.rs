//! One connection: a client of slack-morphism's, and what happens to it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use slack_morphism::{
    SlackClientSocketModeConfig, SlackSocketModeClientListener, SlackSocketModeWssClientId,
    clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory},
    errors::SlackClientError,
    listener::SlackClientEventsListenerEnvironment,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::TaskTracker;

use crate::{
    socket::{
        Shared,
        envelope::{self, Frame},
    },
    web_api::{self, error::ApiError},
};

/// How often the connection is checked with a ping, and how many may go unanswered.
const PING_INTERVAL_SECONDS: u64 = 10;
const PINGS_UNANSWERED: u64 = 2;

/// slack-morphism tries again by itself after this time. The connection is replaced long before.
const LIBRARY_RETRY_SECONDS: u64 = 3600;

/// How long acknowledgements under way may take at the end. Slack waits no longer.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(3);

/// What slack-morphism needs to write a frame that it has been given. Told to end before, it leaves the
/// connection open, and what Slack still sends over it is lost: its writer looks whether it is to end before
/// it looks into its queue, in which stands the order to close.
const TIME_TO_WRITE: Duration = Duration::from_millis(100);

/// How long closing may take: Slack answers it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    Hello,
    Disconnect { reason: String },
    Closed,
}

pub(super) struct Link {
    manager: Arc<dyn SlackSocketModeClientsManager + Send + Sync>,
    /// Ends when the connection's tasks have.
    events: mpsc::UnboundedReceiver<LinkEvent>,
    /// Acknowledgements.
    under_way: TaskTracker,
}

/// Hears what slack-morphism receives. Lives as long as the connection's tasks.
struct Listener {
    shared: Arc<Shared>,
    /// Few and small: a hello, a farewell, an end.
    events: mpsc::UnboundedSender<LinkEvent>,
    under_way: TaskTracker,
}

impl Link {
    /// Begins to connect.
    pub(super) async fn open(shared: &Arc<Shared>) -> Result<Self, ApiError> {
        let client = shared.api.client().await?;
        let environment = Arc::new(SlackClientEventsListenerEnvironment::new(Arc::clone(client)));
        let manager = client.http_api.connector.new_clients_manager(environment);
        let (sender, events) = mpsc::unbounded_channel();
        let under_way = TaskTracker::new();
        let listener = Listener { shared: Arc::clone(shared), events: sender, under_way: under_way.clone() };
        let config = SlackClientSocketModeConfig {
            max_connections_count: 1,
            debug_connections: false,
            initial_backoff_in_seconds: 0,
            reconnect_timeout_in_seconds: LIBRARY_RETRY_SECONDS,
            ping_interval_in_seconds: PING_INTERVAL_SECONDS,
            ping_failure_threshold_times: PINGS_UNANSWERED,
        };
        let token = web_api::api_token(&shared.app_token);
        // Does nothing yet that could fail.
        let _: Result<(), SlackClientError> =
            manager.register_new_token(&config, token, Arc::new(listener)).await;
        manager.start().await;
        Ok(Self { manager, events, under_way })
    }

    /// Whether Slack says hello before the connection ends.
    pub(super) async fn greeted(&mut self) -> bool {
        matches!(self.events.recv().await, Some(LinkEvent::Hello))
    }

    pub(super) async fn next(&mut self) -> LinkEvent {
        self.events.recv().await.unwrap_or(LinkEvent::Closed)
    }

    /// Sends what is to be sent, closes, and waits a little for the connection's tasks to end.
    pub(super) async fn close(mut self) {
        self.under_way.close();
        let _ = timeout(LAST_ACKNOWLEDGEMENTS, self.under_way.wait()).await;
        tokio::time::sleep(TIME_TO_WRITE).await;
        self.manager.shutdown().await;
        let ended = async { while self.events.recv().await.is_some() {} };
        let _ = timeout(CLOSE_TIMEOUT, ended).await;
    }
}

impl Listener {
    fn tell(&self, event: LinkEvent) {
        // Nobody listens any more if the connection is being replaced.
        let _ = self.events.send(event);
    }
}

#[async_trait]
impl SlackSocketModeClientListener for Listener {
    /// Gives the acknowledgement to send. The next frame waits for it.
    async fn on_message(&self, _: &SlackSocketModeWssClientId, message_body: String) -> Option<String> {
        match envelope::parse(&message_body) {
            Some(Frame::Hello) => self.tell(LinkEvent::Hello),
            Some(Frame::Disconnect { reason }) => self.tell(LinkEvent::Disconnect { reason }),
            Some(Frame::Envelope(envelope)) => {
                let _under_way = self.under_way.token();
                return Some(self.shared.answers.acknowledge(envelope).await);
            }
            None => tracing::warn!("ignored a Socket Mode frame without the documented shape"),
        }
        None
    }

    async fn on_error(&self, _: Box<dyn std::error::Error + Send + Sync>) {
        // slack-morphism has logged it, and what follows from it is told by on_disconnect.
    }

    async fn on_disconnect(&self, _: &SlackSocketModeWssClientId) {
        self.tell(LinkEvent::Closed);
    }
}
