//! The simulated workspace for its owner: starts it, types commands, and returns what was shown.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, get, post},
};
use reqwest::Client;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::slack::{
    connection,
    modals::{triggers::Triggers, views::Views},
    operator,
    people::act_error::ActError,
    random::random_text,
    shown::{
        changes::Changes,
        history::{History, MessageChanges, ShownMessage},
        responses,
    },
    sockets::{self, Sockets},
    state::{BOT_TIMEOUT, SimulatedSlackSettings, WorkspaceState},
    to_bot::dispatch::{self, SentCommand},
    web_api::{self, faults::ApiRecords},
    workspace::Workspace,
};
use maro_process::http::client::{self, ClientOptions};
use maro_process::secret::Secret;

/// A running workspace. It stops when dropped.
#[derive(Debug)]
pub struct SimulatedSlack {
    pub(super) shared: Arc<WorkspaceState>,
    server: Option<JoinHandle<()>>,
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
        let socket_address = socket_listener.local_addr()?;
        let shared = Arc::new(WorkspaceState {
            settings,
            address,
            base,
            public_base: RwLock::new(None),
            workspace: Workspace::sample(),
            history: History::new(Arc::clone(&changes)),
            triggers: Triggers::default(),
            views: Views::new(Arc::clone(&changes)),
            sockets: Sockets::new(socket_address, Arc::clone(&changes)),
            changes,
            api: ApiRecords::default(),
            interactions: Mutex::default(),
            memberships: Mutex::default(),
            shared_channels: Mutex::default(),
            foreigners: Mutex::default(),
            user_groups: Mutex::default(),
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

    /// Where its sockets are opened.
    pub fn socket_address(&self) -> SocketAddr {
        self.shared.sockets.address()
    }

    /// Has the bot told these addresses instead of the workspace's own, since something stands before it: `base` for
    /// late replies, and `link` for sockets.
    pub fn stand_behind(&self, base: Url, link: Url) {
        *self.shared.public_base.write().unwrap_or_else(PoisonError::into_inner) = Some(base);
        self.shared.sockets.stand_behind(link);
    }

    /// The value of the header [`operator::TOKEN_HEADER`] that gives access to `/simulation/…`.
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
    pub async fn send_command(
        &self,
        channel: &str,
        user: &str,
        typed: &str,
    ) -> Result<SentCommand, ActError> {
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

    /// Somebody deletes a message.
    pub fn delete_message(&self, ts: &str) {
        self.shared.history.delete(ts);
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

fn router(shared: Arc<WorkspaceState>) -> Router {
    Router::new()
        .route("/commands/{team}/{number}/{secret}", post(responses::take))
        .route("/actions/{team}/{number}/{secret}", post(responses::take))
        .route("/api/{method}", any(web_api::call))
        .route("/simulation/acts", post(operator::act))
        .route("/simulation/workspace", get(operator::show_workspace))
        .with_state(shared)
}

fn client() -> Result<Client, reqwest::Error> {
    client::build(&ClientOptions {
        user_agent: "Slackbot 1.0 (+https://api.slack.com/robots)",
        ..ClientOptions::loopback(BOT_TIMEOUT)
    })
}
