//! How fast the lists follow Jira: stale issues a second, and webhooks of an issue that a thousand channels track. Jira
//! answers at once, in a runtime of its own; MARO has the two threads of a small machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::post};
use maro_bot::{bot::Bot, config::Config};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::{Issue, IssueId, IssueKey},
    tracked::Source,
};
use maro_jira::{
    client::JiraClient,
    config::{JiraConfig, JiraCredentials},
    webhooks::{signature, webhook},
};
use maro_process::{clock::Clock, metrics::Metrics, replaceable::Live, secret::Secret};
use maro_store::{
    Stores,
    config::{DatabaseConfig, PostgresConfig, UrlSource},
    tracker::TrackRequest,
};
use maro_sync::list_sync::ListSync;
use serde_json::{Value, json};
use sqlx::Connection as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    http::config,
    load::{self, Connection},
    postgres,
};

/// Distinct issues, and how many channels track each of them.
const ISSUES: u32 = 20_000;
const LISTS: u32 = 3;

/// How long at most the first reading of all issues may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long unchanged issues are read again.
const ROUND: Duration = Duration::from_secs(10);

/// Channels that track one issue, and webhooks about it: ten thousand a minute.
const CHANNELS: u32 = 1_000;
const BETWEEN_WEBHOOKS: Duration = Duration::from_millis(6);
const SENDERS: u32 = 4;

const WEBHOOK_SECRET: &str = "a webhook secret";

pub(crate) fn run(plugins: &Path) {
    let jira_runtime = runtime(1);
    let maro = runtime(2);
    let jira = jira_runtime.block_on(SwiftJira::start());
    let folder = tempfile::tempdir().unwrap();
    let database = maro.block_on(postgres::Database::new());
    let mut databases = vec![("SQLite", DatabaseConfig::Sqlite { path: folder.path().join("maro.db") })];
    databases
        .extend(database.map(|database| ("PostgreSQL", DatabaseConfig::postgres(Secret::new(database.url)))));
    println!("{ISSUES} issues, each on {LISTS} lists      issues a second   rows written for each");
    for (name, database) in &databases {
        maro.block_on(refresh(name, database, &jira));
    }
    println!();
    println!(
        "An issue on {CHANNELS} lists, 10,000 webhooks a minute    p50       p99   longest   lists right"
    );
    for (name, database) in databases {
        let config = Config {
            database,
            jira: JiraConfig { webhook_secret: Some(Secret::new(WEBHOOK_SECRET)), ..jira.config() },
            ..config(plugins, folder.path(), jira.config())
        };
        maro.block_on(follow(name, config, &jira));
    }
    println!();
}

