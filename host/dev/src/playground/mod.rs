//! The playground: a page on loopback that shows the simulated workspace, the simulated Jira site and the
//! plugins, and lets people use MARO in them.
//!
//! It has its own listener and uses the simulation's programmatic interfaces. The bot doesn't know about it. One
//! stream (`live`) sends what the page shows, three addresses (`slack_acts`, `jira_acts`, `time`) receive what people
//! do, and `guard` keeps pages of other sites out.

mod answers;
mod assets;
mod event_stream;
mod failing_endpoints;
mod failure;
mod guard;
mod jira_acts;
mod plugins;
mod shapes;
mod slack_acts;
pub mod state;
mod time;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::playground::state::{Playground, PlaygroundState};

/// The usual port.
pub const PAGE_PORT: u16 = 3001;

/// How long connections may take to end at shutdown. A browser may keep some open without a request.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the page couldn't be started.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("{0} isn't a loopback address: anyone who reached the page could use the bot")]
    NotLoopback(SocketAddr),
    #[error("can't listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A running page. It stops when dropped.
#[derive(Debug)]
pub struct PlaygroundPage {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl PlaygroundPage {
    /// Starts serving on `listen`, a loopback address. Port 0 means any free port.
    ///
    /// # Errors
    /// [`PageError`]: the address isn't on loopback, or is in use.
    pub async fn start(listen: SocketAddr, playground: Playground) -> Result<Self, PageError> {
        if !listen.ip().is_loopback() {
            return Err(PageError::NotLoopback(listen));
        }
        let failed = |source| PageError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shutdown = CancellationToken::new();
        let shared = Arc::new(PlaygroundState {
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
                tracing::error!(%error, "the playground stopped");
            }
        });
        Ok(Self { address, shutdown, server })
    }

    /// The page's address, such as `http://127.0.0.1:3001/`.
    pub fn url(&self) -> Url {
        Url::parse(&format!("http://{}/", self.address)).expect("a socket's address is a host and a port")
    }

    /// Stops serving, and returns once it has stopped.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        // What hasn't ended by then is aborted when the value is dropped.
        let _ = timeout(FINISH_TIMEOUT, &mut self.server).await;
    }
}

impl Drop for PlaygroundPage {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.server.abort();
    }
}

fn router(shared: Arc<PlaygroundState>) -> Router {
    Router::new()
        .route("/", get(assets::index))
        .route("/assets/{name}", get(assets::asset))
        .route("/live", get(event_stream::stream))
        .route("/slack", post(slack_acts::act))
        .route("/jira", post(jira_acts::act))
        .route("/time", post(time::turn))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard::check))
        .with_state(shared)
}
