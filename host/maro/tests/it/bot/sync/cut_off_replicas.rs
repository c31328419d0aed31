//! A replica that reads from Jira for all of them, and then doesn't reach Jira any more: another one takes its place.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use maro_bot::bot::Bot;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

use crate::{
    bot::{
        key,
        notices::told::{on_postgres, told, webhook},
        sync::webhooks::{deliver_to, id_of},
        until,
    },
    raw::query,
};

const LEADER: &str = "SELECT coalesce(CAST(leader AS TEXT), '-') FROM jira_polls";

/// Where Jira can be reached until the line is cut.
struct Line {
    url: Url,
    is_cut: Arc<AtomicBool>,
}

impl Line {
    async fn to(jira: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let is_cut = Arc::<AtomicBool>::default();
        let cut = Arc::clone(&is_cut);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(jira).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, Arc::clone(&cut)));
                tokio::spawn(pass(far_in, near_out, Arc::clone(&cut)));
            }
        });
        Self { url, is_cut }
    }
}

/// Nothing passes a line that is cut, and nobody is told so.
async fn pass(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    is_cut: Arc<AtomicBool>,
) {
    let mut bytes = [0; 8 * 1024];
    while let Ok(count) = from.read(&mut bytes).await {
        if is_cut.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_no_longer_reaches_jira_lets_another_read() {
    let Some(mut bot) = on_postgres().await else { return };
    let direct = bot.config.clone();
    let line = Line::to(bot.jira.base_url().socket_addrs(|| None).unwrap()[0]).await;
    bot.config.jira.api_url = Some(line.url.clone());
    bot.restart().await;
    bot.say("/maro track SCRUM-124").await;
    let leader = query(&bot.config.database, LEADER).await;
    assert_ne!(leader, ["-"]);
    let other = Bot::start(direct, bot.surroundings()).await.unwrap();
    other.wait_until_ready().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(query(&bot.config.database, LEADER).await, leader, "there is one");
    line.is_cut.store(true, Ordering::Relaxed);
    let began = Instant::now();
    bot.jira.transition_issue(&key("SCRUM-124"), "Done");
    let id = id_of(&bot, "SCRUM-124").await;
    let body = webhook(&id, "SCRUM-124", "In Progress", "Done", "Grace Hopper");
    let url = format!("http://{}/jira/webhook", other.address());
    assert_eq!(deliver_to(&url, "webhook 1", &body).await, 204);
    until("another leads", async || query(&bot.config.database, LEADER).await != leader).await;
    until("it's told", async || told(&bot).len() == 2).await;
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    other.stop().await;
}

#[tokio::test]
async fn a_replica_that_stops_leaves_the_lead_to_another_at_once() {
    let Some(mut bot) = on_postgres().await else { return };
    until("it leads", async || query(&bot.config.database, LEADER).await != ["-"]).await;
    bot.bot.take().unwrap().stop().await;
    assert_eq!(query(&bot.config.database, LEADER).await, ["-"]);
}
