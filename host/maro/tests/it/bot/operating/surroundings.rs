//! What surrounds the bot changes: its folders, its database, Jira's patience.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
    time::{Duration, Instant},
};

use maro_process::secret::Secret;
use maro_runtime::plugin_changes::PluginChange;
use maro_simulation::{jira::faults::JiraFault, slack::web_api::faults::SlackFault};
use maro_store::config::DatabaseConfig;
use sqlx::Executor as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

use crate::{
    bot::{TestBot, server::http},
    built_components::PluginsFolder,
    handwritten_components::Guest,
    log::Log,
    plugin_changes::{Changes, put, version},
    postgres,
    raw::Raw,
};

const GRANTS: &[u8] = b"grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect(what);
}

fn hostile() -> PluginsFolder {
    PluginsFolder::shipped().with_file("hostile.wasm", &version(1)).with_file("hostile.toml", GRANTS)
}

async fn answer(bot: &TestBot) -> String {
    bot.say("/maro hostile").await.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn plugins_serve_on_while_their_folder_is_away_and_are_followed_when_it_is_back() {
    let (log, _guard) = Log::start();
    let bot = TestBot::with_settings(hostile(), |config| config.plugins.hot_reload = true).await;
    let mut changes = Changes::of(bot.bot().registry());
    let folder = bot.plugins_folder().to_owned();
    let away = folder.with_extension("away");
    for number in [2, 3] {
        fs::rename(&folder, &away).unwrap();
        until("the watcher says so", async || {
            changes.assert_no_more();
            log.lines("can't read the plugins folder").lines().count() == 2 * (number - 1) - 1
        })
        .await;
        let previous = format!("Version {} here.", number - 1);
        assert_eq!(answer(&bot).await, previous);
        let reloaded = bot.say("/maro plugins reload").await;
        assert!(!reloaded.contains("• hostile (not installed)"), "{reloaded}");
        assert_eq!(answer(&bot).await, previous, "after a reload without a folder");
        assert!(bot.say("/maro track SCRUM-123").await.contains("SCRUM-123"));
        changes.assert_no_more();

        fs::rename(&away, &folder).unwrap();
        put(&folder, "hostile.wasm", &version(number as u32));
        let change = changes.next("hostile").await;
        assert!(matches!(change, PluginChange::Replaced { .. }), "{change:?}");
        assert_eq!(answer(&bot).await, format!("Version {number} here."));
        changes.assert_no_more();
    }
}

#[tokio::test]
async fn without_hot_reload_a_file_serves_after_a_reload_and_not_before() {
    let bot = TestBot::with_plugins(hostile()).await;
    let folder = bot.plugins_folder().to_owned();
    // Tells when somebody who watches has seen it.
    let watching = TestBot::with_settings(PluginsFolder::empty(), |config| {
        config.plugins.hot_reload = true;
        config.plugins.dir.clone_from(&folder);
    })
    .await;
    let mut seen = Changes::of(watching.bot().registry());
    let mut changes = Changes::of(bot.bot().registry());
    put(&folder, "wat.wasm", &Guest::default().component());
    assert!(matches!(seen.next("wat").await, PluginChange::Loaded { .. }));
    put(&folder, "hostile.wasm", &version(2));
    assert!(matches!(seen.next("hostile").await, PluginChange::Replaced { .. }));
    fs::remove_file(folder.join("untrack.wasm")).unwrap();
    assert_eq!(seen.next("untrack").await, PluginChange::Removed);

    changes.assert_no_more();
    assert!(bot.say("/maro wat").await.starts_with("wat isn't a MARO command."));
    assert_eq!(answer(&bot).await, "Version 1 here.");
    assert!(bot.say("/maro untrack SCRUM-123").await.contains("is not tracked in this channel"));
    bot.say("/maro plugins reload").await;
    assert_eq!(bot.say("/maro wat").await, "done");
    assert_eq!(answer(&bot).await, "Version 2 here.");
    assert!(bot.say("/maro untrack SCRUM-123").await.starts_with("untrack isn't a MARO command."));
}

#[tokio::test]
async fn in_a_cache_folder_that_others_may_enter_maro_has_a_folder_of_its_own() {
    let cache = tempfile::tempdir().unwrap();
    let dir = cache.path().to_owned();
    let bot_with_mode = async |mode| {
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        let plugins = PluginsFolder::empty().with_file("wat.wasm", &Guest::default().component());
        let bot =
            TestBot::with_settings(plugins, |config| config.plugins.cache_dir = Some(dir.clone())).await;
        assert_eq!(bot.say("/maro wat").await, "done", "{mode:o}");
        let entries = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| (entry.path(), entry.metadata().unwrap().permissions().mode()))
            .collect::<Vec<_>>()
    };
    let mut own = None;
    for mode in [0o770, 0o707, 0o701] {
        let entries = bot_with_mode(mode).await;
        let [(path, folder_mode)] = &*entries else { panic!("{mode:o}: {entries:?}") };
        assert!(path.is_dir() && folder_mode & 0o777 == 0o700, "{mode:o}: {entries:?}");
        own = Some(path.clone());
    }
    fs::remove_dir_all(own.unwrap()).unwrap();
    // The code, and the key that it's signed with.
    let entries = bot_with_mode(0o700).await;
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries.iter().all(|(_, mode)| mode & 0o777 == 0o600), "{entries:?}");
}

