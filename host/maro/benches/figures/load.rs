//! Sixteen keep-alive connections that send one signed command after another.

use std::{
    fmt::Write as _,
    net::SocketAddr,
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

const CONNECTIONS: u32 = 16;

/// One signed command, as bytes of HTTP.
pub(crate) fn request(text: &str, channel: &str) -> Vec<u8> {
    let mut body = format!(
        "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id={channel}\
         &channel_name=general&user_id=U024BE7LH&user_name=ada&command=%2Fmaro&text="
    );
    for byte in text.bytes() {
        let _ = write!(body, "%{byte:02X}");
    }
    body.push_str("&trigger_id=13345224609.738474920.8088930838d88f008e0&api_app_id=A123456");
    let timestamp = Clock::system().now().as_second().to_string();
    let signature = signature::sign(&Secret::new(SIGNING_SECRET), &timestamp, body.as_bytes());
    format!(
        "POST /slack/commands HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\
         \r\nx-slack-request-timestamp: {timestamp}\r\nx-slack-signature: {signature}\
         \r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The seconds that the server takes for one request, from how many it answers in `time`. Each answer must
/// contain `expected`.
pub(crate) async fn run(address: SocketAddr, request: &[u8], expected: &'static str, time: Duration) -> f64 {
    let started = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = request.to_vec();
        connections.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut answered = 0_u32;
            while started.elapsed() < time {
                let answer = connection.ask(&request).await;
                assert!(answer.contains(expected), "{answer}");
                answered += 1;
            }
            answered
        });
    }
    let answered: u32 = connections.join_all().await.into_iter().sum();
    started.elapsed().as_secs_f64() / f64::from(answered)
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
