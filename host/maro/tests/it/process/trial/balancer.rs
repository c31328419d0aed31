//! A balancer as companies have one: it learns late which replicas are ready, gives each request to one of those, and
//! to another one only if nobody has taken it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use maro_process::http::client::{self, ClientOptions, Trust};
use reqwest::Client;
use tokio::{net::TcpListener, time::sleep};

/// How often it looks who is ready: so long it sends requests to somebody who isn't any more.
const LAG: Duration = Duration::from_millis(700);

/// As a balancer in front of a bot that answers within three seconds.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A replica from its start to its end.
#[derive(Debug, Clone, Copy)]
struct Replica {
    address: SocketAddr,
    is_ready: bool,
    /// It is killed, or was: whatever it had in hand may be cut off.
    is_killed: bool,
    is_gone: bool,
}

/// What became of the requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed {
    pub(super) answered: usize,
    /// Nobody was ready.
    pub(super) refused: usize,
    /// Cut off by the end of a replica that was killed.
    pub(super) cut_off: usize,
    /// Cut off, or answered with an error, by a replica that nobody killed.
    pub(super) failed: Vec<String>,
}

/// It serves until the test ends.
#[derive(Clone)]
pub(super) struct Balancer {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<(Vec<Replica>, Passed)>>,
    http: Client,
}

impl Balancer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let http = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
        let balancer = Self { address: listener.local_addr().unwrap(), state: Arc::default(), http };
        let (serving, looking) = (balancer.clone(), balancer.clone());
        let pass = move |request: Request| {
            let serving = serving.clone();
            async move { serving.pass(request).await }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await });
        tokio::spawn(async move { looking.look().await });
        balancer
    }

    /// Lets it know a replica that has just started. Returns what the replica is called here.
    pub(super) fn add(&self, address: SocketAddr) -> usize {
        let replicas = &mut self.state().0;
        replicas.push(Replica { address, is_ready: false, is_killed: false, is_gone: false });
        replicas.len() - 1
    }

    /// Notes that a replica is about to be killed, which nobody tells the requests that it has.
    pub(super) fn note_killed(&self, replica: usize) {
        self.state().0[replica].is_killed = true;
    }

    pub(super) fn note_gone(&self, replica: usize) {
        self.state().0[replica].is_gone = true;
    }

    /// How many replicas are ready, as far as the balancer knows.
    pub(super) fn ready(&self) -> usize {
        self.state().0.iter().filter(|replica| replica.is_ready && !replica.is_gone).count()
    }

    pub(super) fn passed(&self) -> Passed {
        self.state().1.clone()
    }

    fn state(&self) -> MutexGuard<'_, (Vec<Replica>, Passed)> {
        self.state.lock().unwrap()
    }

    async fn look(&self) {
        loop {
            let replicas = self.state().0.clone();
            for (name, replica) in replicas.iter().enumerate().filter(|(_, replica)| !replica.is_gone) {
                let asked = self.http.get(format!("http://{}/readyz", replica.address)).timeout(TIMEOUT);
                let is_ready = asked.send().await.is_ok_and(|answer| answer.status() == StatusCode::OK);
                self.state().0[name].is_ready = is_ready;
            }
            sleep(LAG).await;
        }
    }

    /// Those to try, beginning with whose turn it is.
    fn candidates(&self) -> Vec<(usize, Replica)> {
        let state = self.state();
        let mut ready: Vec<_> = state
            .0
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, replica)| replica.is_ready && !replica.is_gone)
            .collect();
        if !ready.is_empty() {
            let turn = (state.1.answered + state.1.failed.len() + state.1.cut_off) % ready.len();
            ready.rotate_left(turn);
        }
        ready
    }

    async fn pass(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        for (name, replica) in self.candidates() {
            let url = format!("http://{}{}", replica.address, head.uri);
            let mut headers = head.headers.clone();
            headers.remove(header::HOST);
            let request = self.http.request(head.method.clone(), url).headers(headers).timeout(TIMEOUT);
            match request.body(body.clone()).send().await {
                Err(error) if error.is_connect() => {}
                Err(error) => return self.note_failure(name, format!("{}: {error:?}", head.uri)),
                Ok(answer) if answer.status().is_server_error() => {
                    return self.note_failure(name, format!("{}: {}", head.uri, answer.status()));
                }
                Ok(answer) => {
                    let (status, kind) =
                        (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
                    let Ok(body) = answer.bytes().await else {
                        return self.note_failure(name, format!("{}: half an answer", head.uri));
                    };
                    self.state().1.answered += 1;
                    let mut passed = (status, Body::from(body)).into_response();
                    if let Some(kind) = kind {
                        passed.headers_mut().insert(header::CONTENT_TYPE, kind);
                    }
                    return passed;
                }
            }
        }
        self.state().1.refused += 1;
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }

    fn note_failure(&self, replica: usize, what: String) -> Response {
        let mut state = self.state();
        if state.0[replica].is_killed {
            state.1.cut_off += 1
        } else {
            state.1.failed.push(what)
        }
        StatusCode::BAD_GATEWAY.into_response()
    }
}
