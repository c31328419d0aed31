//! The real bot on the simulated Slack and Jira: *given plugins and Jira, when Slack sends, then Slack
//! receives*.

mod access;
mod commands;
mod messages;
mod notices;
mod operating;
mod plugins;
pub(crate) mod server;
mod sync;
mod tickets;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use maro_bot::{
    bot::{Bot, Surroundings},
    config::{Config, PluginsConfig},
};
use maro_domain::{caller::Person, issue::IssueKey};
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{
        SimulatedSlack, SimulatedSlackSettings,
        shown::{history::ShownMessage, terminal},
    },
};
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;
use maro_tickets::intents::patience::Patience;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    built_components::PluginsFolder,
    postgres,
    raw::{execute, query},
};

/// Longer than any honest answer takes, also on a full machine, and than MARO looks for what Jira did not confirm.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing that Jira has given up is done later, unless a test says so, and no pause is long.
pub(crate) const HASTE: Patience = Patience {
    answer: Duration::from_secs(15),
    afterlife: Duration::ZERO,
    first_look: Duration::from_secs(5),
    looks: [Duration::from_millis(300); 5],
    settling: Duration::from_millis(300),
};

/// A workspace, a site, and the bot between them.
pub(crate) struct TestBot {
    pub(crate) slack: Arc<SimulatedSlack>,
    pub(crate) jira: Arc<SimulatedJira>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
    bot: Option<Bot>,
    _folder: tempfile::TempDir,
    plugins: PluginsFolder,
}

impl TestBot {
    /// MARO's own plugins on SQLite.
    pub(crate) async fn start() -> Self {
        Self::with_plugins(PluginsFolder::shipped()).await
    }

    pub(crate) async fn with_plugins(plugins: PluginsFolder) -> Self {
        Self::with_settings(plugins, |_| {}).await
    }

    /// As [`TestBot::with_plugins`], with settings changed by `change`.
    pub(crate) async fn with_settings(plugins: PluginsFolder, change: impl FnOnce(&mut Config)) -> Self {
        Self::with_settings_of(plugins, |config, _| change(config)).await
    }

    /// As [`TestBot::with_settings`], where the settings depend on the workspace.
    pub(crate) async fn with_settings_of(
        plugins: PluginsFolder,
        change: impl FnOnce(&mut Config, &SimulatedSlack),
    ) -> Self {
        let surroundings = Surroundings { patience: HASTE, ..Clock::system().into() };
        Self::in_surroundings(plugins, surroundings, change).await
    }

