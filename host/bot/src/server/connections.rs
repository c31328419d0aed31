//! Accepting connections, at most so many, and letting them end in order.
//!
//! Anyone who can reach the address can open connections. So each has only so long for each step
//! (`connections/stream.rs`), and there are fewer of them than file descriptors (`connections/open_connections.rs`),
//! since the database, Jira, Slack and the plugins need some, too.

pub(crate) mod open_connections;
mod stream;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::TokioIo,
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::server::connections::{
    open_connections::{ConnectionPlace, Places},
    stream::{Progress, TimedStream},
};

/// How long connections have to finish their requests at shutdown: as long as Slack would wait.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after the system had no connection to give, as when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often it is logged that none can be accepted.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// The most connections of operators, out of the reserve.
const MOST_OF_OPERATORS: usize = 64;

/// How many connections may wait until they are accepted. The system may allow fewer.
const BACKLOG: u32 = 4_096;

/// What one connection may have in its buffer, in bytes, and so the longest head.
const MAX_BUFFER: usize = 32 * 1024;

/// Takes an address to accept connections from.
///
/// # Errors
/// It is taken, or isn't this machine's.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How long connections last.
#[derive(Debug, Clone)]
pub(crate) struct Lifetimes {
    /// How long each may be silent between two requests.
    pub(crate) keep_alive: Duration,
    /// From then on each is closed after its next answer, so that its client opens the next one elsewhere.
    pub(crate) draining: CancellationToken,
    /// No more are accepted, and those that there are end.
    pub(crate) shutdown: CancellationToken,
}

/// Serves `router` to operators until the shutdown.
pub(crate) async fn serve_operators(listener: TcpListener, router: Router, lifetimes: Lifetimes) {
    serve(listener, router, MOST_OF_OPERATORS, lifetimes).await;
}

/// Serves `router` on at most so many connections until the shutdown, then finishes the requests under way.
pub(crate) async fn serve(listener: TcpListener, router: Router, most: usize, lifetimes: Lifetimes) {
    let places = Places::new(most);
    let shutdown = &lifetimes.shutdown;
    let graceful = GracefulShutdown::new();
    let mut logged = None;
    while let Some((place, accepted)) = shutdown.run_until_cancelled(next(&listener, &places)).await {
        match accepted {
            Ok((stream, _)) => {
                let serving =
                    connection(stream, place, router.clone(), graceful.watcher(), lifetimes.clone());
                tokio::spawn(serving);
            }
            Err(error) => {
                drop(place);
                pause_after(&error, &mut logged).await;
            }
        }
    }
    drop(listener);
    if timeout(FINISH_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut because their requests took too long");
    }
}

/// A connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Places>,
) -> (ConnectionPlace, io::Result<(TcpStream, SocketAddr)>) {
    let accepted = listener.accept().await;
    (places.enter().await, accepted)
}

async fn connection(
    stream: TcpStream,
    place: ConnectionPlace,
    router: Router,
    watcher: Watcher,
    lifetimes: Lifetimes,
) {
    let Lifetimes { keep_alive, draining, shutdown } = lifetimes;
    let place = Arc::new(place);
    // Answers are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let progress = Progress::new(keep_alive);
    let stream = TimedStream::new(stream, Arc::clone(&progress));
    let served = async {
        let Some(Ok(())) = shutdown.run_until_cancelled(stream.speaks()).await else { return };
        let router = TowerToHyperService::new(router);
        let exchange = Exchange { place: Arc::clone(&place), progress, router, draining };
        let mut http = http1::Builder::new();
        // The stream itself knows how long each step may take.
        http.header_read_timeout(None).keep_alive(true).max_buf_size(MAX_BUFFER);
        let connection = http.serve_connection(TokioIo::new(stream), exchange);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection broke");
        }
    };
    tokio::select! {
        biased;
        () = place.closed() => tracing::debug!("closed a connection to make room"),
        () = served => {}
    }
}

/// What is done with each request of a connection.
struct Exchange {
    place: Arc<ConnectionPlace>,
    progress: Arc<Progress>,
    router: TowerToHyperService<Router>,
    draining: CancellationToken,
}

impl Service<Request<Incoming>> for Exchange {
    type Response = Response;
    type Error = open_connections::Closed;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, open_connections::Closed>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.progress.begin_request();
        let begun = self.place.begin_request();
        request.extensions_mut().insert(Arc::clone(&self.place));
        let answer = self.router.call(request);
        let (place, progress) = (Arc::clone(&self.place), Arc::clone(&self.progress));
        let draining = self.draining.clone();
        Box::pin(async move {
            begun?;
            let answer = answer.await;
            progress.end_request();
            place.end_request();
            match answer {
                Ok(mut answer) => {
                    if draining.is_cancelled() {
                        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok(answer)
                }
                Err(never) => match never {},
            }
        })
    }
}

/// Errors of one connection are passed over; others may last, and a loop on them would only burn CPU.
async fn pause_after(error: &io::Error, logged: &mut Option<Instant>) {
    let of_the_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if of_the_connection {
        return;
    }
    if logged.is_none_or(|logged| logged.elapsed() >= LOG_PAUSE) {
        tracing::error!(%error, "can't accept connections");
        *logged = Some(Instant::now());
    }
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
