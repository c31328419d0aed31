//! Who may see and do what: which issues may be shown in which channel, and what a person may do.

pub mod audience;
mod foreign_users;
pub mod hiding_rules;
pub mod moved_and_archived_channels;
pub mod named_channel;
mod person_rights;
pub mod policed_tracker;
pub mod policy_in_channel;
pub mod policy_settings;
pub mod role_settings;
pub mod roles;
pub mod time_zones;
pub mod workspace;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    audience::{Audience, Channels},
    foreign_users::People,
    hiding_rules::Rule,
    moved_and_archived_channels::KnownChannels,
    person_rights::PersonRights,
    policy_in_channel::Sight,
    policy_settings::AccessPolicy,
    role_settings::Roles,
    roles::RoleBook,
    time_zones::{SlackIsAway, TimeZones},
    workspace::Workspace,
};
use maro_domain::ids::{ChannelId, UserId};
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, replaceable::Live};
use maro_slack::web_api::SlackWebApi;
use maro_store::{
    channels::{ChannelBook, ChannelChange, Occurrence},
    database::error::DatabaseError,
};

/// How soon a replica knows what another one heard of channels.
const ROUND: Duration = Duration::from_secs(3);

/// How often Slack is asked whether the bot is back in channels that it has left, and about how many at a time.
const LEFT_ROUND: Duration = Duration::from_secs(600);
const LEFT_AT_ONCE: usize = 20;

/// What everything asks that shows, tracks, lists, suggests, creates, links or refreshes an issue.
pub struct Access {
    policy: Live<AccessPolicy>,
    channels: Channels,
    zones: TimeZones,
    people: People,
    /// What they were called before.
    pub known_channels: Arc<KnownChannels>,
    pub roles: RoleBook,
    /// Asked if people's own rights decide.
    rights: Option<Arc<PersonRights>>,
    /// Knows whose account in Jira is whose.
    accounts: Option<Arc<PersonRights>>,
}

/// Whose permissions in Jira decide what somebody may see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JiraAs {
    /// The bot's account.
    #[default]
    Bot,
    /// The person's own account.
    Person,
}

impl Access {
    pub fn new(policy: AccessPolicy, slack: Arc<SlackWebApi>, workspace: Arc<Workspace>) -> Self {
        let roles = RoleBook::new(Roles::default(), Live::default(), Arc::clone(&slack));
        let zones = TimeZones::new(Arc::clone(&slack), Arc::clone(&workspace));
        let people = People::new(Arc::clone(&slack), Arc::clone(&workspace));
        let (known_channels, channels) = (Arc::default(), Channels::new(slack, workspace));
        Self {
            policy: Live::new(policy),
            channels,
            zones,
            people,
            known_channels,
            roles,
            rights: None,
            accounts: None,
        }
    }

    /// The name of a person's time zone, if Slack says.
    ///
    /// # Errors
    /// Slack doesn't answer.
    pub async fn time_zone(&self, user: &UserId) -> Result<Option<String>, SlackIsAway> {
        self.zones.of(user).await
    }

    /// With who may do what. Without this, everybody may do everything but what is for administrators.
    #[must_use]
    pub fn with_roles(self, roles: RoleBook) -> Self {
        Self { roles, ..self }
    }

    /// Lets each person's own rights in Jira decide, too.
    #[must_use]
    pub fn with_rights_of_people(
        self,
        slack: Arc<SlackWebApi>,
        jira: Arc<JiraClient>,
        workspace: Arc<Workspace>,
    ) -> Self {
        Self { rights: Some(Arc::new(PersonRights::new(slack, jira, workspace))), ..self }
    }

    /// Lets it find out whose account in Jira is whose, where Slack's app may tell people's addresses.
    #[must_use]
    pub fn with_accounts_of_people(
        self,
        slack: Arc<SlackWebApi>,
        jira: Arc<JiraClient>,
        workspace: Arc<Workspace>,
    ) -> Self {
        let people = || Arc::new(PersonRights::new(slack, jira, workspace));
        Self { accounts: Some(self.rights.clone().unwrap_or_else(people)), ..self }
    }

    /// A person's account in Jira: its id on Cloud, the user's name on Data Center.
    ///
    /// # Errors
    /// Why it can't be found out.
    pub async fn jira_account(&self, user: &UserId) -> Result<String, Rule> {
        let accounts = self.accounts.as_ref().ok_or(Rule::RightsUnknown)?;
        accounts.account(user).await.map(|account| account.id)
    }

    /// Has this policy decide from now on.
    pub fn replace_policy(&self, policy: AccessPolicy) {
        self.policy.set(policy);
    }

