//! Socket Mode: what would be sent to the bot over HTTP goes through the sockets that the bot opened.
//!
//! From <https://docs.slack.dev/apis/events-api/using-socket-mode>. Once the bot has opened a socket,
//! everything goes this way, even while the bot is reconnecting.

mod connection;
mod controls;
pub(crate) mod delivery;
pub(crate) mod server;

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::slack::{random::random_text, shown::changes::Changes};

/// How many connections Slack allows per app.
const MAX_CONNECTIONS: usize = 10;

/// Why Slack ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The connection will end in about ten seconds. Until then it works.
    Warning,
    /// Slack is refreshing its servers. The connection is closed.
    RefreshRequested,
    /// Socket Mode was turned off. The connection is closed.
    LinkDisabled,
    /// There are more than ten. The connection is closed.
    TooManyWebsockets,
}

impl DisconnectReason {
    fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
            Self::TooManyWebsockets => "too_many_websockets",
        }
    }
}

/// What a connection is told to do.
#[derive(Debug)]
enum Order {
    Send(Value),
    /// Send it and break off immediately.
    SendAndDrop(Value),
    Disconnect(DisconnectReason),
    /// Break off without notice.
    Drop,
}

#[derive(Debug)]
struct Connection {
    id: usize,
    orders: mpsc::Sender<Order>,
    is_warned: bool,
}

/// An envelope that was sent: its connection, and who is waiting for its acknowledgement.
#[derive(Debug)]
struct Pending {
    connection: usize,
    takes_payload: bool,
    acknowledged: oneshot::Sender<Option<Value>>,
}

#[derive(Debug, Default)]
struct SocketState {
    tickets: HashSet<String>,
    connections: Vec<Connection>,
    pending: HashMap<String, Pending>,
}

/// The bot's sockets.
#[derive(Debug)]
pub(crate) struct Sockets {
    address: SocketAddr,
    /// Such as `ws://127.0.0.1:4001/link/`.
    link: RwLock<Url>,
    state: Mutex<SocketState>,
    /// Counts connections, to number them, and deliveries, to let connections take turns.
    opened: AtomicUsize,
    delivered: AtomicUsize,
    /// Whether the connection of the next envelope breaks off after it.
    drops_next: AtomicBool,
    changes: Arc<Changes>,
}

impl Sockets {
    pub(crate) fn new(address: SocketAddr, changes: Arc<Changes>) -> Self {
        let link = format!("ws://{address}/link/").parse().expect("an address makes a URL");
        Self {
            address,
            link: RwLock::new(link),
            state: Mutex::default(),
            opened: AtomicUsize::new(0),
            delivered: AtomicUsize::new(0),
            drops_next: AtomicBool::new(false),
            changes,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn stand_behind(&self, link: Url) {
        *self.link.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// An address that opens one socket.
    pub(crate) fn new_address(&self) -> Url {
        let ticket = random_text(32);
        let mut address = self.link.read().unwrap_or_else(PoisonError::into_inner).clone();
        address.query_pairs_mut().append_pair("ticket", &ticket);
        self.state().tickets.insert(ticket);
        address
    }

    /// Whether the bot has ever opened one.
    pub(crate) fn are_in_use(&self) -> bool {
        self.opened.load(Ordering::Acquire) > 0
    }

    fn take_ticket(&self, ticket: &str) -> bool {
        self.state().tickets.remove(ticket)
    }

    /// Adds a connection. Returns its number and the new number of connections.
    fn add(&self, orders: mpsc::Sender<Order>) -> (usize, usize) {
        let id = self.opened.fetch_add(1, Ordering::AcqRel);
        let mut state = self.state();
        state.connections.push(Connection { id, orders, is_warned: false });
        let count = state.connections.len();
        drop(state);
        self.changes.note();
        (id, count)
    }

    /// Removes a connection. Those waiting for an acknowledgement through it are told.
    fn remove(&self, id: usize) {
        let mut state = self.state();
        state.connections.retain(|connection| connection.id != id);
        state.pending.retain(|_, pending| pending.connection != id);
        drop(state);
        self.changes.note();
    }

    /// Gives an order to all connections, or to one.
    fn order(&self, only: Option<usize>, order: impl Fn() -> Order) {
        let mut state = self.state();
        let asked =
            state.connections.iter_mut().filter(|connection| only.is_none_or(|id| id == connection.id));
        for connection in asked {
            let order = order();
            connection.is_warned |= matches!(order, Order::Disconnect(_));
            // If its orders pile up, the bot has stopped reading.
            let _ = connection.orders.try_send(order);
        }
    }

    /// No code panics while holding the lock.
    fn state(&self) -> MutexGuard<'_, SocketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
