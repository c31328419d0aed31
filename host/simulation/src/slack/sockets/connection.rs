//! One socket: greets the bot, sends envelopes, receives acknowledgements, pings, and ends when told to.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::slack::{
    sockets::{DisconnectReason, MAX_CONNECTIONS, Order},
    state::WorkspaceState,
};

const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How many orders may be waiting for a connection.
const MAX_ORDERS: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// Whether a connection continues.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

/// Runs a connection from the greeting to its end.
pub(super) async fn run(mut socket: Socket, shared: &WorkspaceState) {
    let (sender, mut orders) = mpsc::channel(MAX_ORDERS);
    let (id, count) = shared.sockets.add(sender);
    if count > MAX_CONNECTIONS {
        disconnect(&mut socket, DisconnectReason::TooManyWebsockets).await;
    } else if send(&mut socket, &hello(shared, count)).await == Next::GoOn {
        let mut pings = tokio::time::interval(PING_INTERVAL);
        loop {
            let next = tokio::select! {
                () = shared.shutdown.cancelled() => Next::End,
                order = orders.recv() => match order {
                    Some(order) => obey(&mut socket, order).await,
                    None => Next::End,
                },
                message = socket.next() => match message {
                    Some(Ok(message)) => take(shared, message),
                    Some(Err(_)) | None => Next::End,
                },
                _ = pings.tick() => ping(&mut socket).await,
            };
            if next == Next::End {
                break;
            }
        }
    }
    shared.sockets.remove(id);
}

fn hello(shared: &WorkspaceState, count: usize) -> Value {
    json!({
        "type": "hello",
        "num_connections": count,
        "debug_info": { "host": "applink-simulation", "build_number": 1, "approximate_connection_time": 18_060 },
        "connection_info": { "app_id": shared.workspace.app_id },
    })
}

async fn send(socket: &mut Socket, message: &Value) -> Next {
    let sent = socket.send(Message::text(message.to_string())).await;
    if sent.is_ok() { Next::GoOn } else { Next::End }
}

async fn ping(socket: &mut Socket) -> Next {
    let sent = socket.send(Message::Ping(Bytes::from_static(b"Ping from applink-simulation"))).await;
    if sent.is_ok() { Next::GoOn } else { Next::End }
}

async fn obey(socket: &mut Socket, order: Order) -> Next {
    match order {
        Order::Send(envelope) => send(socket, &envelope).await,
        Order::SendAndDrop(envelope) => {
            send(socket, &envelope).await;
            Next::End
        }
        Order::Disconnect(reason) => disconnect(socket, reason).await,
        Order::Drop => Next::End,
    }
}

async fn disconnect(socket: &mut Socket, reason: DisconnectReason) -> Next {
    let message = json!({
        "type": "disconnect",
        "reason": reason.word(),
        "debug_info": { "host": "applink-simulation" },
    });
    let sent = send(socket, &message).await;
    if reason == DisconnectReason::Warning {
        return sent;
    }
    // The other side may have closed it already.
    let _ = socket.close(None).await;
    Next::End
}

/// Handles what the bot sends. The protocol itself answers pings.
fn take(shared: &WorkspaceState, message: Message) -> Next {
    let text = match message {
        Message::Text(text) => text,
        Message::Close(_) => return Next::End,
        _ => return Next::GoOn,
    };
    let report = |problem: &str| shared.history.report(format!("{problem} came through a socket."));
    let Ok(mut acknowledgement) = serde_json::from_str::<Value>(&text) else {
        report("Something that isn't JSON");
        return Next::GoOn;
    };
    let Some(envelope_id) = acknowledgement["envelope_id"].as_str().map(str::to_owned) else {
        report("An acknowledgement without envelope_id");
        return Next::GoOn;
    };
    let payload = Some(acknowledgement["payload"].take()).filter(|payload| !payload.is_null());
    let Some(pending) = shared.sockets.state().pending.remove(&envelope_id) else {
        tracing::debug!(envelope_id, "an acknowledgement came too late or twice");
        return Next::GoOn;
    };
    if payload.is_some() && !pending.takes_payload {
        report("A payload for an envelope that doesn't accept one");
    }
    // The waiting side may have given up.
    let _ = pending.acknowledged.send(payload);
    Next::GoOn
}
