//! A large company's lists: three million rows of a million issues in a thousand channels, which four replicas on one
//! PostgreSQL keep as Jira has them, while twelve issues change every second. Told by webhooks first, and then only by
//! what Jira answers when it's asked what has changed.
//!
//! Takes six minutes and a gigabyte of disk, so it runs only if it's named: `cargo bench -- scale`.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Path as UrlPath, State},
    http::{Uri, header},
    response::IntoResponse,
    routing::{get, post},
};
use maro_bot::{bot::Bot, config::Config};
use maro_jira::{
    config::{JiraConfig, JiraCredentials},
    webhooks::{signature, webhook},
};
use maro_process::{clock::Clock, secret::Secret};
use maro_slack::config::SlackConfig;
use maro_store::{Stores, config::DatabaseConfig};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    http::config,
    load::{self, Connection},
    postgres,
};

const ISSUES: u64 = 1_000_000;
const CHANNELS: u64 = 1_000;

/// How many channels track an issue.
const LISTS: u64 = 3;

const REPLICAS: usize = 4;
const CHANGES_A_SECOND: u32 = 12;

const IDLE: Duration = Duration::from_secs(15);
const BY_WEBHOOKS: Duration = Duration::from_secs(60);
const BY_POLLING: Duration = Duration::from_secs(120);

/// How long it's waited for the last messages of a part.
const LAST_MESSAGES: Duration = Duration::from_secs(90);

/// The time between two `/maro tracked`.
const BETWEEN_COMMANDS: Duration = Duration::from_millis(25);

const WEBHOOK_SECRET: &str = "a webhook secret";

pub(crate) fn run(plugins: &Path) {
    let world_runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let maro = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = world_runtime.block_on(World::start());
    maro.block_on(async {
        let Some(database) = postgres::Database::new().await else { return };
        let began = Instant::now();
        fill(&database.url).await;
        println!(
            "{} rows of {ISSUES} issues in {CHANNELS} channels, put in within {:.0} s; {REPLICAS} replicas, \
             {CHANGES_A_SECOND} changes a second",
            ISSUES * LISTS,
            began.elapsed().as_secs_f64()
        );
        measure(plugins, &database.url, &world).await;
    });
}

/// Puts all lists in, as if Jira had been asked about each issue within the last minute.
async fn fill(url: &str) {
    let config = DatabaseConfig::postgres(Secret::new(url));
    Stores::open(&config).await.unwrap().close().await;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let rows = format!(
        "SET session_replication_role = replica;
         INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by, source,
             last_synced_at, last_jira_summary, last_jira_status, last_jira_category, jira_updated_ms)
         SELECT 'C' || (10000 + (issue + list * 333) % {CHANNELS}), 'SCRUM-' || issue, issue::text,
             now() - issue * interval '1 second', 'U024BE7LH', 'command', now(),
             'User authentication flow, part ' || issue, 'Status 0', 'new', 0
         FROM generate_series(1, {ISSUES}) AS issue, generate_series(0, {LISTS} - 1) AS list;
         INSERT INTO issue_freshness (issue_key, asked_at, due_at, updated_ms)
         SELECT 'SCRUM-' || issue, at, at, 0
         FROM generate_series(1, {ISSUES}) AS issue, LATERAL (SELECT now() - random() * interval '1 minute' AS at) AS asked;
         INSERT INTO jira_polls (asked_ms, known_ms, since_ms)
         SELECT now, now, now - 3600000 FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now) AS clock;"
    );
    connection.execute(sqlx::AssertSqlSafe(rows)).await.unwrap();
    for table in ["channel_tracked_issues", "issue_freshness"] {
        connection.execute(sqlx::AssertSqlSafe(format!("VACUUM (ANALYZE) {table}"))).await.unwrap();
    }
}