/// A way to the database that can be blocked: what is sent then does not arrive, and nobody hears of it.
struct Road {
    port: u16,
    is_open: watch::Sender<bool>,
}

impl Road {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let is_open = watch::Sender::new(true);
        let open = Arc::new(is_open.subscribe());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut open = (*open).clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    loop {
                        let _ = open.wait_for(|open| *open).await;
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => return,
                            _ = open.wait_for(|open| !*open) => {}
                        }
                    }
                });
            }
        });
        Self { port: own, is_open }
    }
}

/// Status and text of `/readyz`.
async fn readiness(bot: &TestBot) -> (u16, String) {
    let response = http::client().get(bot.url("readyz")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn without_its_database_the_bot_is_not_ready_and_says_so() {
    const UNREACHABLE: &str =
        "MARO can't reach its database right now. Nothing was changed. Try again in a minute.";
    let (log, _guard) = Log::start();
    let Some(server) = postgres::Server::start() else { return };
    let mut url = Url::parse(&server.database().await.url).unwrap();
    let road = Road::to(url.port().unwrap()).await;
    url.set_port(Some(road.port)).unwrap();
    url.set_password(Some("pass-word")).unwrap();
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.database = DatabaseConfig::postgres(Secret::new(url.to_string()));
    })
    .await;
    let ready = (200, "ready: 3 plugins serve, 0 refused\n".to_owned());
    assert_eq!(readiness(&bot).await, ready);

    server.stop();
    let gone = (503, "the database is unavailable\n".to_owned());
    until("it is not ready", async || readiness(&bot).await == gone).await;
    assert_eq!(bot.say("/maro tracked").await, UNREACHABLE);
    assert_eq!(bot.say("/maro track SCRUM-123").await, UNREACHABLE);
    assert_eq!(http::text(&bot, "healthz").await, "ok\n", "it is alive all the same");
    server.start_again();
    until("it is ready again", async || readiness(&bot).await == ready).await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));

    road.is_open.send_replace(false);
    let began = Instant::now();
    let is_gone = async || {
        let (status, text) = readiness(&bot).await;
        status == 503 && text.starts_with("the database ")
    };
    until("it is not ready", is_gone).await;
    let took = began.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(9)).contains(&took), "{took:?}");
    road.is_open.send_replace(true);
    until("it is ready again", async || readiness(&bot).await == ready).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123"));
    log.assert_without(&["pass-word", "postgres://"]);
}

#[tokio::test]
async fn a_database_that_is_slow_to_answer_counts_as_gone_after_two_seconds() {
    let bot = TestBot::start().await;
    let Raw::Sqlite(mut other) = Raw::connect(&bot.config.database).await else { panic!("it is SQLite") };
    // The bot's own changes would wait for five.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let began = Instant::now();
    assert_eq!(readiness(&bot).await, (503, "the database does not answer\n".to_owned()));
    let took = began.elapsed();
    assert!((Duration::from_millis(1_900)..Duration::from_millis(4_900)).contains(&took), "{took:?}");
    other.execute("ROLLBACK").await.unwrap();
    until("it is ready again", async || readiness(&bot).await.0 == 200).await;
}

/// A bot that reads statuses again each second, and has one to read.
async fn following() -> TestBot {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.take_requests();
    bot
}

/// What statuses are asked for at.
const STATUSES: &str = "/issue/bulkfetch";

#[tokio::test]
async fn statuses_are_not_asked_for_while_jira_wants_to_be_left_alone() {
    let (limited, other) = (following().await, following().await);
    // Longer than one request may take in the background.
    limited.jira.set_fault(JiraFault::Status(429, Some("40".to_owned())));
    until("the background asks", async || limited.asked_for(STATUSES) > 0).await;
    let before = other.asked_for(STATUSES);
    until("another bot asks six times", async || other.asked_for(STATUSES) >= before + 6).await;
    // Another kind of request has a limit of its own.
    assert_eq!(limited.asked_for(STATUSES), 1);
}

#[tokio::test]
async fn a_status_that_jira_keeps_for_a_moment_is_read_once_it_may_be() {
    let bot = following().await;
    bot.jira.set_next_faults_of(STATUSES, [Some(JiraFault::Status(429, Some("2".to_owned())))]);
    until("the background asks", async || bot.asked_for(STATUSES) > 0).await;
    let began = Instant::now();
    until("it asks again", async || bot.asked_for(STATUSES) >= 2).await;
    let took = began.elapsed();
    assert!((Duration::from_millis(1_900)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn the_operators_channel_is_told_when_slack_may_be_called_again() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.plugins.hot_reload = true;
        let channels = &slack.workspace().channels;
        config.plugins.channel =
            channels.iter().find(|channel| channel.name == "engineering").map(|channel| channel.id.clone());
    })
    .await;
    bot.slack.set_next_faults("chat.postMessage", [Some(SlackFault::RateLimited { retry_after: 2 })]);
    put(bot.plugins_folder(), "broken.wasm", b"?");
    let calls = || bot.slack.calls_of("chat.postMessage").len();
    until("Slack is called", async || calls() == 1).await;
    let began = Instant::now();
    until("the channel is told", async || !bot.slack.posted("engineering").is_empty()).await;
    let took = began.elapsed();
    assert!((Duration::from_millis(1_900)..Duration::from_secs(15)).contains(&took), "{took:?}");
    assert_eq!((calls(), bot.slack.posted("engineering").len()), (2, 1));
}
