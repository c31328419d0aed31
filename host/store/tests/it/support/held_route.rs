//! A way to PostgreSQL that can be led elsewhere, and on which bytes can be held back and delivered later.

use std::{net::SocketAddr, sync::Arc};

use maro_process::secret::Secret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use url::Url;

use super::postgres;

#[derive(Debug, Clone)]
struct State {
    target: SocketAddr,
    /// What the connections that are older than this hold back: everything from the first bytes with this text in
    /// them.
    held: Option<String>,
    /// Counts the times that something was held back, so that a connection knows whether it is older.
    holds: u32,
    /// Counts the times that all connections were ended.
    ends: u32,
}

/// A way to a server.
pub(crate) struct HeldRoute {
    pub(crate) url: Secret,
    state: Arc<watch::Sender<State>>,
}

impl HeldRoute {
    pub(crate) async fn to(database: &postgres::Database) -> Self {
        let mut url: Url = database.url.parse().unwrap();
        let target = address(&url);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let state = Arc::new(watch::Sender::new(State { target, held: None, holds: 0, ends: 0 }));
        let watched = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((bot, _)) = listener.accept().await {
                tokio::spawn(carry(bot, Arc::clone(&watched)));
            }
        });
        Self { url: Secret::new(url.to_string()), state }
    }

    /// From the first bytes with this text in them on, nothing gets through to the server on the connections that
    /// there are. New ones aren't affected.
    pub(crate) fn hold(&self, text: &str) {
        self.state.send_modify(|state| {
            state.held = Some(text.to_owned());
            state.holds += 1;
        });
    }

    /// Delivers what was held back.
    pub(crate) fn let_go(&self) {
        self.state.send_modify(|state| state.held = None);
    }

    /// New connections lead to another server.
    pub(crate) fn lead_to(&self, database: &postgres::Database) {
        let target = address(&database.url.parse().unwrap());
        self.state.send_modify(|state| state.target = target);
    }

    /// Ends all connections.
    pub(crate) fn end_all(&self) {
        self.state.send_modify(|state| state.ends += 1);
    }
}

fn address(url: &Url) -> SocketAddr {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)).parse().unwrap()
}

async fn carry(bot: TcpStream, state: Arc<watch::Sender<State>>) {
    let begun = state.borrow().clone();
    let mut state = state.subscribe();
    let Ok(server) = TcpStream::connect(begun.target).await else { return };
    let (from_bot, to_bot) = bot.into_split();
    let (from_server, to_server) = server.into_split();
    let mut end = state.clone();
    tokio::select! {
        () = forward(from_bot, to_server, &mut state, &begun) => {}
        () = back(from_server, to_bot) => {}
        _ = end.wait_for(|state| state.ends > begun.ends) => {}
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &mut watch::Receiver<State>,
    begun: &State,
) {
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let is_held = {
            let state = state.borrow();
            let text = state.held.as_deref().filter(|_| state.holds > begun.holds);
            text.is_some_and(|text| String::from_utf8_lossy(&bytes[..length]).contains(text))
        };
        if is_held {
            let _ = state.wait_for(|state| state.held.is_none()).await;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Goes on although the bot has closed its half, as what it sent may still be on its way.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let _ = to.write_all(&bytes[..length]).await;
    }
}
