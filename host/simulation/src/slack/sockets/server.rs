//! Accepts sockets. Each needs a ticket from `apps.connections.open`.

use std::{collections::HashMap, sync::Arc};

use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::handshake::server::{ErrorResponse, Request, Response},
};
use url::form_urlencoded;

use crate::slack::{sockets::connection, state::WorkspaceState};

/// Accepts sockets until the workspace stops.
pub(in crate::slack) async fn serve(listener: TcpListener, shared: Arc<WorkspaceState>) {
    while let Some(accepted) = shared.shutdown.run_until_cancelled(listener.accept()).await {
        // If a connection fails before it is accepted, the client handles that.
        let Ok((stream, _)) = accepted else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            if let Some(socket) = shake_hands(stream, &shared).await {
                connection::run(socket, &shared).await;
            }
        });
    }
}

async fn shake_hands(stream: TcpStream, shared: &WorkspaceState) -> Option<WebSocketStream<TcpStream>> {
    stream.set_nodelay(true).ok();
    #[expect(clippy::result_large_err, reason = "tungstenite prescribes the signature")]
    let admit = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let query: HashMap<_, _> =
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).collect();
        let is_known = query.get("ticket").is_some_and(|ticket| shared.sockets.take_ticket(ticket));
        if request.uri().path() == "/link/" && is_known {
            return Ok(response);
        }
        shared.history.report("A socket was opened without a fresh ticket.".to_owned());
        let mut refusal = ErrorResponse::new(Some("invalid ticket".to_owned()));
        *refusal.status_mut() = axum::http::StatusCode::FORBIDDEN;
        Err(refusal)
    };
    let socket = shared.shutdown.run_until_cancelled(accept_hdr_async(stream, admit)).await?;
    socket.inspect_err(|error| tracing::debug!(%error, "a socket couldn't be opened")).ok()
}
