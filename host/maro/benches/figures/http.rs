//! The whole command over HTTP, beside the same handler without a sandbox, both on SQLite.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use maro_bot::{
    bot::Bot,
    config::{Config, PluginsConfig},
};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::{Issue, IssueId, IssueKey},
    tracked::Source,
};
use maro_jira::config::JiraConfig;
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::jira::server::SimulatedJira;
use maro_slack::{
    config::SlackConfig, outgoing::render::Renderer, outgoing::response_url::ResponseUrlPolicy,
    signature::SignatureVerifier,
};
use maro_store::{
    Stores,
    config::DatabaseConfig,
    tracker::{ChannelIssueTracker, TrackRequest},
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    load,
    native::{self, NativeBot},
    rounds::{compare, microseconds},
};

const ROUND: Duration = Duration::from_millis(700);

pub(crate) fn run(plugins: &Path) {
    // A server has one thread of Tokio's, and the load its own.
    let servers = [server_runtime(), server_runtime()];
    let load_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let jira = servers[0].block_on(SimulatedJira::start(loopback, &CancellationToken::new())).unwrap();
    let config = config(plugins, folder.path(), jira.cloud_config());
    let native = servers[0].block_on(start_native(&config));
    let bot = servers[1].block_on(async {
        let bot = Bot::start(config, Clock::system()).await.unwrap();
        bot.wait_until_ready().await;
        bot
    });

    println!("A command over HTTP, 16 connections, per request  no sandbox        MARO   ratio");
    for (name, text, channel, expected) in [
        ("tracked, 10 rows", "tracked", "C10", "SCRUM-10>"),
        ("tracked, 50 rows", "tracked", "C50", "SCRUM-50>"),
        ("untrack, not tracked", "untrack SCRUM-999", "C10", "is not tracked"),
    ] {
        let work = load::work(text, channel, expected);
        let measure = |address| load_runtime.block_on(load::run(address, &work, ROUND));
        let compared = compare(|| measure(native), || measure(bot.address()));
        println!(
            "  {name:<40} {:>17} {:>11} {:>7.2}",
            microseconds(compared.plain),
            microseconds(compared.sandboxed),
            compared.ratio
        );
    }
    println!();
    servers[1].block_on(bot.stop());
}

fn server_runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

pub(crate) fn config(plugins: &Path, folder: &Path, jira: JiraConfig) -> Config {
    Config {
        sync_interval: Duration::from_secs(3_600),
        log: "error".to_owned(),
        ..Config::on_loopback(
            DatabaseConfig::Sqlite { path: folder.join("maro.db") },
            PluginsConfig::in_folder(plugins),
            SlackConfig {
                signing_secret: Some(Secret::new(load::SIGNING_SECRET)),
                ..SlackConfig::new(Url::parse("http://127.0.0.1:9/api").unwrap(), Secret::new("xoxb-bench"))
            },
            jira,
        )
    }
}

/// Fills the lists and serves them natively.
async fn start_native(config: &Config) -> SocketAddr {
    let tracker = Stores::open(&config.database).await.unwrap().tracker;
    fill(&*tracker, "C10", 10).await;
    fill(&*tracker, "C50", 50).await;
    let secret = config.slack.signing_secret.as_ref().unwrap();
    let router = native::router(NativeBot {
        tracker: Arc::clone(&tracker),
        signature: SignatureVerifier::new(secret),
        renderer: Renderer::new(&config.jira.base_url),
        response_urls: ResponseUrlPolicy::new(&config.slack),
        clock: Clock::system(),
    });
    let listener = TcpListener::bind(config.listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(crate) async fn fill(tracker: &dyn ChannelIssueTracker, channel: &str, rows: u32) {
    let issues: Vec<_> = (1..=rows)
        .map(|number| {
            let key = IssueKey::parse(&format!("SCRUM-{number}")).unwrap();
            let summary = format!("User authentication flow, part {number}");
            Issue::new(IssueId::new(number.to_string()), key, &summary, "In Progress")
        })
        .collect();
    let channel = ChannelId::parse(channel).unwrap();
    let tracked_by = UserId::parse("U024BE7LH").unwrap();
    let request = TrackRequest { author: &Author::host(&channel, &tracked_by), source: Source::Command };
    tracker.track(request, &issues, Clock::system().now()).await.unwrap();
}
