//! The connections of the simulated workspace. They can be told to break off without an answer.

use std::convert::Infallible;

use axum::{Router, body::Body, http::Response, response::IntoResponse};
use hyper::{Request, body::Incoming, service::Service as _};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::breakable_connection;

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
    breakable_connection::serve(stream, |request| answer(request, router.clone()), &stop).await;
}

async fn answer(request: Request<Incoming>, router: Router) -> Result<Response<Body>, Reset> {
    let result: Result<_, Infallible> = TowerToHyperService::new(router).call(request.map(Body::new)).await;
    let response = match result {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<Reset>().is_some() { Err(Reset) } else { Ok(response) }
}
