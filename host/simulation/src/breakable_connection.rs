//! Connections of a server that can break them off without an answer.

use std::pin::Pin;

use axum::{body::Body, http::Response};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Answers the requests of one connection until `stop` is cancelled. An error of `answer` resets the connection.
pub(crate) async fn serve<F, R, E>(stream: TcpStream, answer: F, stop: &CancellationToken)
where
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Result<Response<Body>, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    // Answers are small, and someone is waiting for each.
    stream.set_nodelay(true).ok();
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    let result = match stop.run_until_cancelled(&mut connection).await {
        Some(result) => result,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if result.is_err() {
        // Closing with unread or unsent data is a reset, as when a server crashes.
        connection.into_parts().io.into_inner().set_zero_linger().ok();
    }
}
