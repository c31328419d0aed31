//! The production bot on this machine, against a simulated Slack workspace and Jira site: what `maro dev` and
//! `maro plugin dev` run.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    builds::Builds,
    playground::{PAGE_PORT, PageError, PlaygroundPage, state::Playground},
    plugin_news,
    program::program,
    rebuild::Rebuilder,
    session_file::{DevSession, FOLDER},
};
use maro_bot::{
    bot::{Bot, Surroundings},
    config::{self, Config, PluginsConfig},
};
use maro_domain::caller::Person;
use maro_jira::config::JiraConfig;
use maro_process::{clock::Clock, secret::Secret, stop_signal::StopSignal};
use maro_runtime::{engine::Effort, outbound::simulated::SimulatedServices};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings},
};
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;

/// How old a status may get before it is refreshed. Short, so that changes in the simulated Jira show soon.
const SYNC_INTERVAL: Duration = Duration::from_secs(30);

/// What can be chosen about a session.
pub(crate) struct SessionSettings {
    /// The address that the bot listens on.
    pub(crate) listen: SocketAddr,
    /// What is logged.
    pub(crate) log: String,
    /// The address of the playground, if not its usual one.
    pub(crate) page: Option<SocketAddr>,
    /// Whether Slack and the bot use Socket Mode.
    pub(crate) uses_sockets: bool,
    /// The words that start such a session.
    pub(crate) command: &'static str,
    /// The file with answers to the HTTP requests of plugins.
    pub(crate) http: Option<PathBuf>,
}

/// Everything that a `maro dev` is running.
pub(crate) struct Dev {
    slack: Arc<SimulatedSlack>,
    jira: Arc<SimulatedJira>,
    pub(crate) bot: Bot,
    page: PlaygroundPage,
    session: DevSession,
}

