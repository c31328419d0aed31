//! An issue that a plugin asks for, from the journal to the channel's list.
//!
//! The journal knows of it before Jira is asked, so that what a crash left behind, or Jira did not confirm, is
//! found out all the same. It is never created a second time: nobody was told that it is there, and the person
//! may have asked for it again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{audit::Writer, flows::Flows, sync};
use maro_domain::{
    events::{DomainEvent, TicketEvent},
    issue::Issue,
    ticket::{CreatedTicket, NewTicket},
};
use maro_store::intents::{
    Begun, Intent, IntentKind, IntentState, NewIntent,
    work::{Stop, Ticket, Work, to_json},
};

/// What the journal keeps. It outlives the process, so fields are added with a default and never change their
/// meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreationRecord {
    plugin: String,
    digest: String,
    pub project_key: String,
    summary: String,
    /// Jira's answer.
    #[serde(default)]
    ticket: Option<Ticket>,
}

/// A creation that this process works on.
pub struct Creation {
    pub work: Work<CreationRecord>,
    flows: Arc<Flows>,
}

impl Creation {
    /// Writes down that `writer` asks for a ticket.
    ///
    /// # Errors
    /// It is not written down, and Jira must not be asked.
    pub async fn begin(flows: Arc<Flows>, writer: Writer, ticket: &NewTicket) -> Result<Self, Stop> {
        let Writer { plugin, digest, channel, user } = writer;
        let record = CreationRecord {
            plugin,
            digest,
            project_key: ticket.project_key.clone(),
            summary: ticket.summary.clone(),
            ticket: None,
        };
        let intent = NewIntent {
            id: ticket.intent_id.clone(),
            kind: IntentKind::PluginCreate,
            channel,
            user,
            state: IntentState::Begun,
            data: to_json(&record),
        };
        // The id was chosen by chance for this call: nobody else has it.
        let (Begun::New(intent) | Begun::Known(intent)) =
            flows.journal.begin(&intent, flows.clock.now()).await?;
        Self::taken_over(flows, intent)
    }

    /// The creation of an intent that is this process's now.
    ///
    /// # Errors
    /// [`Stop::Unreadable`].
    pub fn taken_over(flows: Arc<Flows>, intent: Intent) -> Result<Self, Stop> {
        Ok(Self { work: Work::read(intent)?, flows })
    }

    /// The issue, if Jira's answer is written down.
    pub fn confirmed(&self) -> Option<CreatedTicket> {
        let ticket = self.work.record.ticket.as_ref()?;
        Some(CreatedTicket { id: ticket.id(), key: ticket.key().ok()? })
    }

    /// What follows from an issue that Jira did not confirm and that is there.
    pub async fn found(self, created: CreatedTicket, deadline: Instant) {
        self.note(created.key.as_str(), "done");
        self.conclude(created, deadline).await;
    }

    /// What follows from an issue that Jira has created: the issue as Jira shows it by `deadline`. None of it
    /// can make the creation fail, and all of it may be repeated.
    pub async fn conclude(mut self, created: CreatedTicket, deadline: Instant) -> Issue {
        let CreatedTicket { id, key } = created.clone();
        let issue = Issue::new(id.clone(), key.clone(), &self.work.record.summary, "");
        self.work.record.ticket = Some(created.into());
        if self.save(IntentState::Confirmed).await.is_err() {
            // The rest is for whoever works on it now, or takes it over once the journal can be read again.
            return issue;
        }
        let event = DomainEvent::TicketCreated(TicketEvent {
            id,
            key: key.clone(),
            summary: issue.summary.clone(),
            status: None,
            intent_id: Some(self.work.id.clone()),
            channel: self.work.channel.clone(),
            user: self.work.user.clone(),
        });
        // The hook has logged why it failed.
        let is_tracked = self.flows.hooks.emit(&event).await.is_ok();
        let Flows { jira, tracker, clock, .. } = &*self.flows;
        let read = sync::refresh(jira, &**tracker, clock, &key, deadline).await;
        // What is not tracked yet stays open, and is tried again.
        self.end(if is_tracked { IntentState::Finished } else { IntentState::Confirmed }).await;
        read.unwrap_or(issue)
    }

    /// Closes the creation of what Jira did not create.
    pub async fn fail(self) {
        self.end(IntentState::Failed).await;
    }

    /// Closes the creation of what Jira did not confirm and what is not there.
    pub async fn give_up(self) {
        let Work { id, channel, user, record, .. } = &self.work;
        tracing::warn!(
            intent = id,
            plugin = record.plugin,
            channel = channel.as_str(),
            user = user.as_str(),
            project = record.project_key,
            "Jira didn't confirm an issue that a plugin asked for, and MARO couldn't find it"
        );
        self.fail().await;
    }

    /// Leaves it to recovery to find out what Jira did.
    pub async fn leave(mut self) {
        // As of long ago: the lease is over, and the next look takes it.
        let long_ago = jiff::Timestamp::UNIX_EPOCH;
        // Unwritten, it is taken over when the lease ends by itself.
        let _ = self.work.save(&*self.flows.journal, IntentState::Begun, long_ago).await;
    }

    /// Notes for the operator how asking Jira ended.
    pub fn note(&self, what: &str, outcome: &str) {
        let Work { channel, user, record, .. } = &self.work;
        let writer = Writer {
            plugin: record.plugin.clone(),
            digest: record.digest.clone(),
            channel: channel.clone(),
            user: user.clone(),
        };
        writer.note("create", what, outcome);
    }

    async fn end(mut self, state: IntentState) {
        // Unwritten, it is taken over once more, which does nothing twice.
        let _ = self.save(state).await;
    }

    async fn save(&mut self, state: IntentState) -> Result<(), Stop> {
        let Flows { journal, clock, .. } = &*self.flows;
        self.work.save(&**journal, state, clock.now()).await
    }
}
