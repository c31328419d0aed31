//! Runs the bot with one plugin against a simulated Slack and Jira, until the command ends.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::tryout::single_plugin::{self, SinglePlugin};
use maro_bot::{
    bot::{Bot, Surroundings},
    config::{self, Config, PluginsConfig},
};
use maro_domain::{
    author::Author,
    caller::Person,
    issue::{Issue, IssueId, IssueKey},
    tracked::Source,
};
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, secret::Secret};
use maro_runtime::{
    engine::Effort, outbound::simulated::SimulatedServices, recording::recorder::Recording,
    running::plugin::LoadedPlugin,
};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{SimulatedSlack, SimulatedSlackSettings, modals::form, shown::terminal},
};
use maro_slack::config::SlackConfig;
use maro_store::{Stores, config::DatabaseConfig, tracker::TrackRequest};

/// When the issues were tracked. Always the same time, so that recording a command twice gives the same case.
const TRACKED_AT: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// Longer than any plugin may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// Everything around one plugin.
pub(crate) struct Simulation {
    slack: SimulatedSlack,
    jira: SimulatedJira,
    bot: Bot,
    recordings: tokio::sync::mpsc::Receiver<Recording>,
    services: Option<Arc<SimulatedServices>>,
}

/// The outcome of a command.
pub(crate) struct CommandResult {
    pub(crate) text: String,
    /// What each of its buttons types, after `/maro`.
    pub(crate) commands: Vec<String>,
    /// Labels of buttons, and what Slack asks before a press of them counts.
    pub(crate) questions: Vec<(String, String)>,
    pub(crate) recording: Option<Recording>,
}

/// Where a command is typed, and by whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Scene {
    /// Channel to act in
    #[arg(long, default_value = "general")]
    channel: String,
    /// Act in a private channel
    #[arg(long, conflicts_with = "channel")]
    private: bool,
    /// Who to act as; everybody is an admin
    #[arg(long, default_value = "ada")]
    user: String,
    /// Who to act as, without being an admin
    #[arg(long = "as", value_name = "NAME", conflicts_with = "user")]
    person: Option<String>,
    /// With --as: that person is an admin
    #[arg(long, requires = "person")]
    admin: bool,
    /// Answer the plugin's HTTP requests from this file
    #[arg(long, value_name = "FILE")]
    http: Option<PathBuf>,
    /// Send real requests, and record the answers in this file
    #[arg(long, value_name = "FILE", conflicts_with = "http")]
    record_http: Option<PathBuf>,
    /// Issues that the channel already tracks; a key that isn't in Jira counts as an issue deleted since
    #[arg(long, value_name = "KEY", value_delimiter = ',', default_value = "SCRUM-123,SCRUM-124,SCRUM-125")]
    tracked: Vec<String>,
}

/// The channel of the simulated workspace that is private.
const PRIVATE_CHANNEL: &str = "launch";

impl Scene {
    fn channel(&self) -> &str {
        if self.private { PRIVATE_CHANNEL } else { &self.channel }
    }

    fn user(&self) -> &str {
        self.person.as_deref().unwrap_or(&self.user)
    }

    /// Whether somebody administers the bot.
    fn administers(&self, name: &str) -> bool {
        self.person.as_ref().is_none_or(|person| self.admin && name == person.trim_start_matches('@'))
    }

    /// What stands in for services.
    fn services(&self) -> anyhow::Result<Option<Arc<SimulatedServices>>> {
        Ok(match (&self.http, &self.record_http) {
            (Some(path), _) => Some(SimulatedServices::from_file(path)?),
            (None, Some(_)) => Some(SimulatedServices::keeping()),
            (None, None) => None,
        })
    }
}

