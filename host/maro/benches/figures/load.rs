//! Keep-alive connections that send one signed command after another.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use maro_process::{clock::Clock, secret::Secret};
use maro_slack::signature;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

pub(crate) const SIGNING_SECRET: &str = "a signing secret";

pub(crate) const CONNECTIONS: u32 = 16;

/// The same command again and again. Each is signed on its own: one that was signed before is answered once.
pub(crate) fn work(text: &'static str, channel: &'static str, expected: &'static str) -> Work {
    Work { next: Arc::new(move || request(text, channel)), expected }
}

/// One signed command, as bytes of HTTP.
pub(crate) fn request(text: &str, channel: &str) -> Vec<u8> {
    signed_request(text, channel, SIGNING_SECRET)
}

/// One command as bytes of HTTP, signed with any secret.
pub(crate) fn signed_request(text: &str, channel: &str, secret: &str) -> Vec<u8> {
    let mut body = format!(
        "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id={channel}\
         &channel_name=general&user_id=U024BE7LH&user_name=ada&command=%2Fmaro&text="
    );
    for byte in text.bytes() {
        let _ = write!(body, "%{byte:02X}");
    }
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let _ = write!(body, "&trigger_id=13345224609.738474920.{number:020}&api_app_id=A123456");
    let timestamp = Clock::system().now().as_second().to_string();
    let signature = signature::sign(&Secret::new(secret), &timestamp, body.as_bytes());
    format!(
        "POST /slack/commands HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\
         \r\nx-slack-request-timestamp: {timestamp}\r\nx-slack-signature: {signature}\
         \r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What is sent, and what each answer must contain.
#[derive(Clone)]
pub(crate) struct Work {
    /// Makes the next request.
    pub(crate) next: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
    pub(crate) expected: &'static str,
}

/// The seconds from request to answer.
pub(crate) type Latencies = Vec<f64>;

/// The seconds that the server takes for one request, from how many it answers in `time`. Each answer must
/// contain what is expected.
pub(crate) async fn run(address: SocketAddr, work: &Work, time: Duration) -> f64 {
    let latencies = run_on(CONNECTIONS, address, work, time).await;
    time.as_secs_f64() / latencies.len() as f64
}

/// Sends requests on as many connections for `time`.
pub(crate) async fn run_on(connections: u32, address: SocketAddr, work: &Work, time: Duration) -> Latencies {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let work = work.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut latencies = Latencies::new();
            while started.elapsed() < time {
                let request = (work.next)();
                let sent = Instant::now();
                let answer = connection.ask(&request).await;
                latencies.push(sent.elapsed().as_secs_f64());
                assert!(answer.contains(work.expected), "{answer}");
            }
            latencies
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// A connection that asks one thing at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and returns head and body of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> &str {
        self.stream.write_all(request).await.unwrap();
        self.received.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0, "the server hung up");
            if answer_length(&self.received).is_some_and(|length| self.received.len() >= length) {
                return std::str::from_utf8(&self.received).unwrap();
            }
        }
    }
}

/// The length of the answer with its head, once the head is there.
fn answer_length(received: &[u8]) -> Option<usize> {
    let head_length = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..head_length]).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head_length + length.parse::<usize>().unwrap())
}
