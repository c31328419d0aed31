//! What comes in over HTTP is bounded in bytes and in time.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::bot::{
    TestBot,
    server::http::{signed, status},
};

const MIB: usize = 1024 * 1024;

/// The beginning of an answer, such as `HTTP/1.1 408`.
async fn answer(connection: &mut TcpStream) -> String {
    let mut start = [0; 12];
    connection.read_exact(&mut start).await.unwrap();
    String::from_utf8(start.to_vec()).unwrap()
}

#[tokio::test]
async fn a_body_in_drips_is_not_waited_for() {
    let bot = TestBot::start().await;
    for path in ["slack/commands", "slack/interactions", "slack/events"] {
        let mut connection = TcpStream::connect(bot.bot().address()).await.unwrap();
        let head = format!("POST /{path} HTTP/1.1\r\nhost: bot\r\ncontent-length: 1000000\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        let began = Instant::now();
        let (mut receiving, mut sending) = connection.into_split();
        let dripping = tokio::spawn(async move {
            // Until the bot has had enough.
            while sending.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let mut start = [0; 12];
        receiving.read_exact(&mut start).await.unwrap();
        let took = began.elapsed();
        dripping.abort();
        assert_eq!(start, *b"HTTP/1.1 408", "{path}");
        assert!((Duration::from_secs(4)..Duration::from_secs(20)).contains(&took), "{path}: {took:?}");
    }
}

#[tokio::test]
async fn a_body_has_a_mebibyte_at_most_announced_or_not() {
    let bot = TestBot::start().await;
    // What is read whole is no command, which is another refusal.
    for (length, announced, chunked) in [(MIB, 400, "401"), (MIB + 1, 413, "413")] {
        let body = vec![b'a'; length];
        assert_eq!(status(signed(&bot, "slack/commands", &body, 0)).await, announced, "{length}");
        let mut connection = TcpStream::connect(bot.bot().address()).await.unwrap();
        let head = format!(
            "POST /slack/commands HTTP/1.1\r\nhost: bot\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&body).await.unwrap();
        connection.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        assert_eq!(answer(&mut connection).await, format!("HTTP/1.1 {chunked}"), "{length}");
    }
}