async fn measure(plugins: &Path, url: &str, world: &World) {
    let folder = tempfile::tempdir().unwrap();
    let mut bots = Vec::new();
    for _ in 0..REPLICAS {
        let config = Config {
            sync_interval: Duration::from_secs(300),
            slack: SlackConfig {
                signing_secret: Some(Secret::new(load::SIGNING_SECRET)),
                ..SlackConfig::new(world.slack_url(), Secret::new("xoxb-bench"))
            },
            database: DatabaseConfig::postgres(Secret::new(url)),
            ..config(plugins, folder.path(), world.jira_config())
        };
        let bot = Bot::start(config, Clock::system()).await.unwrap();
        bot.wait_until_ready().await;
        bots.push(bot);
    }
    let addresses: Vec<SocketAddr> = bots.iter().map(Bot::address).collect();
    println!(
        "                  /maro tracked p50      p99   notices p50      p99   longest    not told   Jira's requests a second   oldest"
    );
    part("idle", IDLE, &addresses, world, None).await;
    part("webhooks", BY_WEBHOOKS, &addresses, world, Some(Told::ByWebhook)).await;
    explain_missing(url, world).await;
    part("polling", BY_POLLING, &addresses, world, Some(Told::WhenAsked)).await;
    explain_missing(url, world).await;
    println!();
    for bot in bots {
        bot.stop().await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    ByWebhook,
    WhenAsked,
}

/// Changes issues for `time`, and prints what came of it.
async fn part(name: &str, time: Duration, addresses: &[SocketAddr], world: &World, told: Option<Told>) {
    let (requests, began) = (world.requests(), Instant::now());
    let commands = tokio::spawn(ask_for_lists(addresses[0], began + time));
    if let Some(told) = told {
        change_issues(began + time, addresses, world, told).await;
    }
    let latencies = commands.await.unwrap();
    let requests = (world.requests() - requests) as f64 / began.elapsed().as_secs_f64();
    let oldest = oldest(addresses).await;
    let last = Instant::now() + LAST_MESSAGES;
    while !world.told().awaited.is_empty() && Instant::now() < last {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut told = world.told();
    let mut notices = std::mem::take(&mut told.latencies);
    notices.sort();
    let missing = told.awaited.len();
    let at = |percent: usize| {
        let place = (notices.len() * percent / 100).min(notices.len().saturating_sub(1));
        notices.get(place).map_or("-".to_owned(), |notice| format!("{:.2} s", notice.as_secs_f64()))
    };
    let command = |percent: usize| {
        latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "  {name:<12} {:>19.1} ms {:>5.1} ms {:>11} {:>8} {:>9} {missing:>11} {requests:>26.2} {oldest:>6} s",
        command(50),
        command(99),
        at(50),
        at(99),
        at(100),
    );
}

/// Prints what became of what channels weren't told.
async fn explain_missing(url: &str, world: &World) {
    let missing = std::mem::take(&mut world.told().awaited);
    if missing.is_empty() {
        return;
    }
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    for ((channel, issue), changed) in missing {
        let state = "SELECT coalesce(string_agg(from_status || ' to ' || to_status || ': ' || state || ' '
                || coalesce(message_ts, reason, '') || ', noted ' || (now() - noted_at)::text || ' ago',
                ', ' ORDER BY id), 'nothing is noted')
                || coalesce((SELECT '; the channel is due in ' || coalesce((due_ms - now.ms)::text, 'no') || ' ms, held for '
                    || (held_until_ms - now.ms) || ' ms, ' || coalesce(paused_for, 'not paused')
                    FROM channel_notices, (SELECT (extract(epoch FROM now()) * 1000)::bigint AS ms) AS now
                    WHERE channel_id = $1), '')
            FROM notice_outbox WHERE channel_id = $1 AND issue_key = $2";
        let query = sqlx::query_scalar(state).bind(&channel).bind(format!("SCRUM-{issue}"));
        let state: String = query.fetch_one(&mut connection).await.unwrap();
        println!("    SCRUM-{issue} in {channel}, {:.0} s ago: {state}", changed.elapsed().as_secs_f64());
    }
}

async fn ask_for_lists(address: SocketAddr, until: Instant) -> Vec<Duration> {
    let mut connection = Connection::open(address).await;
    let mut turn = tokio::time::interval(BETWEEN_COMMANDS);
    let mut latencies = Vec::new();
    while Instant::now() < until {
        turn.tick().await;
        let channel = format!("C{}", 10_000 + pick(CHANNELS));
        let (request, sent) = (load::request("tracked", &channel), Instant::now());
        let answer = connection.ask(&request).await;
        latencies.push(sent.elapsed());
        assert!(answer.contains("SCRUM-"), "{answer}");
    }
    latencies.sort();
    latencies
}

#[expect(clippy::disallowed_methods, reason = "it is Jira's client, not MARO's")]
async fn change_issues(until: Instant, addresses: &[SocketAddr], world: &World, told: Told) {
    let http = reqwest::Client::new();
    let mut turn = tokio::time::interval(Duration::from_secs(1) / CHANGES_A_SECOND);
    let mut turns = 0_usize;
    while Instant::now() < until {
        turn.tick().await;
        let issue = pick(ISSUES) + 1;
        world.change(issue);
        if told == Told::ByWebhook {
            turns += 1;
            let url = format!("http://{}/jira/webhook", addresses[turns % addresses.len()]);
            tokio::spawn(send_webhook(http.clone(), url, issue, turns));
        }
    }
}