    /// What may be shown to a person in a channel. Asks Slack who is in it, if the app may and hasn't lately.
    pub async fn sight(&self, channel: &ChannelId, user: &UserId) -> Sight {
        let sight = self.sight_of(channel, self.channels.audience(channel).await);
        match &self.rights {
            Some(rights) => sight.of_person(Arc::clone(rights), user),
            None => sight,
        }
    }

    /// Whether people of other organizations are in a channel, or may be.
    pub async fn may_have_strangers(&self, channel: &ChannelId) -> bool {
        matches!(self.channels.audience(channel).await, Audience::Shared | Audience::Unknown)
    }

    /// Whether a person who wrote something in a channel is of a workspace that nobody allows, as far as the app may find
    /// out. Of what only people of the bot's own can write in, it isn't asked.
    pub async fn is_stranger_in(&self, channel: &ChannelId, user: &UserId) -> bool {
        !matches!(self.channels.audience(channel).await, Audience::Own { .. }) && self.is_stranger(user).await
    }

    /// Whether a person is of a workspace that nobody allows, as far as the app may find out.
    pub async fn is_stranger(&self, user: &UserId) -> bool {
        self.people.is_stranger(user).await
    }

    /// Whether the app may read what was written in some channels, as far as is known.
    pub async fn may_read_history(&self) -> bool {
        self.channels.may_read_history().await
    }

    /// The channels that a person is in, as far as the app may see them. `None` if it may see none.
    pub async fn channels_of(&self, user: &UserId) -> Option<Vec<ChannelId>> {
        self.channels.of_person(user).await
    }

    /// What may be stored for a channel, from what is known without asking Slack. What isn't known yet restricts
    /// nothing: it's asked before anything is shown.
    pub fn in_store(&self, channel: &ChannelId) -> Sight {
        let audience = match self.channels.known(channel) {
            Audience::Unknown => Audience::Unknowable,
            known => known,
        };
        let sight = self.sight_of(channel, audience);
        if audience == Audience::Unknowable { sight.with_private_levels() } else { sight }
    }

    /// Of a channel whose people or state have changed, what was remembered is forgotten.
    pub fn forget_channel(&self, channel: &ChannelId) {
        self.channels.forget(channel);
    }

    /// Reads what all replicas know of channels, and forgets what was remembered of those in which other people can be now.
    ///
    /// # Errors
    /// The database fails. What was known stays.
    pub async fn read_channels(&self, book: &dyn ChannelBook) -> Result<(), DatabaseError> {
        let changed = self.known_channels.read(book).await?;
        changed.iter().for_each(|channel| self.forget_channel(channel));
        Ok(())
    }

    /// Reads that again and again until `shutdown`, because other replicas hear about channels, too.
    pub async fn keep_reading_channels(
        self: Arc<Self>,
        book: Arc<dyn ChannelBook>,
        clock: Clock,
        shutdown: CancellationToken,
    ) {
        let (mut asked, mut place) = (None::<Instant>, 0);
        while shutdown.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_some() {
            // An outage is logged where all calls pass.
            let _ = self.read_channels(&*book).await;
            if asked.is_none_or(|asked| asked.elapsed() >= LEFT_ROUND) {
                asked = Some(Instant::now());
                let resumed = self.resume_rejoined(&*book, &clock, &mut place);
                let _ = shutdown.run_until_cancelled(resumed).await;
            }
        }
    }

    /// Word that the bot is back in a channel may be lost. Asks Slack about a few that it has left, from `place` on.
    async fn resume_rejoined(
        &self,
        book: &dyn ChannelBook,
        clock: &Clock,
        place: &mut usize,
    ) -> Result<(), DatabaseError> {
        let left = self.known_channels.left();
        let first = if *place < left.len() { *place } else { 0 };
        *place = first + LEFT_AT_ONCE;
        for channel in left.iter().skip(first).take(LEFT_AT_ONCE) {
            if self.channels.has_bot(channel).await {
                tracing::info!(channel = channel.as_str(), "MARO is back in a channel");
                let now = clock.now();
                let event = format!("member {} {now}", channel.as_str());
                // Slack's clock isn't this one.
                let what = Occurrence { event: &event, happened_us: None };
                book.note(what, ChannelChange::Resumed { channel }, now).await?;
            }
        }
        self.read_channels(book).await
    }

    fn sight_of(&self, channel: &ChannelId, audience: Audience) -> Sight {
        Sight::new(&self.policy.get(), channel, &self.known_channels.former(channel), audience)
    }
}
