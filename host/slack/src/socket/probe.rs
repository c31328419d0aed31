//! Whether Socket Mode works: opens a connection, waits for Slack's greeting, and closes it again.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::{
    socket::{
        envelope::{self, Frame},
        handshake::{self, ConnectError, Socket},
    },
    web_api::{SlackWebApi, error::ApiError},
};
use maro_process::secret::Secret;

/// How long a connection and its greeting may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why Socket Mode doesn't work.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Slack gives no address for a connection.
    #[error(transparent)]
    NoAddress(ApiError),
    #[error("it is turned off in the Slack app's settings")]
    TurnedOff,
    #[error("Slack has as many connections of this app as it allows, which is ten")]
    TooMany,
    /// There is no connection to the address that Slack gave, of which the host and the scheme are kept.
    #[error("no connection to {}", .address.host_str().unwrap_or_default())]
    NoConnection {
        address: Url,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Opens a connection and waits for Slack's `hello`. Whatever else Slack sends meanwhile isn't acknowledged, so Slack
/// sends it to another connection. Returns the host.
///
/// # Errors
/// [`TrialError`].
pub async fn try_out(api: &SlackWebApi, app_token: &Secret) -> Result<String, TrialError> {
    let address = api.socket_address(app_token).await.map_err(TrialError::from_api)?;
    let host = address.host_str().unwrap_or_default().to_owned();
    let client = api.client_for_socket(&address).await.map_err(TrialError::NoAddress)?;
    let greeted = async {
        let mut socket = handshake::open(client, &address).await?;
        let greeted = greeted(&mut socket).await;
        // Fails if Slack has closed already.
        let _ = socket.close(None).await;
        greeted
    };
    match timeout(PATIENCE, greeted).await.unwrap_or(Err(ConnectError::TimedOut)) {
        Ok(()) => Ok(host),
        Err(ConnectError::Disabled) => Err(TrialError::TurnedOff),
        Err(ConnectError::TooMany) => Err(TrialError::TooMany),
        Err(error) => Err(TrialError::NoConnection { address: bare(address), source: Box::new(error) }),
    }
}

impl TrialError {
    fn from_api(error: ApiError) -> Self {
        match ConnectError::from(error) {
            ConnectError::Api(error) => Self::NoAddress(error),
            _ => Self::TooMany,
        }
    }
}

/// Without the path and what follows it, which alone can open a socket.
fn bare(mut address: Url) -> Url {
    address.set_path("");
    address.set_query(None);
    address.set_fragment(None);
    address
}

async fn greeted(socket: &mut Socket) -> Result<(), ConnectError> {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        match envelope::parse(&text) {
            Some(Frame::Hello) => return Ok(()),
            Some(Frame::Disconnect { reason }) => return Err(ConnectError::instead_of_hello(&reason)),
            _ => {}
        }
    }
    Err(ConnectError::NotGreeted)
}