async fn send_webhook(http: reqwest::Client, url: String, issue: u64, number: usize) {
    let body = json!({ "webhookEvent": "jira:issue_updated",
        "issue": { "id": issue.to_string(), "key": format!("SCRUM-{issue}") } });
    let body = body.to_string();
    let signature = signature::sign(&Secret::new(WEBHOOK_SECRET), body.as_bytes());
    let request = http
        .post(url)
        .header(signature::SIGNATURE_HEADER, signature)
        .header(webhook::IDENTIFIER_HEADER, format!("webhook {number}"))
        .body(body);
    let status = request.send().await.unwrap().status();
    assert_eq!(status, 204);
}

/// The age in seconds that the replicas give for what was read longest ago.
async fn oldest(addresses: &[SocketAddr]) -> u64 {
    let mut oldest = 0;
    for address in addresses {
        let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
        let lag = metrics.lines().find_map(|line| line.strip_prefix("maro_sync_lag_seconds "));
        oldest = oldest.max(lag.unwrap().parse().unwrap());
    }
    oldest
}

/// Jira and Slack, which answer at once.
#[derive(Clone)]
struct World {
    address: SocketAddr,
    changes: Arc<Mutex<Changes>>,
    told: Arc<Mutex<Messages>>,
    requests: Arc<AtomicU64>,
}

/// How Jira's issues differ from what was put in.
#[derive(Default)]
struct Changes {
    /// The number of its status, and when it was set in milliseconds since 1970.
    issues: HashMap<u64, (u64, i64)>,
    /// The latest first.
    latest: VecDeque<(i64, u64)>,
}

/// What channels have to be told.
#[derive(Default)]
struct Messages {
    /// When an issue changed that a channel hasn't been told of.
    awaited: HashMap<(String, u64), Instant>,
    latencies: Vec<Duration>,
}

impl World {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (changes, told, requests) = Default::default();
        let world = Self { address: listener.local_addr().unwrap(), changes, told, requests };
        let router = Router::new()
            .route("/rest/api/3/issue/bulkfetch", post(fetch))
            .route("/rest/api/3/issue/{key}", get(fetch_one))
            .route("/rest/api/3/search/jql", post(search))
            .fallback(slack)
            .with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        world
    }

    fn slack_url(&self) -> Url {
        Url::parse(&format!("http://{}/api", self.address)).unwrap()
    }

    fn jira_config(&self) -> JiraConfig {
        let credentials =
            JiraCredentials::Cloud { email: "maro@example.com".to_owned(), api_token: Secret::new("unused") };
        let site = Url::parse(&format!("http://{}", self.address)).unwrap();
        JiraConfig { webhook_secret: Some(Secret::new(WEBHOOK_SECRET)), ..JiraConfig::new(site, credentials) }
    }

    /// How often Jira was asked.
    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn told(&self) -> MutexGuard<'_, Messages> {
        self.told.lock().unwrap()
    }

    /// Gives an issue another status, of another category, which its channels have to be told of.
    fn change(&self, issue: u64) {
        let now = now_ms();
        let mut changes = self.changes.lock().unwrap();
        let (status, updated) = changes.issues.entry(issue).or_default();
        (*status, *updated) = (*status + 1, now);
        changes.latest.push_front((now, issue));
        drop(changes);
        for list in 0..LISTS {
            let channel = format!("C{}", 10_000 + (issue + list * 333) % CHANNELS);
            self.told().awaited.insert((channel, issue), Instant::now());
        }
    }

    fn issue(&self, issue: u64) -> Value {
        let (status, updated) = self.changes.lock().unwrap().issues.get(&issue).copied().unwrap_or_default();
        let updated = jiff::Timestamp::from_millisecond(updated).unwrap();
        let category = if status % 2 == 0 { "new" } else { "indeterminate" };
        json!({ "id": issue.to_string(), "key": format!("SCRUM-{issue}"), "fields": {
            "summary": format!("User authentication flow, part {issue}"),
            "status": { "name": format!("Status {status}"), "statusCategory": { "key": category } },
            "updated": updated.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
        }})
    }
}

