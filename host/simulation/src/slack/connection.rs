//! The connections of the simulated workspace. They can be told to break off without an answer.

use std::{convert::Infallible, pin::Pin};

use axum::{Router, body::Body, http::Response, response::IntoResponse};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Resets the connection instead of answering.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the simulated Slack resets the connection")]
pub(super) struct Reset;

impl IntoResponse for Reset {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// Accepts connections until `stop` is cancelled, then waits until the last one is closed.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        // If a connection fails before it is accepted, the client handles that.
        let Ok((stream, _)) = accepted else { continue };
        tasks.spawn(exchange(stream, router.clone(), stop.clone()));
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn exchange(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Answers are small, and someone is waiting for each.
    stream.set_nodelay(true).ok();
    let service = hyper::service::service_fn(move |request| answer(request, router.clone()));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let result = match stop.run_until_cancelled(&mut connection).await {
        Some(result) => result,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if result.is_err() {
        // Closing without sending anything is a reset, as when a server crashes.
        connection.into_parts().io.into_inner().set_zero_linger().ok();
    }
}

async fn answer(request: Request<Incoming>, router: Router) -> Result<Response<Body>, Reset> {
    let result: Result<_, Infallible> = TowerToHyperService::new(router).call(request.map(Body::new)).await;
    let response = match result {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<Reset>().is_some() { Err(Reset) } else { Ok(response) }
}