    /// As [`TestBot::with_settings_of`], with a clock and an internet of the test's own.
    pub(crate) async fn in_surroundings(
        plugins: PluginsFolder,
        surroundings: Surroundings,
        change: impl FnOnce(&mut Config, &SimulatedSlack),
    ) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let folder = tempfile::tempdir().unwrap();
        let signing_secret = Secret::new("a signing secret");
        let bot_token = Secret::new("xoxb-test");
        let slack = SimulatedSlack::start(SimulatedSlackSettings {
            listen: loopback,
            signing_secret: signing_secret.clone(),
            bot_token: bot_token.clone(),
            clock: surroundings.clock.clone(),
        })
        .await
        .unwrap();
        let jira = SimulatedJira::start(loopback, &CancellationToken::new()).await.unwrap();
        let mut config = Config {
            admins: vec![Person { foreign_team: None, user: slack.workspace().people[0].id.clone() }],
            sync_interval: Duration::from_secs(3_600),
            ..Config::on_loopback(
                DatabaseConfig::Sqlite { path: folder.path().join("maro.db") },
                PluginsConfig {
                    // Shared by all tests: compiling is slow in an unoptimised build.
                    cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache")),
                    ..PluginsConfig::in_folder(plugins.path())
                },
                SlackConfig {
                    signing_secret: Some(signing_secret),
                    ..SlackConfig::new(slack.api_url(), bot_token)
                },
                jira.cloud_config(),
            )
        };
        change(&mut config, &slack);
        let (clock, patience) = (surroundings.clock.clone(), surroundings.patience);
        let bot = Bot::start(config.clone(), surroundings).await.unwrap();
        bot.wait_until_ready().await;
        let (slack, jira) = (Arc::new(slack), Arc::new(jira));
        let test_bot =
            Self { slack, jira, config, clock, patience, bot: Some(bot), _folder: folder, plugins };
        test_bot.slack.connect_bot(test_bot.url("slack/commands"));
        test_bot
    }

    /// As [`TestBot::with_plugins`] on PostgreSQL. `None` where there is none.
    pub(crate) async fn on_postgres(plugins: PluginsFolder) -> Option<Self> {
        let url = Secret::new(postgres::Database::new().await?.url);
        let change = |config: &mut Config| config.database = DatabaseConfig::postgres(url);
        Some(Self::with_settings(plugins, change).await)
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings { patience: self.patience, ..self.clock.clone().into() }
    }

    pub(crate) fn bot(&self) -> &Bot {
        self.bot.as_ref().unwrap()
    }

    pub(crate) fn plugins_folder(&self) -> &Path {
        self.plugins.path()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}/{path}", self.bot().address())).unwrap()
    }

    /// Stops the bot, unless it is stopped, and starts it again on the same database and plugins.
    pub(crate) async fn restart(&mut self) {
        self.restart_and_load().await;
        self.bot().wait_until_ready().await;
    }

    /// As [`TestBot::restart`], while its plugins are still loading.
    pub(crate) async fn restart_and_load(&mut self) {
        if let Some(bot) = self.bot.take() {
            bot.stop().await;
        }
        let bot = Bot::start(self.config.clone(), self.surroundings()).await.unwrap();
        self.bot = Some(bot);
        self.slack.connect_bot(self.url("slack/commands"));
    }

    /// Starts a second bot on the same database and plugins. Slack turns to it from now on.
    pub(crate) async fn start_replica(&self) -> Bot {
        let replica = Bot::start(self.config.clone(), self.surroundings()).await.unwrap();
        replica.wait_until_ready().await;
        self.slack.connect_bot(Url::parse(&format!("http://{}/slack/commands", replica.address())).unwrap());
        replica
    }

    /// How often Jira was asked for something whose path ends with this.
    pub(crate) fn asked_for(&self, part: &str) -> usize {
        let path = |path: &str| path.split('?').next().is_some_and(|path| path.ends_with(part));
        self.jira.requests().iter().filter(|request| path(&request.path)).count()
    }

    /// The state of every intention that is past its draft, oldest first.
    pub(crate) async fn intents(&self) -> Vec<String> {
        let states = "SELECT state FROM ticket_intents WHERE state <> 'draft' ORDER BY created_at, id";
        query(&self.config.database, states).await
    }

    /// Has the bot take over what nobody works on any more, without waiting for that.
    pub(crate) async fn end_leases(&self) {
        execute(
            &self.config.database,
            "UPDATE ticket_intents SET updated_at = '2020-01-01T00:00:00.000000Z' \
             WHERE state IN ('begun', 'confirmed')",
        )
        .await;
    }

    /// What Slack shows to `user` after typing a command in `channel`.
    pub(crate) async fn say_as(&self, user: &str, channel: &str, typed: &str) -> String {
        let messages = self.messages(user, channel, typed).await;
        let texts: Vec<_> = messages
            .iter()
            .map(|message| terminal::message_text(message, &self.slack.workspace().names()))
            .collect();
        texts.join("\n---\n")
    }

    /// As ada, in #general.
    pub(crate) async fn say(&self, typed: &str) -> String {
        self.say_as("ada", "general", typed).await
    }

    pub(crate) async fn messages(&self, user: &str, channel: &str, typed: &str) -> Vec<ShownMessage> {
        let messages = self.slack.run_command(channel, user, typed, PATIENCE).await.unwrap();
        assert_eq!(self.slack.problems(), [""; 0], "Slack would not have taken this");
        messages
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "in vain: {what}");
}

/// A key that tests write as text.
pub(crate) fn key(text: &str) -> IssueKey {
    IssueKey::parse(text).unwrap()
}