/// In milliseconds since 1970.
fn now_ms() -> i64 {
    Clock::system().now().as_millisecond()
}

async fn fetch(State(world): State<World>, body: String) -> impl IntoResponse {
    world.requests.fetch_add(1, Ordering::Relaxed);
    let body: Value = serde_json::from_str(&body).unwrap();
    let issues = body["issueIdsOrKeys"].as_array().unwrap().iter().map(|name| {
        let name = name.as_str().unwrap();
        world.issue(name.trim_start_matches("SCRUM-").parse().unwrap())
    });
    as_json(&json!({ "issues": issues.collect::<Vec<_>>(), "issueErrors": [] }))
}

async fn fetch_one(State(world): State<World>, UrlPath(key): UrlPath<String>) -> impl IntoResponse {
    world.requests.fetch_add(1, Ordering::Relaxed);
    as_json(&world.issue(key.trim_start_matches("SCRUM-").parse().unwrap()))
}

/// What has changed within the minutes of the query, page by page.
async fn search(State(world): State<World>, body: String) -> impl IntoResponse {
    world.requests.fetch_add(1, Ordering::Relaxed);
    let body: Value = serde_json::from_str(&body).unwrap();
    let jql = body["jql"].as_str().unwrap();
    let minutes =
        jql.split_once("\"-").and_then(|(_, rest)| rest.split_once("m\"")).map(|(minutes, _)| minutes);
    let minutes: i64 = minutes.and_then(|minutes| minutes.parse().ok()).unwrap_or_else(|| panic!("{jql}"));
    let since = now_ms() - minutes * 60_000;
    let latest: Vec<u64> = {
        let changes = world.changes.lock().unwrap();
        let mut seen = HashSet::new();
        let latest = changes.latest.iter().take_while(|(at, _)| *at >= since).map(|(_, issue)| *issue);
        latest.filter(|issue| seen.insert(*issue)).collect()
    };
    let first: usize = body["nextPageToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let length = usize::try_from(body["maxResults"].as_u64().unwrap()).unwrap();
    let issues: Vec<Value> =
        latest.iter().skip(first).take(length).map(|issue| world.issue(*issue)).collect();
    let next = first + issues.len();
    let mut page = json!({ "issues": issues, "isLast": next >= latest.len() });
    if next < latest.len() {
        page["nextPageToken"] = json!(next.to_string());
    }
    as_json(&page)
}

/// Takes messages. An answer in a thread tells of the issue that its text begins with.
async fn slack(State(world): State<World>, uri: Uri, body: String) -> impl IntoResponse {
    match uri.path() {
        "/api/auth.test" => {
            as_json(&json!({ "ok": true, "team_id": "T0001", "user_id": "U0000MARO", "bot_id": "B1" }))
        }
        "/api/chat.postMessage" => {
            let message: Value = serde_json::from_str(&body).unwrap();
            world.told().note(&message);
            static NUMBER: AtomicU64 = AtomicU64::new(1);
            let ts =
                format!("{}.{:06}", now_ms() / 1_000, NUMBER.fetch_add(1, Ordering::Relaxed) % 1_000_000);
            as_json(&json!({ "ok": true, "channel": message["channel"], "ts": ts }))
        }
        "/api/chat.update" => {
            let message: Value = serde_json::from_str(&body).unwrap();
            world.told().note(&message);
            as_json(
                &json!({ "ok": true, "channel": message["channel"], "ts": message["ts"], "text": message["text"] }),
            )
        }
        _ => as_json(&json!({ "ok": false, "error": "missing_scope" })),
    }
}

impl Messages {
    /// Takes a message that tells of changes, whether it is an answer in a thread, about many issues, or by itself. A
    /// head line tells of none.
    fn note(&mut self, message: &Value) {
        let blocks = message["blocks"].to_string();
        let numbers: HashSet<u64> = blocks
            .split("SCRUM-")
            .skip(1)
            .filter_map(|rest| rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok())
            .collect();
        if !blocks.contains('→') {
            return;
        }
        let channel = message["channel"].as_str().unwrap();
        for number in numbers {
            if let Some(changed) = self.awaited.remove(&(channel.to_owned(), number)) {
                self.latencies.push(changed.elapsed());
            }
        }
    }
}

fn as_json(value: &Value) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

/// A number below `limit`, spread evenly and the same in each run.
fn pick(limit: u64) -> u64 {
    static TURN: AtomicU64 = AtomicU64::new(1);
    TURN.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) % limit
}
