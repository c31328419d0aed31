//! How the kinds of intents differ: what is asked of Jira, and what follows. The rest is in
//! [`crate::intents::exactly_once`].

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    intents::patience::{LOOK_UP_PATIENCE, Patience, deadline},
    intents::records::{Announcement, IntentPlace},
};
use maro_domain::{
    author::Author,
    events::DomainEvent,
    issue::{IssueId, IssueKey},
    reply::Block,
    ticket::CreatedTicket,
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::clock::Clock;
use maro_store::{
    intents::{IntentKind, work::Work},
    tracker::ChannelIssueTracker,
};

/// The pauses while a command waits for the answer.
const SHORT_PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(700), Duration::from_secs(1)];

/// A kind of intent. Each value is driven once.
pub(crate) trait Wish: Send + Sync {
    const KIND: IntentKind;
    /// What is stored for it.
    type Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// What Jira says that it has done.
    type Answer: Send;
    /// Why Jira has done nothing.
    type Refusal: Send;

    /// What it is called in the audit log.
    const ACTION: &str;

    /// What the audit log says is to be changed: a project, or an issue.
    fn subject(record: &Self::Record) -> String;

    /// What the audit log says was changed: the keys of issues.
    fn changed(&self, work: &Work<Self::Record>) -> Vec<String>;

    /// In whose name it is carried on.
    fn author(&self, work: &Work<Self::Record>) -> Author {
        work.author.clone()
    }

    /// Notes in the record what to ask Jira for next. Returns `false` if nothing is left to ask.
    fn prepare(&mut self, jira: &JiraClient, record: &mut Self::Record) -> impl Future<Output = bool> + Send;

    /// Asks Jira for what [`Wish::prepare`] noted in the record of the intent `id`.
    fn ask(
        &self,
        jira: &JiraClient,
        id: &str,
        record: &Self::Record,
        deadline: Instant,
    ) -> impl Future<Output = Asked<Self::Answer, Self::Refusal>> + Send;

    /// Notes Jira's answer.
    fn answered(&mut self, work: &mut Work<Self::Record>, answer: Self::Answer);

    /// Where the record keeps when Jira was last asked, in seconds since the epoch. `None` if asking twice
    /// does no harm.
    fn asked_at<'a>(&self, _record: &'a mut Self::Record) -> Option<&'a mut Option<i64>> {
        None
    }

    /// The marks of what Jira may have created but didn't confirm. Empty if asking twice does no harm.
    fn unconfirmed(&self, _work: &Work<Self::Record>) -> Vec<String> {
        Vec::new()
    }

    /// The marks of what Jira was asked for more than once, so that it may be there twice.
    fn repeated(&self, _work: &Work<Self::Record>) -> Vec<String> {
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

    /// What Jira has created twice: the keys of each.
    fn twins(&self, _record: &Self::Record) -> Vec<Vec<IssueKey>> {
        Vec::new()
    }

    /// Notes that Jira has created the ticket with this mark. If the mark has another ticket already, this is
    /// its twin.
    fn found(&mut self, _work: &mut Work<Self::Record>, _mark: &str, _ticket: CreatedTicket) {}

    /// What is unconfirmed wasn't found. It is asked for again, unless this returns a refusal. That is only allowed
    /// (`is_sure`) if Jira certainly hasn't created it.
    fn missing(&mut self, _work: &mut Work<Self::Record>, _is_sure: bool) -> Result<(), Self::Refusal> {
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

    /// What the channel is told; `None` if nothing. Of what is `hidden`, only the key is.
    fn told(&self, _record: &Self::Record, _hidden: &[IssueId]) -> Option<Told> {
        None
    }

    /// How far telling the channel has come.
    fn announcement<'a>(&self, _record: &'a mut Self::Record) -> Option<&'a mut Announcement> {
        None
    }
}

/// Jira's answer.
pub(crate) enum Asked<Answer, Refusal> {
    Answered(Answer),
    /// Jira has certainly done nothing.
    Refused(Refusal),
    /// Jira may have done it.
    Unknown(JiraError),
}

impl<Answer, Refusal> Asked<Answer, Refusal> {
    pub(crate) fn map<Other>(self, change: impl FnOnce(Answer) -> Other) -> Asked<Other, Refusal> {
        match self {
            Self::Answered(answer) => Asked::Answered(change(answer)),
            Self::Refused(refusal) => Asked::Refused(refusal),
            Self::Unknown(error) => Asked::Unknown(error),
        }
    }
}

/// How long to look for what Jira didn't confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    /// Until it is found, or certainly doesn't exist.
    Thoroughly,
    /// Somebody waits until then. What isn't found by then is left to recovery.
    Until(Instant),
}

pub(crate) enum Looked {
    /// Everything that was looked for is there.
    Found,
    /// Some of it wasn't found. `is_sure` says that it certainly isn't there; otherwise it has been looked for in
    /// vain for so long that nobody looks again.
    NotFound { is_sure: bool },
    /// Nobody knows yet, since Jira didn't answer all that was asked.
    Unknown,
}

/// A message to a channel or a thread in it, in the name of the person who caused it.
pub(crate) struct Told {
    pub(crate) place: IntentPlace,
    pub(crate) thread_ts: Option<String>,
    pub(crate) blocks: Vec<Block>,
    /// The issue that it's about, or one of several in the same project.
    pub(crate) key: IssueKey,
    /// The issues whose changes are told below it.
    pub(crate) issues: Vec<IssueId>,
    /// What is said in the thread below it.
    pub(crate) details: Vec<Block>,
}

impl Looking {
    pub(crate) fn pauses(self, patience: &Patience) -> Vec<Duration> {
        match self {
            Self::Thoroughly => patience.looks.to_vec(),
            Self::Until(_) => SHORT_PAUSES.to_vec(),
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
