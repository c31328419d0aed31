//! One connection: a WebSocket, the task that reads and writes it, and its events.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::socket::{
    context::SocketContext,
    envelope::{self, Frame},
    handshake::{self, ConnectError, Socket},
};

/// How long opening may take once Slack has given an address.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a ping checks the connection, and how many pings may go unanswered.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PINGS_UNANSWERED: u32 = 2;

/// How long writing a frame may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How many requests may wait for their acknowledgement. If there are more, reading pauses.
const MAX_AT_ONCE: usize = 100;

/// How long pending acknowledgements may take at the end. Slack doesn't wait longer.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(3);

/// How long closing may take, including Slack's answer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    Hello,
    Disconnect { reason: String },
    Closed,
}

/// A connection's handle. When it is dropped, the connection closes gracefully.
pub(super) struct Link {
    /// Few and small, such as a hello and a goodbye. They end with the connection.
    events: mpsc::UnboundedReceiver<LinkEvent>,
    close: DropGuard,
    task: JoinHandle<()>,
}

/// The task's side.
struct Conversation {
    socket: Socket,
    shared: Arc<SocketContext>,
    events: mpsc::UnboundedSender<LinkEvent>,
    acknowledgements: FuturesUnordered<BoxFuture<'static, String>>,
    /// The number of pings since the last message.
    unanswered: u32,
}

/// The connection broke, or is unusable.
struct Lost;

impl Link {
    /// Asks Slack for an address and connects there.
    pub(super) async fn open(shared: &Arc<SocketContext>) -> Result<Self, ConnectError> {
        let address = shared.api.socket_address(&shared.app_token.get()).await?;
        let opening = handshake::open(shared.api.client_for_socket(&address).await?, &address);
        let socket = timeout(HANDSHAKE_TIMEOUT, opening).await.unwrap_or(Err(ConnectError::TimedOut))?;
        let (sender, events) = mpsc::unbounded_channel();
        let conversation = Conversation {
            socket,
            shared: Arc::clone(shared),
            events: sender,
            acknowledgements: FuturesUnordered::new(),
            unanswered: 0,
        };
        let close = CancellationToken::new();
        let task = tokio::spawn(conversation.run(close.clone()));
        Ok(Self { events, close: close.drop_guard(), task })
    }

    /// Waits until Slack says hello, before anything else.
    pub(super) async fn greeted(&mut self) -> Result<(), ConnectError> {
        match self.events.recv().await {
            Some(LinkEvent::Hello) => Ok(()),
            Some(LinkEvent::Disconnect { reason }) => Err(ConnectError::instead_of_hello(&reason)),
            Some(LinkEvent::Closed) | None => Err(ConnectError::NotGreeted),
        }
    }

    pub(super) async fn next(&mut self) -> LinkEvent {
        self.events.recv().await.unwrap_or(LinkEvent::Closed)
    }

    /// Sends the pending acknowledgements and closes the connection, in at most 5 s.
    pub(super) async fn close(self) {
        let Self { close, task, .. } = self;
        drop(close);
        // A task that panicked has ended too.
        let _ = task.await;
    }
}

impl Conversation {
    async fn run(mut self, close: CancellationToken) {
        let no_longer = async {
            close.cancelled().await;
            sleep(LAST_ACKNOWLEDGEMENTS).await;
        };
        tokio::select! {
            _ = self.go_on(&close) => {}
            () = no_longer => {}
        }
        let Self { mut socket, events, .. } = self;
        // Listeners learn about the end before Slack answers.
        drop(events);
        let farewell = async {
            // Fails if Slack has closed already.
            let _ = socket.close(None).await;
            while let Some(Ok(_)) = socket.next().await {}
        };
        let _ = timeout(CLOSE_TIMEOUT, farewell).await;
    }

    /// Runs until the connection is lost, or has to close and nothing is pending.
    async fn go_on(&mut self, close: &CancellationToken) -> Result<(), Lost> {
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let may_read = self.acknowledgements.len() < MAX_AT_ONCE;
            let is_idle = self.acknowledgements.is_empty();
            tokio::select! {
                // What arrived before the end is answered before the end.
                biased;
                Some(acknowledgement) = self.acknowledgements.next() => {
                    self.send(Message::text(acknowledgement)).await?;
                }
                message = self.socket.next(), if may_read => match message {
                    Some(Ok(message)) => self.take(message)?,
                    Some(Err(_)) | None => return Err(Lost),
                },
                _ = pings.tick() => self.ping().await?,
                () = close.cancelled(), if is_idle => return Ok(()),
            }
        }
    }

    /// Handles a message. The WebSocket itself answers pings.
    fn take(&mut self, message: Message) -> Result<(), Lost> {
        self.unanswered = 0;
        match message {
            Message::Text(text) => self.read(&text),
            Message::Close(_) => return Err(Lost),
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self, frame: &str) {
        match envelope::parse(frame) {
            Some(Frame::Hello) => self.tell(LinkEvent::Hello),
            Some(Frame::Disconnect { reason }) => self.tell(LinkEvent::Disconnect { reason }),
            Some(Frame::Envelope(envelope)) => {
                self.acknowledgements.push(self.shared.answers.acknowledge(&envelope).boxed());
            }
            None => tracing::warn!("ignored a Socket Mode frame without the documented shape"),
        }
    }

    fn tell(&self, event: LinkEvent) {
        // Nobody listens if the connection is being replaced.
        let _ = self.events.send(event);
    }

    async fn ping(&mut self) -> Result<(), Lost> {
        if self.unanswered == PINGS_UNANSWERED {
            return Err(Lost);
        }
        self.unanswered += 1;
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Lost> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Lost),
        }
    }
}