impl Dev {
    /// Starts the simulated services, the bot and the playground, with what it keeps in a folder of `folder`.
    ///
    /// # Errors
    /// A part can't be started.
    pub(crate) async fn start(
        settings: SessionSettings,
        folder: &Path,
        plugins: PathBuf,
        builds: Builds,
    ) -> anyhow::Result<Self> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let signing_secret = new_secret();
        let bot_token = Secret::new(format!("xoxb-{}", new_secret().expose()));
        // The playground turns it forward.
        let clock = Clock::turnable();
        let slack = SimulatedSlack::start(SimulatedSlackSettings {
            listen: loopback,
            signing_secret: signing_secret.clone(),
            bot_token: bot_token.clone(),
            clock: clock.clone(),
        })
        .await
        .context("can't start the simulated Slack workspace")?;
        slack.grant_all_scopes();
        let jira = SimulatedJira::start(loopback, &CancellationToken::new())
            .await
            .context("can't start the simulated Jira site")?;
        jira.base_url().host_str().into_iter().for_each(|host| slack.unfurl_links_to(host));
        let webhook_secret = new_secret();
        let config = Config {
            listen: settings.listen,
            admins: slack
                .workspace()
                .people
                .iter()
                .map(|person| Person { foreign_team: None, user: person.id.clone() })
                .collect(),
            sync_interval: SYNC_INTERVAL,
            log: settings.log,
            ..Config::on_loopback(
                DatabaseConfig::Sqlite { path: folder.join(FOLDER).join("maro.db") },
                PluginsConfig {
                    effort: Effort::Quick,
                    hot_reload: true,
                    // `maro plugin run` uses the same cache, so that nothing is compiled twice.
                    cache_dir: config::load::cache_dir().or_else(|| Some(folder.join(FOLDER).join("cache"))),
                    ..PluginsConfig::in_folder(plugins)
                },
                SlackConfig {
                    signing_secret: Some(signing_secret),
                    app_token: settings.uses_sockets.then(|| slack.app_token().clone()),
                    ..SlackConfig::new(slack.api_url(), bot_token)
                },
                JiraConfig { webhook_secret: Some(webhook_secret.clone()), ..jira.cloud_config() },
            )
        };
        let services = settings.http.as_deref().map(SimulatedServices::from_file).transpose()?;
        let surroundings = Surroundings { services, ..clock.clone().into() };
        let bot = Bot::start(config, surroundings)
            .await
            .map_err(|error| cure(error, settings.listen, settings.command))?;
        let bot_url = Url::parse(&format!("http://{}", bot.address())).context("the bot has no address")?;
        slack.connect_bot(bot_url.join("slack/commands")?);
        jira.send_webhooks(bot_url.join("jira/webhook")?, webhook_secret)?;
        if settings.uses_sockets {
            slack.wait_for_sockets(1).await;
        }
        let session = DevSession {
            bot: bot_url,
            slack: slack.url().clone(),
            jira: jira.base_url().clone(),
            token: slack.operator_token().clone(),
            process_id: std::process::id(),
        };
        let (slack, jira) = (Arc::new(slack), Arc::new(jira));
        let page = start_page(
            settings.page,
            Playground {
                slack: Arc::clone(&slack),
                jira: Arc::clone(&jira),
                registry: Arc::clone(bot.registry()),
                builds,
                clock,
            },
        )
        .await?;
        Ok(Self { slack, jira, bot, page, session })
    }

    /// Rebuilds and serves until the program is to stop, as `stop_signal` says. `commands` are what people may try.
    pub(crate) async fn run(
        self,
        folder: &Path,
        rebuilder: Rebuilder,
        commands: &[String],
        mut stop_signal: StopSignal,
    ) -> anyhow::Result<ExitCode> {
        stop_signal.or_exit(self.bot.wait_until_ready()).await;
        self.session.write(folder).context("can't save this session for maro say")?;
        self.introduce(commands);
        let stop = CancellationToken::new();
        let telling = tokio::spawn(plugin_news::tell(self.bot.registry().events().clone(), stop.clone()));
        let rebuilding = tokio::spawn(rebuilder.run(stop.clone()));
        stop_signal.wait().await;
        say("Stopping…");
        stop.cancel();
        rebuilding.await?;
        telling.await?;
        self.session.remove(folder).context("can't remove this session's file for maro say")?;
        self.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    fn introduce(&self, commands: &[String]) {
        let plugins = self.bot.registry().plugins();
        let names: Vec<_> = plugins.all().map(|plugin| format!("/maro {}", plugin.name())).collect();
        for refusal in &plugins.refused {
            let reason = plugin_news::for_authors(&refusal.reason.to_string(), &refusal.file);
            say(&format!("{} couldn't be loaded: {reason}", refusal.file));
        }
        say(&format!(
            "MARO is running on {bot}with {names}.\n\
             Slack and Jira are simulated. Open the playground:\n\n  \
             {page}\n\n\
             Or use a second terminal:\n\n  \
             {commands}\n\n\
             Press Ctrl-C to stop. Tracked issues are saved in {FOLDER}.",
            commands = commands
                .iter()
                .map(|command| format!("  {} {command}", program()))
                .collect::<Vec<_>>()
                .join("\n"),
            bot = self.session.bot.as_str().to_owned() + " ",
            names = names.join(", "),
            page = self.page.url(),
        ));
    }

    async fn stop(self) {
        self.page.stop().await;
        self.bot.stop().await;
        // An open page still holds on to them. Then they are just dropped: simulated data needs no clean end.
        if let Some(slack) = Arc::into_inner(self.slack) {
            slack.stop().await;
        }
        if let Some(jira) = Arc::into_inner(self.jira) {
            jira.stop().await;
        }
    }
}

/// Starts the page at the address asked for. By default it is on its usual port, or on a free one.
async fn start_page(wish: Option<SocketAddr>, playground: Playground) -> Result<PlaygroundPage, PageError> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT));
    match PlaygroundPage::start(wish.unwrap_or(usual), playground.clone()).await {
        Err(PageError::Listen { .. }) if wish.is_none() => {
            PlaygroundPage::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), playground).await
        }
        outcome => outcome,
    }
}

/// Explains what to type if another program is using the port.
fn cure(error: anyhow::Error, listen: SocketAddr, command: &str) -> anyhow::Error {
    let cause = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    if cause != Some(io::ErrorKind::AddrInUse) {
        return error;
    }
    anyhow!(
        "Another program is using {listen}. To pick a free port, run `{} {command} --listen 127.0.0.1:0`.",
        program()
    )
}

fn new_secret() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}

/// Writes to the terminal that started the session.
pub(crate) fn say(text: &str) {
    // If the reader closed the pipe, the bot keeps running.
    let _ = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_a_port_taken_reads_what_they_typed() {
        let taken = anyhow::Error::from(io::Error::from(io::ErrorKind::AddrInUse));
        let told = cure(taken, SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)), "plugin dev").to_string();
        assert!(told.ends_with("plugin dev --listen 127.0.0.1:0`."), "{told}");
    }
}
