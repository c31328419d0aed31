//! What follows when something happens to a ticket, no matter who did it: it goes on the list of the channel where
//! it was asked for, and the search for duplicates knows a new one at once.

use std::{sync::Arc, time::Duration};

use maro_domain::{
    author::Author,
    events::{DomainEvent, TicketEvent},
    issue::Issue,
    tracked::Source,
};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    intents::Intents,
    tracker::{ChannelIssueTracker, TrackRequest},
};
use maro_sync::new_issues::NewIssues;

/// The pauses before each new try to write to a list.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Listens to [`DomainEvent`]s.
pub struct AutoTracker {
    tracker: Arc<dyn ChannelIssueTracker>,
    intents: Arc<dyn Intents>,
    clock: Clock,
    /// Reads what Jira's answer to a creation doesn't say.
    new_issues: Option<Arc<NewIssues>>,
}

impl AutoTracker {
    pub fn new(tracker: Arc<dyn ChannelIssueTracker>, intents: Arc<dyn Intents>, clock: Clock) -> Self {
        Self { tracker, intents, clock, new_issues: None }
    }

    /// Has the statuses of new issues read soon.
    #[must_use]
    pub fn reading_statuses(self, new_issues: Arc<NewIssues>) -> Self {
        Self { new_issues: Some(new_issues), ..self }
    }

    /// Does what follows from an event, which `author` caused. The same event may come again: nothing is tracked twice.
    ///
    /// # Errors
    /// The issue couldn't be put on the channel's list, which has been logged. Nothing else fails because of
    /// that.
    pub(crate) async fn on(&self, event: &DomainEvent, author: &Author) -> Result<(), DatabaseError> {
        match event {
            DomainEvent::TicketCreated(ticket) => {
                self.remember_and_track(ticket, Source::Created, author).await
            }
            DomainEvent::DuplicateLinked(ticket) => {
                self.auto_track(ticket, Source::DuplicateLink, author).await
            }
            DomainEvent::StoryCreated(ticket) => {
                self.remember_and_track(ticket, Source::EpicStory, author).await
            }
        }
    }

    async fn remember_and_track(
        &self,
        ticket: &TicketEvent,
        source: Source,
        author: &Author,
    ) -> Result<(), DatabaseError> {
        let (remembered, tracked) =
            tokio::join!(self.remember(ticket), self.auto_track(ticket, source, author));
        if let Err(error) = remembered {
            tracing::debug!(
                error = error_chain(&error),
                "a new issue won't be suggested as a duplicate until Jira's search finds it"
            );
        }
        tracked
    }

    /// Remembers a new ticket, so that it is found as a duplicate before Jira's search knows it.
    async fn remember(&self, ticket: &TicketEvent) -> Result<(), DatabaseError> {
        let TicketEvent { id, key, summary, intent_id, .. } = ticket;
        let issue = Issue::new(id.clone(), key.clone(), summary, "");
        let intent_id = intent_id.as_deref().unwrap_or_default();
        self.intents.record_tickets(key.project_key(), intent_id, &[issue], self.clock.now()).await
    }

    async fn auto_track(
        &self,
        ticket: &TicketEvent,
        source: Source,
        author: &Author,
    ) -> Result<(), DatabaseError> {
        let TicketEvent { id, key, summary, status, has_security_level, channel, user, .. } = ticket;
        // Jira's answer to a creation has no status. An issue without one counts as not read yet.
        let status = status.as_deref().filter(|_| has_security_level.is_some()).unwrap_or_default();
        let issue = Issue {
            has_security_level: *has_security_level == Some(true),
            ..Issue::new(id.clone(), key.clone(), summary, status)
        };
        let author = Author { channel: channel.clone(), user: user.clone(), ..author.clone() };
        let request = TrackRequest { author: &author, source };
        let mut pauses = RETRY_PAUSES.iter();
        loop {
            match self.tracker.track(request, std::slice::from_ref(&issue), self.clock.now()).await {
                Ok(_) => {
                    tracing::info!("Auto-tracked {key} in channel {channel}");
                    if let Some(new_issues) = self.new_issues.as_ref().filter(|_| issue.status.is_empty()) {
                        new_issues.note(key.clone());
                    }
                    return Ok(());
                }
                Err(error) => {
                    let Some(pause) = pauses.next() else {
                        let error_text = error_chain(&error);
                        tracing::warn!(
                            error = error_text,
                            "couldn't auto-track {key} in channel {channel} yet"
                        );
                        return Err(error);
                    };
                    tokio::time::sleep(*pause).await;
                }
            }
        }
    }
}
