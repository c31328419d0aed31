//! The playground: a page on loopback that shows the simulated workspace, the simulated Jira site and the
//! plugins, and lets people use MARO in them.
//!
//! It has a listener of its own and talks to the sandbox's programmatic interfaces; the bot does not know of
//! it. What is shown goes out over one stream (`live`), what people do comes in through two addresses
//! (`slack_acts`, `jira_acts`), and `guard` keeps other sites' pages away from all of it.

mod assets;
mod guard;
mod jira_acts;
mod live;
mod plugins;
mod shapes;
mod slack_acts;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router, middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::builds::Builds;
use maro_runtime::registry::Registry;
use maro_simulation::{jira::server::SimulatedJira, slack::SimulatedSlack};

/// How long connections have to end at shutdown. A browser may hold some open without a request.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// What the page shows.
#[derive(Clone)]
pub struct Playground {
    pub slack: Arc<SimulatedSlack>,
    pub jira: Arc<SimulatedJira>,
    pub registry: Arc<Registry>,
    pub builds: Builds,
}

/// Why the page does not start.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("{0} is not on this machine alone: whoever reaches the page can use the bot")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A running page. It stops when dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

/// What the routes share.
struct Shared {
    playground: Playground,
    address: SocketAddr,
    /// Names this run: another one has other messages.
    session: String,
    shutdown: CancellationToken,
}

impl Page {
    /// Starts serving on `listen`, a loopback address whose port may be 0 for any free one.
    ///
    /// # Errors
    /// [`PageError`]: the address is not on loopback, or is taken.
    pub async fn start(listen: SocketAddr, playground: Playground) -> Result<Self, PageError> {
        if !listen.ip().is_loopback() {
            return Err(PageError::NotLoopback(listen));
        }
        let failed = |source| PageError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared {
            playground,
            address,
            session: format!("{:08x}", rand::random::<u32>()),
            shutdown: shutdown.clone(),
        });
        let served = axum::serve(listener, router(shared))
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .into_future();
        let server = tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the playground's page has ended");
            }
        });
        Ok(Self { address, shutdown, server })
    }

    /// Where it is, such as `http://127.0.0.1:3001/`.
    pub fn url(&self) -> Url {
        Url::parse(&format!("http://{}/", self.address)).expect("a socket's address is a host and a port")
    }

    /// Stops serving, and returns when it has stopped.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        // What has not ended by then is cut with the value.
        let _ = timeout(FINISH_TIMEOUT, &mut self.server).await;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.server.abort();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(assets::index))
        .route("/assets/{name}", get(assets::asset))
        .route("/live", get(live::stream))
        .route("/slack", post(slack_acts::act))
        .route("/jira", post(jira_acts::act))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard::check))
        .with_state(shared)
}

/// An answer in JSON.
fn json(status: axum::http::StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(axum::http::header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal with a sentence for the person.
fn refusal(status: axum::http::StatusCode, sentence: &str) -> Response {
    json(status, &serde_json::json!({ "error": sentence }))
}
