//! How the kinds of intents differ: what is asked of Jira, and what follows. The rest is in [`crate::flow`].

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    intent_records::{Announcement, Place},
    patience::{LOOK_UP_PATIENCE, deadline},
};
use maro_domain::{events::DomainEvent, reply::Block, ticket::CreatedTicket};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::clock::Clock;
use maro_store::{
    intents::{IntentKind, work::Work},
    tracker::ChannelIssueTracker,
};

/// The pauses before each look. Jira's search usually shows a new ticket within seconds. Each is shorter than
/// the lease of an intent.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(12),
];

/// The pauses while a command waits for the answer.
const SHORT_PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(700), Duration::from_secs(1)];

/// A kind of intent. Each value is driven once.
pub(crate) trait Wish: Send {
    const KIND: IntentKind;
    /// What is stored for it.
    type Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// Why Jira has done nothing.
    type Refusal: Send;

    /// Notes in the record what to ask Jira for next. Returns `false` if nothing is left to ask.
    fn prepare(&mut self, jira: &JiraClient, record: &mut Self::Record) -> impl Future<Output = bool> + Send;

    /// Asks Jira for what [`Wish::prepare`] noted, and notes Jira's answer.
    fn ask(
        &mut self,
        jira: &JiraClient,
        work: &mut Work<Self::Record>,
    ) -> impl Future<Output = Asked<Self::Refusal>> + Send;

    /// The marks of what Jira may have created but didn't confirm. Empty if asking twice does no harm.
    fn unconfirmed(&self, _work: &Work<Self::Record>) -> Vec<String> {
        Vec::new()
    }

    /// Where to look for those.
    fn project(&mut self, _jira: &JiraClient, _record: &Self::Record) -> impl Future<Output = String> + Send {
        async { String::new() }
    }

    /// How long to look for those.
    fn looking(&self) -> Looking {
        Looking::Thoroughly
    }

    /// Notes that Jira has created the ticket with this mark.
    fn found(&mut self, _work: &mut Work<Self::Record>, _mark: &str, _ticket: CreatedTicket) {}

    /// Jira certainly hasn't created what is unconfirmed. It is asked again, unless this returns a refusal.
    fn missing(&mut self, _work: &mut Work<Self::Record>) -> Result<(), Self::Refusal> {
        Ok(())
    }

    /// What has happened and isn't tracked yet, each with a number that identifies it to [`Wish::tracked`].
    fn events(&self, work: &Work<Self::Record>) -> Vec<(usize, DomainEvent)>;

    fn tracked(&self, _record: &mut Self::Record, _number: usize) {}

    /// Does what else has to follow. It may be repeated, and may fail.
    fn follow(
        &mut self,
        _jira: &JiraClient,
        _tracker: &dyn ChannelIssueTracker,
        _clock: &Clock,
        _work: &Work<Self::Record>,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// What the channel is told; `None` if nothing.
    fn told(&self, _record: &Self::Record) -> Option<Told> {
        None
    }

    /// How far telling the channel has come.
    fn announcement<'a>(&self, _record: &'a mut Self::Record) -> Option<&'a mut Announcement> {
        None
    }
}

/// Jira's answer.
pub(crate) enum Asked<Refusal> {
    Answered,
    /// Jira has certainly done nothing.
    Refused(Refusal),
    /// Jira may have done it.
    Unknown(JiraError),
}

/// How long to look for what Jira didn't confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    /// Until it is found, or certainly doesn't exist.
    Thoroughly,
    /// Somebody waits until then. What isn't found by then is left to recovery.
    Until(Instant),
}

/// A message to a channel or a thread in it, in the name of the person who caused it.
pub(crate) struct Told {
    pub(crate) place: Place,
    pub(crate) thread_ts: Option<String>,
    pub(crate) blocks: Vec<Block>,
}

impl Looking {
    pub(crate) fn pauses(self) -> &'static [Duration] {
        match self {
            Self::Thoroughly => &PAUSES,
            Self::Until(_) => &SHORT_PAUSES,
        }
    }

    pub(crate) fn has_time_for(self, pause: Duration) -> bool {
        match self {
            Self::Thoroughly => true,
            Self::Until(end) => Instant::now() + pause < end,
        }
    }

    pub(crate) fn deadline(self) -> Instant {
        match self {
            Self::Thoroughly => deadline(LOOK_UP_PATIENCE),
            Self::Until(end) => end,
        }
    }
}
