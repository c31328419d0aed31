//! What follows when something happens to a ticket. The one listener today puts it on the list of the
//! channel where it was asked for.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    domain::{
        events::{DomainEvent, TicketEvent},
        issue::Issue,
        tracked::Source,
    },
    telemetry::error_chain,
    tracker::{ChannelIssueTracker, TrackRequest, TrackerError},
};

/// The pauses before each further try to write to a list.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Those who listen to [`DomainEvent`]s.
pub struct Hooks {
    tracker: Arc<dyn ChannelIssueTracker>,
    clock: Clock,
}

impl Hooks {
    pub fn new(tracker: Arc<dyn ChannelIssueTracker>, clock: Clock) -> Self {
        Self { tracker, clock }
    }

    /// Lets everyone who listens know, and returns when they are done.
    ///
    /// # Errors
    /// The issue could not be put on the channel's list. That makes nothing else fail; it may be said
    /// again later, which tracks nothing twice.
    pub async fn emit(&self, event: &DomainEvent) -> Result<(), TrackerError> {
        match event {
            DomainEvent::TicketCreated(ticket) => self.auto_track(ticket, Source::Created).await,
            DomainEvent::DuplicateLinked(ticket) => self.auto_track(ticket, Source::DuplicateLink).await,
            DomainEvent::StoryCreated(ticket) => self.auto_track(ticket, Source::EpicStory).await,
        }
    }

    async fn auto_track(&self, ticket: &TicketEvent, source: Source) -> Result<(), TrackerError> {
        let TicketEvent { id, key, summary, status, channel, user } = ticket;
        // Jira's answer to a creation has no status; the next sync reads it.
        let issue = Issue::new(id.clone(), key.clone(), summary, status.as_deref().unwrap_or_default());
        let request = TrackRequest { channel, tracked_by: user, source };
        let mut pauses = RETRY_PAUSES.iter();
        loop {
            match self.tracker.track(request, std::slice::from_ref(&issue), self.clock.now()).await {
                Ok(_) => {
                    tracing::info!("Auto-tracked {key} in channel {channel}");
                    return Ok(());
                }
                Err(error) => {
                    let error_text = error_chain(&error);
                    tracing::error!(
                        error = error_text,
                        "{key} could not be auto-tracked in channel {channel}"
                    );
                    match pauses.next() {
                        Some(pause) => tokio::time::sleep(*pause).await,
                        None => return Err(error),
                    }
                }
            }
        }
    }
}
