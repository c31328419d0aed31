//! What the kinds of intentions differ in: what is asked of Jira, and what follows. The rest is in
//! [`crate::flow`].

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

/// The pauses before each look. Jira's search shows a new ticket within seconds, rarely later. Each is shorter
/// than the journal's patience with whoever works on an intention.
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

/// A kind of intention. A value is used for one drive.
pub(crate) trait Wish: Send {
    const KIND: IntentKind;
    /// What the journal keeps of it.
    type Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// Why Jira has done nothing of it.
    type Refusal: Send;

    /// Notes in the record what Jira is asked for next. `false` if nothing is left to ask.
    fn prepare(&mut self, jira: &JiraClient, record: &mut Self::Record) -> impl Future<Output = bool> + Send;

    /// Asks Jira for what [`Wish::prepare`] has noted, and notes Jira's answer.
    fn ask(
        &mut self,
        jira: &JiraClient,
        work: &mut Work<Self::Record>,
    ) -> impl Future<Output = Asked<Self::Refusal>> + Send;

    /// The marks of what Jira may have created and did not confirm. None, if asking twice does no harm.
    fn unconfirmed(&self, _work: &Work<Self::Record>) -> Vec<String> {
        Vec::new()
    }

    /// Where to look for those.
    fn project(&mut self, _jira: &JiraClient, _record: &Self::Record) -> impl Future<Output = String> + Send {
        async { String::new() }
    }

    /// Until when to look for those.
    fn looking(&self) -> Looking {
        Looking::Thoroughly
    }

    /// Notes that Jira has created what has this mark.
    fn found(&mut self, _work: &mut Work<Self::Record>, _mark: &str, _ticket: CreatedTicket) {}

    /// Jira has surely not created what is unconfirmed: asked again, unless there is a refusal.
    fn missing(&mut self, _work: &mut Work<Self::Record>) -> Result<(), Self::Refusal> {
        Ok(())
    }

    /// What has happened and is not tracked yet, each with a number by which [`Wish::tracked`] knows it.
    fn events(&self, work: &Work<Self::Record>) -> Vec<(usize, DomainEvent)>;

    fn tracked(&self, _record: &mut Self::Record, _number: usize) {}

    /// What else follows before all is done. It may be repeated, and may fail.
    fn follow(
        &mut self,
        _jira: &JiraClient,
        _tracker: &dyn ChannelIssueTracker,
        _clock: &Clock,
        _work: &Work<Self::Record>,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// What the channel hears. `None` if it hears nothing.
    fn told(&self, _record: &Self::Record) -> Option<Told> {
        None
    }

    /// How far telling has come.
    fn announcement<'a>(&self, _record: &'a mut Self::Record) -> Option<&'a mut Announcement> {
        None
    }
}

/// What Jira said to what it was asked.
pub(crate) enum Asked<Refusal> {
    Answered,
    /// Nothing was done, for sure.
    Refused(Refusal),
    /// Jira may have done it.
    Unknown(JiraError),
}

/// For how long to look for what Jira did not confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    /// Until it is there, or surely is not.
    Thoroughly,
    /// Somebody waits until then. What is not found is left to recovery at once.
    Until(Instant),
}

/// A message for a channel, or a thread of it, by whoever caused it.
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