fn runtime(threads: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

/// A Jira that knows every issue, and says of all of them the same.
struct SwiftJira {
    base_url: Url,
    said: Arc<Said>,
}

#[derive(Default)]
struct Said {
    /// The number of the status that all issues have.
    status: AtomicU64,
    /// How many issues it was asked for.
    issues: AtomicU64,
}

impl SwiftJira {
    async fn start() -> Self {
        let said = Arc::<Said>::default();
        let router = Router::new()
            .route("/rest/api/3/issue/bulkfetch", post(fetch))
            .route("/rest/api/3/search/jql", post(async || as_json(&json!({ "issues": [], "isLast": true }))))
            .with_state(Arc::clone(&said));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, said }
    }

    fn config(&self) -> JiraConfig {
        let credentials =
            JiraCredentials::Cloud { email: "maro@example.com".to_owned(), api_token: Secret::new("unused") };
        JiraConfig::new(self.base_url.clone(), credentials)
    }

    fn asked(&self) -> u64 {
        self.said.issues.load(Ordering::Relaxed)
    }

    async fn wait_until_asked(&self, issues: u64) {
        let began = Instant::now();
        while self.asked() < issues {
            assert!(began.elapsed() < PATIENCE, "Jira was asked for {} of {issues} issues", self.asked());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Gives all issues another status, and returns it.
    fn change(&self) -> String {
        status(self.said.status.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

fn status(number: u64) -> String {
    format!("Status {number}")
}

async fn fetch(State(said): State<Arc<Said>>, body: String) -> impl IntoResponse {
    let body: Value = serde_json::from_str(&body).unwrap();
    let keys = body["issueIdsOrKeys"].as_array().unwrap();
    said.issues.fetch_add(keys.len() as u64, Ordering::Relaxed);
    let number = said.status.load(Ordering::Relaxed);
    let updated = format!("2026-01-31T09:{:02}:{:02}.000+0000", number / 60 % 60, number % 60);
    let issues = keys.iter().map(|key| {
        let key = key.as_str().unwrap();
        json!({ "id": key.split_once('-').unwrap().1, "key": key, "fields": {
            "summary": format!("User authentication flow of {key}"),
            "status": { "name": status(number), "statusCategory": { "key": "new" } },
            "updated": updated,
        }})
    });
    as_json(&json!({ "issues": issues.collect::<Vec<_>>(), "issueErrors": [] }))
}

fn as_json(value: &Value) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

/// Puts issues on a list, as of two hours ago.
async fn track(stores: &Stores, channel: u32, numbers: std::ops::RangeInclusive<u32>) {
    let issues: Vec<Issue> = numbers
        .map(|number| {
            let key = IssueKey::parse(&format!("SCRUM-{number}")).unwrap();
            Issue::new(IssueId::new(number.to_string()), key, "A summary", "Open")
        })
        .collect();
    let channel = ChannelId::parse(&format!("C{channel}")).unwrap();
    let person = UserId::parse("U024BE7LH").unwrap();
    let request = TrackRequest { author: &Author::host(&channel, &person), source: Source::Command };
    let long_ago = Clock::system().now() - jiff::SignedDuration::from_hours(2);
    stores.tracker.track(request, &issues, long_ago).await.unwrap();
}

/// Has all issues read twice: once when all have changed, and again when none has.
async fn refresh(name: &str, database: &DatabaseConfig, jira: &SwiftJira) {
    let stores = Stores::open(database).await.unwrap();
    for (list, first) in (1..=ISSUES).step_by(500).enumerate() {
        for copy in 0..LISTS {
            track(&stores, 10_000 + 10 * list as u32 + copy, first..=first + 499).await;
        }
    }
    let metrics = Arc::new(Metrics::new());
    let max_age = Live::new(Duration::from_secs(3_600));
    let sync = ListSync {
        tracker: Arc::clone(&stores.tracker),
        freshness: Arc::clone(&stores.freshness),
        polls: Arc::clone(&stores.jira_polls),
        jira: Arc::new(JiraClient::measured(&jira.config(), metrics.jira.clone()).unwrap()),
        clock: Clock::system(),
        metrics,
        max_age: max_age.clone(),
    };
    max_age.set(Duration::from_millis(1_000));
    let shutdown = CancellationToken::new();
    let before = (jira.asked(), rows_written(database).await);
    let running = tokio::spawn(sync.run(shutdown.clone()));
    jira.wait_until_asked(before.0 + 1).await;
    let began = Instant::now();
    jira.wait_until_asked(before.0 + u64::from(ISSUES)).await;
    let took = began.elapsed();
    print(name, "all changed", u64::from(ISSUES), took, written(before.1, database).await);
    let before = (jira.asked(), rows_written(database).await);
    let began = Instant::now();
    tokio::time::sleep(ROUND).await;
    let (asked, took) = (jira.asked() - before.0, began.elapsed());
    print(
        name,
        "none changed",
        asked,
        took,
        written(before.1, database).await.map(|rows| rows / LISTS as u64),
    );
    shutdown.cancel();
    running.await.unwrap();
    stores.close().await;
}

fn print(database: &str, what: &str, issues: u64, took: Duration, rows: Option<u64>) {
    let rows = rows.map_or("-".to_owned(), |rows| format!("{:.2}", rows as f64 / issues as f64));
    println!("  {database:<12}{what:<24} {:>15.0} {rows:>23}", issues as f64 / took.as_secs_f64());
}

async fn written(before: Option<u64>, database: &DatabaseConfig) -> Option<u64> {
    Some(rows_written(database).await? - before?)
}

/// How many rows of lists PostgreSQL has updated; SQLite doesn't count.
async fn rows_written(database: &DatabaseConfig) -> Option<u64> {
    let DatabaseConfig::Postgres(PostgresConfig { url: UrlSource::Given(url), .. }) = database else {
        return None;
    };
    // The server tells what it has counted after a second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut connection = sqlx::PgConnection::connect(url.expose()).await.unwrap();
    let count = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'channel_tracked_issues'";
    let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
    u64::try_from(rows).ok()
}

/// Sends webhooks while the issue changes now and then, and looks when a list says so.
async fn follow(name: &str, config: Config, jira: &SwiftJira) {
    let stores = Stores::open(&config.database).await.unwrap();
    for channel in 1..=CHANNELS {
        track(&stores, channel, 1..=1).await;
    }
    // The file is for one owner at a time.
    stores.close().await;
    let bot = Bot::start(config, Clock::system()).await.unwrap();
    bot.wait_until_ready().await;
    let over = CancellationToken::new();
    let senders = (0..SENDERS).map(|sender| tokio::spawn(send_webhooks(bot.address(), sender, over.clone())));
    let senders: Vec<_> = senders.collect();
    let mut connection = Connection::open(bot.address()).await;
    let mut right = Vec::new();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let (status, began) = (jira.change(), Instant::now());
        while !connection.ask(&load::request("tracked", &format!("C{CHANNELS}"))).await.contains(&status) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        right.push(began.elapsed());
    }
    over.cancel();
    let mut latencies = Vec::new();
    for sender in senders {
        latencies.extend(sender.await.unwrap());
    }
    latencies.sort();
    let at =
        |percent: usize| latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)].as_secs_f64();
    let longest = right.iter().max().unwrap().as_secs_f64();
    println!(
        "  {name:<50} {:>6.1} ms {:>6.1} ms {:>6.1} ms {longest:>9.2} s",
        at(50) * 1e3,
        at(99) * 1e3,
        at(100) * 1e3
    );
    bot.stop().await;
}

/// Returns how long each webhook took to be acknowledged.
async fn send_webhooks(address: SocketAddr, sender: u32, over: CancellationToken) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut latencies = Vec::new();
    let mut turn = tokio::time::interval(BETWEEN_WEBHOOKS * SENDERS);
    let mut answer = vec![0; 4_096];
    while !over.is_cancelled() {
        turn.tick().await;
        let identifier = format!("webhook {sender} {}", latencies.len());
        let body = json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": "1", "key": "SCRUM-1" } });
        let body = body.to_string();
        let signature = signature::sign(&Secret::new(WEBHOOK_SECRET), body.as_bytes());
        let request = format!(
            "POST /jira/webhook HTTP/1.1\r\nhost: 127.0.0.1\r\n{}: {signature}\r\n{}: {identifier}\r\n\
             content-length: {}\r\n\r\n{body}",
            signature::SIGNATURE_HEADER,
            webhook::IDENTIFIER_HEADER,
            body.len()
        );
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let length = stream.read(&mut answer).await.unwrap();
        latencies.push(began.elapsed());
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    latencies
}