impl Simulation {
    /// Starts the bot with the one plugin.
    ///
    /// # Errors
    /// A part can't be started, a name in `place` is unknown, or the bot refuses the plugin.
    pub(crate) async fn start(single: &SinglePlugin, place: &Scene) -> anyhow::Result<Self> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let signing_secret = Secret::new(format!("{:032x}", rand::random::<u128>()));
        let bot_token = Secret::new("xoxb-simulated");
        let settings = SimulatedSlackSettings {
            listen: loopback,
            signing_secret: signing_secret.clone(),
            bot_token: bot_token.clone(),
            clock: Clock::system(),
        };
        let slack =
            SimulatedSlack::start(settings).await.context("can't start the simulated Slack workspace")?;
        // As for an app made from MARO's manifest: without one of them, nobody has a time zone.
        slack.grant_all_scopes();
        let jira = SimulatedJira::start(loopback, &CancellationToken::new())
            .await
            .context("can't start the simulated Jira site")?;
        let config = Config {
            admins: slack
                .workspace()
                .people
                .iter()
                .filter(|person| place.administers(&person.name))
                .map(|person| Person { foreign_team: None, user: person.id.clone() })
                .collect(),
            sync_interval: Duration::from_secs(3_600),
            log: "off".to_owned(),
            ..Config::on_loopback(
                DatabaseConfig::Sqlite { path: single.dir().join("maro.db") },
                PluginsConfig {
                    effort: Effort::Quick,
                    cache_dir: config::load::cache_dir(),
                    ..PluginsConfig::in_folder(single.dir())
                },
                SlackConfig {
                    signing_secret: Some(signing_secret),
                    ..SlackConfig::new(slack.api_url(), bot_token)
                },
                jira.cloud_config(),
            )
        };
        track(&config, &slack, place).await?;
        let services = place.services()?;
        let surroundings = Surroundings { services: services.clone(), ..Clock::system().into() };
        let bot = Bot::start(config, surroundings).await?;
        let recordings = bot.recorder().listen().context("this bot is already being recorded")?;
        bot.wait_until_ready().await;
        single.loaded(bot.registry()).await?;
        slack.connect_bot(Url::parse(&format!("http://{}/slack/commands", bot.address()))?);
        Ok(Self { slack, jira, bot, recordings, services })
    }

    /// The plugin that the bot has loaded.
    ///
    /// # Errors
    /// Why the bot refuses it.
    pub(crate) fn plugin(&self) -> anyhow::Result<Arc<LoadedPlugin>> {
        single_plugin::only(&self.bot.registry().plugins())
    }

    /// Types a command. Returns what Slack shows and what happened behind it. The plugin isn't paused,
    /// however often it fails.
    ///
    /// # Errors
    /// There is no such channel or person, or the bot didn't answer.
    pub(crate) async fn type_command(&mut self, place: &Scene, typed: &str) -> anyhow::Result<CommandResult> {
        let messages = self.slack.run_command(place.channel(), place.user(), typed, PATIENCE).await?;
        let names = self.slack.workspace().names();
        let shown: Vec<_> =
            messages.iter().map(|message| terminal::text_with_commands(message, &names)).collect();
        let buttons: Vec<_> = messages.iter().flat_map(|message| form::buttons(&message.blocks)).collect();
        let asking =
            buttons.iter().filter_map(|button| Some((button.label.clone(), button.question()?.to_owned())));
        let mut questions: Vec<_> = asking.collect();
        questions.dedup();
        let commands = buttons.into_iter().filter_map(|button| button.value).collect();
        self.plugin()?.forgive();
        let recording = self.recordings.try_recv().ok();
        Ok(CommandResult { text: shown.join("\n"), commands, questions, recording })
    }

    /// The requests since the last call that the file of answers has none for.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        self.services.as_ref().map(|services| services.take_unanswered()).unwrap_or_default()
    }

    /// Adds what services answered to the file that `place` names. Returns a sentence about it.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn keep_answers(&self, place: &Scene) -> anyhow::Result<Option<String>> {
        let (Some(path), Some(services)) = (&place.record_http, &self.services) else { return Ok(None) };
        let count = services
            .write_kept(path)
            .with_context(|| format!("can't write the recorded answers to {}", path.display()))?;
        let answers = if count == 1 { "answer" } else { "answers" };
        Ok(Some(format!(
            "Recorded {count} {answers} in {}. Read it before you share it, and use it with --http.",
            path.display()
        )))
    }

    pub(crate) async fn stop(self) {
        self.bot.stop().await;
        self.slack.stop().await;
        self.jira.stop().await;
    }
}

/// Puts the issues on the channel's list before the bot starts.
async fn track(config: &Config, slack: &SimulatedSlack, place: &Scene) -> anyhow::Result<()> {
    let workspace = slack.workspace();
    let person = workspace.person(place.user()).with_context(|| {
        let names: Vec<_> = workspace.people.iter().map(|person| &*person.name).collect();
        format!(
            "there is no one called {} in the simulated Slack. Choose from {}",
            place.user(),
            names.join(", ")
        )
    })?;
    let channel = workspace.place(place.channel(), person).with_context(|| {
        let names = workspace.known_channels();
        format!("there is no channel {} in the simulated Slack. Choose from {names}", place.channel())
    })?;
    let keys: Vec<_> = place
        .tracked
        .iter()
        .filter(|key| !key.is_empty())
        .map(|key| IssueKey::parse(key).map_err(|_| anyhow!("{key} isn't an issue key")))
        .collect::<Result<_, _>>()?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let issues = JiraClient::new(&config.jira)?.get_issues(&keys, deadline).await?;
    let issues: Vec<_> =
        issues.into_iter().zip(&keys).map(|(issue, key)| issue.unwrap_or_else(|| gone(key))).collect();
    let stores = Stores::open(&config.database).await?;
    let request = TrackRequest { author: &Author::host(&channel.id, &person.id), source: Source::Command };
    stores.tracker.track(request, &issues, TRACKED_AT).await?;
    stores.close().await;
    Ok(())
}

/// A tracked issue that is no longer in Jira.
fn gone(key: &IssueKey) -> Issue {
    Issue::new(IssueId::new(format!("gone-{key}")), key.clone(), "No longer in Jira", "Open")
}

/// The folder in a project that recordings go to by default.
pub(crate) fn cases_dir(project: &std::path::Path) -> PathBuf {
    project.join("cases")
}

#[cfg(test)]
mod tests {
    use maro_simulation::slack::workspace::Workspace;

    #[test]
    fn the_reference_names_the_simulated_channels_and_people() {
        let reference = include_str!("../../../../plugins/REFERENCE.md");
        let workspace = Workspace::sample();
        let names = |names: Vec<&str>| {
            format!("{} and {}", names[..names.len() - 1].join(", "), names[names.len() - 1])
        };
        let people = names(workspace.people.iter().map(|person| &*person.name).collect());
        let channels = workspace.known_channels();
        let channels = names(channels.split(", ").collect());
        assert!(reference.contains(&people), "{people}");
        assert!(reference.contains(&channels), "{channels}");
    }
}
