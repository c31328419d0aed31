//! An issue that a plugin asks for: what is asked of Jira while its command waits, and what follows.
//!
//! Jira is never asked a second time: the command has ended by then, and the person may have asked for the
//! issue again.

use tokio::time::Instant;

use crate::{
    audit::{self, Writer},
    intents::exactly_once::{Driver, Ended, Stage, Start},
    intents::patience::{LOOK_UP_PATIENCE, deadline},
    intents::records::PluginCreationRecord,
    intents::wish::{Asked, Looking, Wish},
};
use maro_domain::{
    author::{Author, PluginBuild},
    events::{DomainEvent, TicketEvent},
    issue::Issue,
    ticket::{CreatedTicket, NewTicket},
};
use maro_jira::{
    client::JiraClient, creating::create::CreateError, editing::edit::EditError, error::JiraError,
};
use maro_process::clock::Clock;
use maro_store::{
    intents::{
        Intent, IntentKind, IntentState,
        work::{Stop, Work},
    },
    tracker::ChannelIssueTracker,
};
use maro_sync::one_issue;

/// How much of the time for Jira goes to the creation itself. The rest is for looking for the issue.
const SHARE_OF_CREATION: f32 = 0.7;

/// Why there is no confirmed issue.
#[derive(Debug, thiserror::Error)]
pub enum CreationError {
    /// The intent wasn't saved, so Jira wasn't asked.
    #[error("the intent wasn't saved")]
    Unwritten(#[from] Stop),
    #[error("Jira didn't create the issue")]
    Jira(#[from] EditError),
}

/// Creates an issue for `writer` and does what follows from it. Returns the issue as Jira shows it. If it
/// isn't confirmed by `deadline`, it is left to recovery.
///
/// # Errors
/// A [`CreationError`]. After [`EditError::Unknown`] Jira may have created it.
pub async fn create(
    driver: &Driver,
    writer: Writer,
    ticket: NewTicket,
    deadline: Instant,
) -> Result<Issue, CreationError> {
    let Writer { author } = writer;
    let build = author.plugin.clone();
    let record = PluginCreationRecord {
        plugin: build.as_ref().map(|build| build.name.clone()).unwrap_or_default(),
        digest: build.map(|build| build.digest).unwrap_or_default(),
        project_key: ticket.project_key.clone(),
        summary: ticket.summary.clone(),
        ticket: None,
        is_tracked: false,
        asked_at: Some(driver.clock.now().as_second()),
    };
    let id = ticket.intent_id.clone();
    // The id was chosen at random for this call, so nobody else has it.
    let (Start::Ours(mut work) | Start::Known(_, mut work)) =
        driver.begin::<PluginCreation>(&id, IntentState::Begun, author, record).await?;
    let mut creation = PluginCreation { asked: Some(Request { ticket, deadline }), issue: None };
    let unknown = |error: Option<JiraError>| EditError::Unknown(error.unwrap_or(JiraError::TimedOut));
    let error = match driver.drive(&mut creation, &mut work, Stage::Begun).await {
        Ended::Done(_) => return creation.issue.ok_or(CreationError::Unwritten(Stop::Unreadable)),
        Ended::NotBegun(stop) | Ended::Stopped(stop) => return Err(stop.into()),
        Ended::Refused { refusal: NotCreated::Refused(error), .. } => error,
        Ended::Refused { refusal: NotCreated::NotThere, .. } => unknown(None),
        Ended::Unconfirmed(error) => unknown(error),
    };
    note(&work, &work.record.project_key, audit::outcome(Some(&error)));
    Err(error.into())
}

/// Finishes what another process left behind.
///
/// # Errors
/// [`Stop`].
pub(crate) async fn finish(driver: &Driver, intent: Intent) -> Result<(), Stop> {
    let mut creation = PluginCreation { asked: None, issue: None };
    match driver.resume(&mut creation, intent).await? {
        (_, Ended::NotBegun(stop) | Ended::Stopped(stop)) => Err(stop),
        (work, Ended::Refused { .. }) => {
            tracing::warn!(
                intent = work.id,
                plugin = work.record.plugin,
                channel = work.channel.as_str(),
                user = work.user.as_str(),
                project = work.record.project_key,
                "Jira didn't confirm an issue that a plugin asked for, and MARO couldn't find it"
            );
            Ok(())
        }
        (_, Ended::Done(_) | Ended::Unconfirmed(_)) => Ok(()),
    }
}

/// What a command waits for.
struct Request {
    ticket: NewTicket,
    deadline: Instant,
}

/// The wish to create one issue for a plugin.
struct PluginCreation {
    /// `None` if nobody waits for it any more. Then Jira isn't asked.
    asked: Option<Request>,
    /// The issue, once it is confirmed.
    issue: Option<Issue>,
}

/// Why there is no issue.
#[derive(Debug)]
enum NotCreated {
    Refused(EditError),
    NotThere,
}

impl PluginCreation {
    fn confirm(&mut self, work: &mut Work<PluginCreationRecord>, created: CreatedTicket) {
        note(work, created.key.as_str(), audit::outcome(None));
        work.record.ticket = Some(created.into());
        self.issue = confirmed(work);
    }
}

impl Wish for PluginCreation {
    const KIND: IntentKind = IntentKind::PluginCreate;
    type Record = PluginCreationRecord;
    type Answer = CreatedTicket;
    type Refusal = NotCreated;
    const ACTION: &str = "create";

    fn subject(record: &PluginCreationRecord) -> String {
        record.project_key.clone()
    }

    fn changed(&self, work: &Work<PluginCreationRecord>) -> Vec<String> {
        work.record.ticket.iter().map(|ticket| ticket.key.clone()).collect()
    }

    fn author(&self, work: &Work<PluginCreationRecord>) -> Author {
        let PluginCreationRecord { plugin, digest, .. } = &work.record;
        work.author.clone().by_plugin(PluginBuild { name: plugin.clone(), digest: digest.clone() })
    }

    async fn prepare(&mut self, _: &JiraClient, record: &mut PluginCreationRecord) -> bool {
        record.ticket.is_none() && self.asked.is_some()
    }

    async fn ask(
        &self,
        jira: &JiraClient,
        _: &str,
        _: &PluginCreationRecord,
        _: Instant,
    ) -> Asked<CreatedTicket, NotCreated> {
        // `prepare` has made sure of it.
        let Some(Request { ticket, deadline }) = &self.asked else {
            return Asked::Refused(NotCreated::NotThere);
        };
        let remaining = deadline.saturating_duration_since(Instant::now());
        let until = Instant::now() + remaining.mul_f32(SHARE_OF_CREATION);
        match jira.create_ticket(ticket, until).await {
            Ok(created) => Asked::Answered(created),
            Err(CreateError::Unknown(error)) => Asked::Unknown(error),
            Err(error) => Asked::Refused(NotCreated::Refused(error.into())),
        }
    }

    fn answered(&mut self, work: &mut Work<PluginCreationRecord>, created: CreatedTicket) {
        self.confirm(work, created);
    }

    fn asked_at<'a>(&self, record: &'a mut PluginCreationRecord) -> Option<&'a mut Option<i64>> {
        Some(&mut record.asked_at)
    }

