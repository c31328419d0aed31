//! A Slack workspace on this machine: it sends commands as Slack does, takes answers where Slack takes
//! them, holds them to Slack's limits, and remembers who saw what.
//!
//! It is strict where Slack is: a wrong token, a used-up `response_url` or an oversized block is refused.

pub mod checks;
pub mod dispatch;
pub mod history;
pub mod operator;
mod responses;
mod web_api;
pub mod workspace;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, get, post},
};
use rand::distr::{Alphanumeric, SampleString};
use reqwest::Client;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    clock::Clock,
    config::Secret,
    sandbox::slack::{
        dispatch::{Invocation, SendError},
        history::{History, ShownMessage},
        workspace::Workspace,
    },
};

/// How long Slack waits for the answer to a command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);

/// What a simulated Slack needs to know.
#[derive(Debug, Clone)]
pub struct SimulatedSlackSettings {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// With which commands are signed.
    pub signing_secret: Secret,
    /// The only token that the Web API accepts.
    pub bot_token: Secret,
    pub clock: Clock,
}

/// A running workspace. Dropping it stops it.
#[derive(Debug)]
pub struct SimulatedSlack {
    shared: Arc<Shared>,
    shutdown: CancellationToken,
    server: Option<JoinHandle<()>>,
}

/// What the routes and the programmatic interface share.
#[derive(Debug)]
struct Shared {
    settings: SimulatedSlackSettings,
    address: SocketAddr,
    base: Url,
    workspace: Workspace,
    history: History,
    /// Where the bot takes commands, once it runs.
    command_url: RwLock<Option<Url>>,
    /// For requests to the bot.
    client: Client,
    /// Opens the operator's routes.
    operator_token: Secret,
}

impl SimulatedSlack {
    /// Starts listening, with the people and channels of [`Workspace::sample`].
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn start(settings: SimulatedSlackSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let base = Url::parse(&format!("http://{address}")).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            settings,
            address,
            base,
            workspace: Workspace::sample(),
            history: History::default(),
            command_url: RwLock::new(None),
            client: client().map_err(io::Error::other)?,
            operator_token: Secret::new(random_text(32)),
        });
        let shutdown = CancellationToken::new();
        let router = router(Arc::clone(&shared));
        let stopped = shutdown.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the simulated Slack stopped");
            }
        });
        Ok(Self { shared, shutdown, server: Some(server) })
    }

    /// Where it listens, such as `http://127.0.0.1:4000/`.
    pub fn url(&self) -> &Url {
        &self.shared.base
    }

    /// For `SLACK_API_URL`.
    pub fn api_url(&self) -> Url {
        self.shared.base.join("api").expect("a fixed path joins to any http address")
    }

    /// The value of the header [`operator::TOKEN_HEADER`] that opens `/sandbox/…`.
    pub fn operator_token(&self) -> &Secret {
        &self.shared.operator_token
    }

    pub fn workspace(&self) -> &Workspace {
        &self.shared.workspace
    }

    /// Tells where the bot takes commands: the full address of its `/slack/commands`.
    pub fn connect_bot(&self, command_url: Url) {
        *self.shared.command_url.write().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(command_url);
    }

    /// Types `typed` (`/maro …`) as `user` in `channel` (names or ids; `dm` is the person's direct message
    /// with the bot), and returns when Slack has its answer or has given up waiting, after 3 s.
    ///
    /// # Errors
    /// [`SendError`] if nothing was sent. What goes wrong at the bot is shown, as Slack shows it.
    pub async fn send_command(
        &self,
        channel: &str,
        user: &str,
        typed: &str,
    ) -> Result<Invocation, SendError> {
        dispatch::send(&self.shared, channel, user, typed).await
    }

    /// As [`SimulatedSlack::send_command`]; if the bot answered nothing yet, waits up to `patience` for the
    /// first later answer. Empty if there was none.
    ///
    /// # Errors
    /// As [`SimulatedSlack::send_command`].
    pub async fn run_command(
        &self,
        channel: &str,
        user: &str,
        typed: &str,
        patience: Duration,
    ) -> Result<Vec<ShownMessage>, SendError> {
        dispatch::run(&self.shared, channel, user, typed, patience).await
    }

    /// Everything that was shown so far, oldest first.
    pub fn messages(&self) -> Vec<ShownMessage> {
        self.shared.history.messages()
    }

    /// What one person sees of a channel, oldest first. Nothing if there is no such person or channel.
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

    /// Waits until the messages shown so far satisfy `condition`, up to `patience`; then returns them.
    /// `None` if they did not.
    pub async fn wait_for(
        &self,
        patience: Duration,
        condition: impl FnMut(&[ShownMessage]) -> bool,
    ) -> Option<Vec<ShownMessage>> {
        self.shared.history.wait_for(patience, condition).await
    }

    /// What the bot did that Slack would not have taken, a sentence each.
    pub fn problems(&self) -> Vec<String> {
        self.shared.history.problems()
    }

    /// Stops listening, finishes requests under way, and returns when that is done.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(server) = self.server.take() {
            // A panic in the server was logged where it happened.
            let _ = server.await;
        }
    }
}

impl Drop for SimulatedSlack {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/commands/{team}/{number}/{secret}", post(responses::take))
        .route("/api/{method}", any(web_api::call))
        .route("/sandbox/commands", post(operator::run_command))
        .route("/sandbox/workspace", get(operator::show_workspace))
        .with_state(shared)
}

fn client() -> Result<Client, reqwest::Error> {
    // Fails only if a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(COMMAND_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("Slackbot 1.0 (+https://api.slack.com/robots)")
        .no_proxy()
        .tls_certs_only([])
        .build()
}

/// Letters and digits that nobody can guess.
fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
