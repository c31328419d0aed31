//! What the simulated workspace's routes and its programmatic interface share.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use reqwest::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::slack::{
    modals::{modal::Modal, triggers::Triggers, views::Views},
    people::act_error::ActError,
    random::random_text,
    shown::{
        changes::Changes,
        history::{History, Typed},
    },
    sockets::Sockets,
    web_api::faults::ApiRecords,
    workspace::{Channel, Conversation, Person, Workspace},
};
use maro_domain::ids::UserId;
use maro_process::{clock::Clock, secret::Secret};

/// How long Slack waits for the answer to a command or an interaction.
pub(crate) const BOT_TIMEOUT: Duration = Duration::from_secs(3);

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

/// What the routes and the programmatic interface share.
#[derive(Debug)]
pub(crate) struct WorkspaceState {
    pub(crate) settings: SimulatedSlackSettings,
    pub(crate) address: SocketAddr,
    pub(crate) base: Url,
    /// Where the bot reaches the workspace, if something stands before it.
    pub(crate) public_base: RwLock<Option<Url>>,
    pub(crate) workspace: Workspace,
    pub(crate) changes: Arc<Changes>,
    pub(crate) history: History,
    pub(crate) triggers: Triggers,
    pub(crate) views: Views,
    pub(crate) sockets: Sockets,
    pub(crate) api: ApiRecords,
    /// The interactions sent so far.
    pub(crate) interactions: Mutex<Vec<Value>>,
    /// Channels that the bot was added to or removed from, by channel id.
    pub(crate) memberships: Mutex<BTreeMap<String, bool>>,
    /// Channels that are shared with other workspaces, by channel id.
    pub(crate) shared_channels: Mutex<BTreeMap<String, Sharing>>,
    /// People of other workspaces, by their ids, each with the workspace's.
    pub(crate) foreigners: Mutex<BTreeMap<String, String>>,
    /// Who is in each user group.
    pub(crate) user_groups: Mutex<BTreeMap<String, Vec<UserId>>>,
    pub(crate) shutdown: CancellationToken,
    /// Where the bot receives commands, once it is running.
    pub(crate) command_url: RwLock<Option<Url>>,
    /// For requests to the bot.
    pub(crate) client: Client,
    /// The token for the operator's routes.
    pub(crate) operator_token: Secret,
    /// The token that opens sockets.
    pub(crate) app_token: Secret,
}

/// With whom a channel is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// With another organization.
    External,
    /// Another organization has been invited.
    Pending,
    /// With another workspace of the same organization.
    Organization,
}

impl WorkspaceState {
    pub(crate) fn has_bot(&self) -> bool {
        self.sockets.are_in_use() || self.command_url.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(crate) fn place(&self, name: &str, person: &Person) -> Result<Conversation, ActError> {
        let workspace = &self.workspace;
        workspace.place(name, person).ok_or_else(|| ActError::UnknownChannel {
            name: name.to_owned(),
            known: workspace.known_channels(),
        })
    }

    pub(crate) fn has_bot_in(&self, channel: &Channel) -> bool {
        let memberships = self.memberships.lock().unwrap_or_else(PoisonError::into_inner);
        memberships.get(channel.id.as_str()).copied().unwrap_or(channel.has_bot)
    }

    /// With whom a channel is shared, if with anybody.
    pub(crate) fn sharing(&self, channel: &str) -> Option<Sharing> {
        self.shared_channels.lock().unwrap_or_else(PoisonError::into_inner).get(channel).copied()
    }

    pub(crate) fn note_interaction(&self, payload: Value) {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner).push(payload);
    }

    pub(crate) fn sent_interactions(&self) -> Vec<Value> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn person(&self, name: &str) -> Result<&Person, ActError> {
        let workspace = &self.workspace;
        workspace.person(name).ok_or_else(|| {
            let names: Vec<_> = workspace.people.iter().map(|person| person.name.as_str()).collect();
            ActError::UnknownUser { name: name.to_owned(), known: names.join(", ") }
        })
    }

    /// The person and their topmost modal.
    pub(crate) fn person_and_modal(&self, name: &str) -> Result<(&Person, Modal), ActError> {
        let person = self.person(name)?;
        let modal = self.views.top(&person.id);
        Ok((person, modal.ok_or_else(|| ActError::NoModal { user: person.name.clone() })?))
    }

    /// Describes the modal that a person has open, for use in a sentence.
    pub(crate) fn seen(&self, user: &UserId) -> String {
        match self.views.top(user) {
            Some(modal) => format!("{:?} ({}): {}", modal.title(), modal.callback_id(), modal.text()),
            None => "no modal is open".to_owned(),
        }
    }

    /// Where the bot reaches the workspace.
    fn public_base(&self) -> Url {
        let public_base = self.public_base.read().unwrap_or_else(PoisonError::into_inner).clone();
        public_base.unwrap_or_else(|| self.base.clone())
    }

    /// Opens a response URL for answers to what somebody did.
    pub(crate) fn new_response_url(&self, kind: &str, typed: &Typed) -> String {
        let now = self.settings.clock.now();
        let number = now.as_microsecond().unsigned_abs();
        let path = format!("/{kind}/{}/{number}/{}", self.workspace.team_id, random_text(24));
        self.history.open(path.clone(), typed.clone(), now);
        format!("{}{path}", self.public_base().as_str().trim_end_matches('/'))
    }
}
