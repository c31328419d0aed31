//! A simulated Slack workspace. It sends commands and interactions as Slack does, accepts answers and calls
//! where Slack does, enforces Slack's limits, and remembers who saw what.
//!
//! It is as strict as Slack: it refuses a wrong token, an expired `trigger_id`, a used-up `response_url` and
//! an oversized block.

pub mod acts;
mod changes;
pub mod checks;
mod connection;
pub mod delivery;
pub mod dispatch;
mod filling;
pub mod form;
pub mod history;
mod messages;
pub mod modal;
pub mod operator;
mod payloads;
pub mod people;
pub mod pressing;
mod responses;
pub mod sockets;
pub mod submission;
pub mod terminal;
mod triggers;
mod views;
pub mod web_api;
pub mod workspace;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, get, post},
};
use rand::distr::{Alphanumeric, SampleString};
use reqwest::Client;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::slack::{
    changes::Changes,
    dispatch::Invocation,
    history::{History, MessageChanges, ShownMessage},
    people::ActError,
    sockets::Sockets,
    triggers::Triggers,
    views::Views,
    web_api::faults::ApiRecords,
    workspace::{Channel, Person, Place, Workspace},
};
use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions},
    secret::Secret,
};

/// How long Slack waits for the answer to a command or an interaction.
const BOT_TIMEOUT: Duration = Duration::from_secs(3);

/// The settings of a simulated Slack.
#[derive(Debug, Clone)]
pub struct SimulatedSlackSettings {
    /// Where to listen. Port 0 means any free port.
    pub listen: SocketAddr,
    /// Signs the commands.
    pub signing_secret: Secret,
    /// The only token that the Web API accepts.
    pub bot_token: Secret,
    pub clock: Clock,
}