    fn unconfirmed(&self, work: &Work<PluginCreationRecord>) -> Vec<String> {
        if work.record.ticket.is_none() { vec![work.id.clone()] } else { Vec::new() }
    }

    async fn project(&mut self, _: &JiraClient, record: &PluginCreationRecord) -> String {
        record.project_key.clone()
    }

    fn looking(&self) -> Looking {
        self.asked.as_ref().map_or(Looking::Thoroughly, |asked| Looking::Until(asked.deadline))
    }

    fn found(&mut self, work: &mut Work<PluginCreationRecord>, _: &str, ticket: CreatedTicket) {
        if work.record.ticket.is_none() {
            self.confirm(work, ticket);
        }
    }

    fn missing(&mut self, _: &mut Work<PluginCreationRecord>, _: bool) -> Result<(), NotCreated> {
        Err(NotCreated::NotThere)
    }

    fn events(&self, work: &Work<PluginCreationRecord>) -> Vec<(usize, DomainEvent)> {
        let Some(issue) = confirmed(work).filter(|_| !work.record.is_tracked) else { return Vec::new() };
        let event = TicketEvent {
            id: issue.id,
            key: issue.key,
            summary: issue.summary,
            status: None,
            has_security_level: None,
            intent_id: Some(work.id.clone()),
            channel: work.channel.clone(),
            user: work.user.clone(),
        };
        vec![(0, DomainEvent::TicketCreated(event))]
    }

    fn tracked(&self, record: &mut PluginCreationRecord, _: usize) {
        record.is_tracked = true;
    }

    /// Reads the issue for the command and the lists, since Jira's answer to a creation has no status.
    async fn follow(
        &mut self,
        jira: &JiraClient,
        tracker: &dyn ChannelIssueTracker,
        clock: &Clock,
        work: &Work<PluginCreationRecord>,
    ) {
        let Some(issue) = confirmed(work) else { return };
        let deadline = self.asked.as_ref().map_or_else(|| deadline(LOOK_UP_PATIENCE), |asked| asked.deadline);
        let read = one_issue::refresh(jira, tracker, clock, &issue.key, deadline, None).await;
        self.issue = Some(read.unwrap_or(issue));
    }
}

/// The issue with what Jira's answer says about it.
fn confirmed(work: &Work<PluginCreationRecord>) -> Option<Issue> {
    let ticket = work.record.ticket.as_ref()?;
    Some(Issue::new(ticket.id(), ticket.key().ok()?, &work.record.summary, ""))
}

/// Logs for the operator what came of asking Jira.
fn note(work: &Work<PluginCreationRecord>, what: &str, outcome: &str) {
    let creation = PluginCreation { asked: None, issue: None };
    Writer { author: creation.author(work) }.note("create", what, outcome);
}
