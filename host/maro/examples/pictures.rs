//! Takes the pictures of the playground that the README shows: `cargo run -p maro --example pictures`.
//!
//! Needs Chromium and chromedriver.

#![expect(clippy::unwrap_used, reason = "whatever fails, there is no picture")]

#[path = "../tests/it/playground/browser.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod browser;

#[path = "../tests/it/playground/webdriver.rs"]
mod webdriver;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use maro_bot::{
    bot::Bot,
    config::{Config, PluginsConfig},
};
use maro_dev::{
    builds::Builds,
    playground::{PlaygroundPage, state::Playground},
};
use maro_kit::{languages::component::toolbox, repository};
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings},
};
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::browser::Browser;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

const ENTER: char = '\u{e007}';

/// A bot on a workspace and a site of its own, until it is dropped.
async fn start(folder: &Path, plugins: &Path) -> (Playground, Bot) {
    let (signing_secret, bot_token) = (Secret::new("secret"), Secret::new("xoxb-pictures"));
    let slack = SimulatedSlack::start(SimulatedSlackSettings {
        listen: LOOPBACK,
        signing_secret: signing_secret.clone(),
        bot_token: bot_token.clone(),
        clock: Clock::system(),
    })
    .await
    .unwrap();
    let jira = SimulatedJira::start(LOOPBACK, &CancellationToken::new()).await.unwrap();
    let config = Config {
        sync_interval: Duration::from_secs(3_600),
        log: "warn".to_owned(),
        ..Config::on_loopback(
            DatabaseConfig::Sqlite { path: folder.join("maro.db") },
            PluginsConfig { cache_dir: Some(folder.join("cache")), ..PluginsConfig::in_folder(plugins) },
            SlackConfig {
                signing_secret: Some(signing_secret),
                ..SlackConfig::new(slack.api_url(), bot_token)
            },
            jira.cloud_config(),
        )
    };
    let bot = Bot::start(config, Clock::system()).await.unwrap();
    bot.wait_until_ready().await;
    slack.connect_bot(Url::parse(&format!("http://{}/slack/commands", bot.address())).unwrap());
    let registry = Arc::clone(bot.registry());
    let builds = Builds::default();
    (
        Playground { slack: Arc::new(slack), jira: Arc::new(jira), registry, builds, clock: Clock::system() },
        bot,
    )
}

async fn say(browser: &Browser, line: &str, answer: &str) {
    browser.type_into("#message", &format!("{line}{ENTER}")).await;
    browser.see("#log .said", answer).await;
}

async fn colour_scheme(browser: &Browser, scheme: &str) {
    let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
    let parameters = json!({ "features": features });
    browser.driver.chromium("Emulation.setEmulatedMedia", &parameters).await.unwrap();
}

async fn picture(browser: &Browser, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/pictures").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, browser.driver.screenshot().await.unwrap()).unwrap();
}

#[tokio::main]
async fn main() {
    let browser = Browser::open().await.expect("Chromium and chromedriver are installed");
    let folder = tempfile::tempdir().unwrap();
    let plugins = repository::build(&toolbox(true)).await.unwrap().output;
    let (playground, bot) = start(folder.path(), &plugins).await;
    let page = PlaygroundPage::start(LOOPBACK, playground.clone()).await.unwrap();
    let size = json!({ "width": 1280, "height": 660, "deviceScaleFactor": 1, "mobile": false });
    browser.driver.chromium("Emulation.setDeviceMetricsOverride", &size).await.unwrap();
    colour_scheme(&browser, "light").await;
    browser.go(&page.url()).await;

    playground.slack.write("grace", "general", "Which of these does the login work wait for?").unwrap();
    say(&browser, "/maro track SCRUM-123 SCRUM-124 SCRUM-999", "Now tracking").await;
    say(&browser, "/maro tracked", "Tracked Jira issues").await;
    picture(&browser, "channel.png").await;

    browser.click("#plugins-tab").await;
    browser.type_into("#message", &format!("/maro create Login flow for users{ENTER}")).await;
    browser.see("#modal[open] h2", "Create an issue").await;
    browser.click("#modal footer .primary").await;
    browser.see("#modal h2", "Possible duplicates").await;
    colour_scheme(&browser, "dark").await;
    picture(&browser, "duplicate.png").await;

    page.stop().await;
    bot.stop().await;
}