/// A running workspace. It stops when dropped.
#[derive(Debug)]
pub struct SimulatedSlack {
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

/// What the routes and the programmatic interface share.
#[derive(Debug)]
struct Shared {
    settings: SimulatedSlackSettings,
    address: SocketAddr,
    base: Url,
    workspace: Workspace,
    changes: Arc<Changes>,
    history: History,
    triggers: Triggers,
    views: Views,
    sockets: Sockets,
    api: ApiRecords,
    /// The interactions sent so far.
    interactions: Mutex<Vec<Value>>,
    /// Channels that the bot was added to or removed from, by channel id.
    memberships: Mutex<BTreeMap<String, bool>>,
    shutdown: CancellationToken,
    /// Where the bot receives commands, once it is running.
    command_url: RwLock<Option<Url>>,
    /// For requests to the bot.
    client: Client,
    /// The token for the operator's routes.
    operator_token: Secret,
    /// The token that opens sockets.
    app_token: Secret,
}

impl SimulatedSlack {
    /// Starts listening, with the people and channels of [`Workspace::sample`].
    ///
    /// # Errors
    /// If it can't listen on the address.
    pub async fn start(settings: SimulatedSlackSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let base = Url::parse(&format!("http://{address}")).map_err(io::Error::other)?;
        let changes = Arc::new(Changes::default());
        let socket_listener = TcpListener::bind((address.ip(), 0)).await?;
        let link = format!("ws://{}/link/", socket_listener.local_addr()?);
        let link = Url::parse(&link).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            settings,
            address,
            base,
            workspace: Workspace::sample(),
            history: History::new(Arc::clone(&changes)),
            triggers: Triggers::default(),
            views: Views::new(Arc::clone(&changes)),
            sockets: Sockets::new(link, Arc::clone(&changes)),
            changes,
            api: ApiRecords::default(),
            interactions: Mutex::default(),
            memberships: Mutex::default(),
            shutdown: CancellationToken::new(),
            command_url: RwLock::new(None),
            client: client().map_err(io::Error::other)?,
            operator_token: Secret::new(random_text(32)),
            app_token: Secret::new(format!("xapp-1-{}", random_text(32))),
        });
        let router = router(Arc::clone(&shared));
        tokio::spawn(sockets::server::serve(socket_listener, Arc::clone(&shared)));
        let server = tokio::spawn(connection::serve(listener, router, shared.shutdown.clone()));
        Ok(Self { shared, server: Some(server) })
    }

    /// The workspace's address, such as `http://127.0.0.1:4000/`.
    pub fn url(&self) -> &Url {
        &self.shared.base
    }

    /// For `SLACK_API_URL`.
    pub fn api_url(&self) -> Url {
        self.shared.base.join("api").expect("a fixed path joins to any http address")
    }

    /// The value of the header [`operator::TOKEN_HEADER`] that gives access to `/sandbox/…`.
    pub fn operator_token(&self) -> &Secret {
        &self.shared.operator_token
    }

    pub fn workspace(&self) -> &Workspace {
        &self.shared.workspace
    }

    /// For `SLACK_APP_TOKEN`.
    pub fn app_token(&self) -> &Secret {
        &self.shared.app_token
    }

    /// Adds the bot to a channel, by name or id, or removes it.
    pub fn set_bot_in(&self, channel: &str, is_member: bool) {
        let known = self.shared.workspace.channels.iter().find(|known| known.name == channel);
        let id = known.map_or(channel, |known| known.id.as_str()).to_owned();
        self.shared.memberships.lock().unwrap_or_else(PoisonError::into_inner).insert(id, is_member);
    }

    /// Sets where the bot receives commands: the full address of its `/slack/commands`. Interactions and
    /// events go to `interactions` and `events` next to it. Once the bot has opened a socket, everything goes
    /// through sockets instead.
    pub fn connect_bot(&self, command_url: Url) {
        *self.shared.command_url.write().unwrap_or_else(PoisonError::into_inner) = Some(command_url);
    }

    /// Types `typed` (`/maro …`) as `user` in `channel` (names or ids; `dm` is the person's direct message
    /// with the bot). Returns once Slack has an answer or has stopped waiting, after 3 s.
    ///
    /// # Errors
    /// [`ActError`] if nothing was sent. If the bot fails, Slack's message about that is shown.
    pub async fn send_command(&self, channel: &str, user: &str, typed: &str) -> Result<Invocation, ActError> {
        dispatch::send(&self.shared, channel, user, typed).await
    }

    /// As [`SimulatedSlack::send_command`]. If the bot hasn't answered yet, waits up to `patience` for its
    /// first answer. Empty if there was none.
    ///
    /// # Errors
    /// As [`SimulatedSlack::send_command`].
    pub async fn run_command(
        &self,
        channel: &str,
        user: &str,
        typed: &str,
        patience: Duration,
    ) -> Result<Vec<ShownMessage>, ActError> {
        dispatch::run(&self.shared, channel, user, typed, patience).await
    }

    /// Everything shown so far, oldest first.
    pub fn messages(&self) -> Vec<ShownMessage> {
        self.shared.history.messages()
    }

    /// What changed in the messages after `revision`. 0 is before the first message.
    pub fn message_changes(&self, revision: u64) -> MessageChanges {
        self.shared.history.changes_since(revision)
    }

    /// Changes whenever something visible in the workspace changes: messages and modals.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changes.watch()
    }

    /// What one person sees in a channel, oldest first. Empty if there is no such person or channel.
    pub fn messages_seen_by(&self, user: &str, channel: &str) -> Vec<ShownMessage> {
        let workspace = &self.shared.workspace;
        let Some(person) = workspace.person(user) else { return Vec::new() };
        let Some(place) = workspace.place(channel, person) else { return Vec::new() };
        let mut messages = self.shared.history.messages();
        messages.retain(|message| {
            message.channel == place.id.as_str()
                && message.visible_to.as_deref().is_none_or(|only| only == person.id.as_str())
        });
        messages
    }

    /// Waits up to `patience` until the messages shown so far satisfy `condition`, and returns them. `None`
    /// if they never did.
    pub async fn wait_for(
        &self,
        patience: Duration,
        mut condition: impl FnMut(&[ShownMessage]) -> bool,
    ) -> Option<Vec<ShownMessage>> {
        let look = || Some(self.messages()).filter(|messages| condition(messages));
        self.shared.changes.wait_until(patience, look).await
    }

    /// What the bot did that Slack would have refused, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        self.shared.history.problems()
    }

    /// Stops listening, finishes requests in progress, and returns once that is done.
    pub async fn stop(mut self) {
        self.shared.shutdown.cancel();
        if let Some(server) = self.server.take() {
            // A panic in the server was logged where it happened.
            let _ = server.await;
        }
    }
}

impl Drop for SimulatedSlack {
    fn drop(&mut self) {
        self.shared.shutdown.cancel();
    }
}

impl Shared {
    fn has_bot(&self) -> bool {
        self.sockets.are_in_use() || self.command_url.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn place(&self, name: &str, person: &Person) -> Result<Place, ActError> {
        let workspace = &self.workspace;
        workspace.place(name, person).ok_or_else(|| ActError::UnknownChannel {
            name: name.to_owned(),
            known: workspace.known_channels(),
        })
    }

    fn has_bot_in(&self, channel: &Channel) -> bool {
        let memberships = self.memberships.lock().unwrap_or_else(PoisonError::into_inner);
        memberships.get(channel.id.as_str()).copied().unwrap_or(channel.has_bot)
    }

    fn note_interaction(&self, payload: Value) {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner).push(payload);
    }

    fn sent_interactions(&self) -> Vec<Value> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/commands/{team}/{number}/{secret}", post(responses::take))
        .route("/actions/{team}/{number}/{secret}", post(responses::take))
        .route("/api/{method}", any(web_api::call))
        .route("/sandbox/acts", post(operator::act))
        .route("/sandbox/workspace", get(operator::show_workspace))
        .with_state(shared)
}

fn client() -> Result<Client, reqwest::Error> {
    client::build(&ClientOptions {
        user_agent: "Slackbot 1.0 (+https://api.slack.com/robots)",
        ..ClientOptions::loopback(BOT_TIMEOUT)
    })
}

/// Random letters and digits that nobody can guess.
fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
