//! Opening a WebSocket: an ordinary HTTP request by a client like the one that calls the Web API, whose
//! connection then becomes the WebSocket.

use reqwest::{
    Client, StatusCode, Upgraded,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};
use url::Url;

use crate::web_api::error::ApiError;

/// The largest message that is accepted, in bytes. Over HTTP a request has at most 1 MiB.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

pub(super) type Socket = WebSocketStream<Upgraded>;

/// Why there is no connection. The texts contain no addresses, because an address alone can open a socket.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Slack gave no address.
    #[error(transparent)]
    Api(ApiError),
    #[error("can't reach the address that Slack gave")]
    Unreachable(#[source] reqwest::Error),
    #[error("the address that Slack gave responded with status {0}")]
    Status(u16),
    #[error("what responds at the address that Slack gave doesn't speak WebSocket")]
    NotWebSocket,
    #[error("the address that Slack gave took too long to respond")]
    TimedOut,
    #[error("Slack didn't greet the connection")]
    NotGreeted,
    #[error("Slack ended the connection instead of greeting it, with the reason {0}")]
    Ended(String),
    #[error("Socket Mode is turned off in the Slack app's settings")]
    Disabled,
    #[error("Slack has as many Socket Mode connections of this app as it allows, which is ten")]
    TooMany,
}

/// Slack's reason for ending a connection while Socket Mode is turned off.
pub(super) const DISABLED: &str = "link_disabled";

/// Slack's reason for ending one connection too many, and its error instead of an address for one more.
pub(super) const TOO_MANY: &str = "too_many_websockets";

/// How much of Slack's reason is kept, in characters.
const MAX_REASON: usize = 40;

impl ConnectError {
    /// Slack has ended the connection for this reason instead of greeting it.
    pub(super) fn instead_of_hello(reason: &str) -> Self {
        match reason {
            DISABLED => Self::Disabled,
            TOO_MANY => Self::TooMany,
            "" => Self::NotGreeted,
            other => Self::Ended(other.chars().take(MAX_REASON).collect()),
        }
    }
}

impl From<ApiError> for ConnectError {
    fn from(error: ApiError) -> Self {
        match &error {
            ApiError::Refused { error: name, .. } if name == TOO_MANY => Self::TooMany,
            _ => Self::Api(error),
        }
    }
}

/// Opens a WebSocket at a `ws` or `wss` address.
pub(super) async fn open(client: &Client, address: &Url) -> Result<Socket, ConnectError> {
    let key = generate_key();
    let request = client
        .get(http_address(address))
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let unreachable = |error: reqwest::Error| ConnectError::Unreachable(error.without_url());
    let response = request.send().await.map_err(unreachable)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectError::Status(response.status().as_u16()));
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|accepted| accepted.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(ConnectError::NotWebSocket);
    }
    let upgraded = response.upgrade().await.map_err(unreachable)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// The address for the request that opens a socket.
fn http_address(address: &Url) -> Url {
    let mut http = address.clone();
    let scheme = if address.scheme() == "wss" { "https" } else { "http" };
    http.set_scheme(scheme).expect("ws and http are schemes of one kind");
    http
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_reasons_for_no_connection_are_told_apart() {
        for (reason, expected) in [
            (DISABLED, "Socket Mode is turned off in the Slack app's settings"),
            (TOO_MANY, "Slack has as many Socket Mode connections of this app as it allows, which is ten"),
            (
                "refresh_requested",
                "Slack ended the connection instead of greeting it, with the reason refresh_requested",
            ),
            ("", "Slack didn't greet the connection"),
        ] {
            assert_eq!(ConnectError::instead_of_hello(reason).to_string(), expected);
        }
        let refused = ConnectError::from(ApiError::refused(TOO_MANY, ""));
        assert!(matches!(refused, ConnectError::TooMany), "{refused}");
    }

    #[test]
    fn a_socket_is_asked_for_over_http_with_the_same_security() {
        for (socket, http) in [
            ("wss://wss-primary.slack.com/link/?ticket=1", "https://wss-primary.slack.com/link/?ticket=1"),
            ("ws://127.0.0.1:4001/link/", "http://127.0.0.1:4001/link/"),
        ] {
            assert_eq!(http_address(&socket.parse().unwrap()).as_str(), http);
        }
    }
}
