//! Finding out what Jira did when it did not say. Nothing is tried again before it was looked for.

use std::time::Duration;

use crate::{
    journal::{
        IntentState,
        work::{Ticket, Work},
    },
    telemetry::error_chain,
    texts,
    tickets::{
        LOOK_UP_PATIENCE, Outcome, Tickets, deadline,
        record::{CreateRecord, StoriesRecord, StoryState},
        stories::line_intent,
    },
};

/// The pauses before each look. Jira's search shows a new ticket within seconds, rarely later; each is
/// shorter than the journal's patience with whoever works on an intention.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(12),
];

/// How many looks must have found nothing before the ticket counts as not there.
const MIN_LOOKS: usize = 3;

impl Tickets {
    /// Looks for a ticket that may have been created; goes on with it if it is there, creates it if not.
    pub(super) async fn settle_create(&self, mut work: Work<CreateRecord>) -> Outcome {
        let mut looks = 0;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            // Says that we are still at it.
            if let Err(stop) = self.save(&mut work, IntentState::Begun).await {
                return self.stopped(&work.record.origin, &stop);
            }
            let found = self.jira.find_by_intent(
                &work.record.project_key,
                &work.id,
                work.begun_at,
                deadline(LOOK_UP_PATIENCE),
            );
            match found.await {
                Ok(Some(created)) => return self.created(work, Ticket::from(created), false).await,
                Ok(None) => looks += 1,
                Err(error) => tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "a ticket cannot be looked for"
                ),
            }
        }
        if looks >= MIN_LOOKS {
            return self.create_again(work).await;
        }
        // Jira is still away: the journal keeps the intention, and recovery looks again.
        self.sentence_outcome(texts::CREATE_TITLE, &work.record.origin, texts::CREATION_UNSETTLED)
    }

    /// As above, for the stories that Jira was being asked for. Those that are not there are due again.
    /// `false` if Jira is still away.
    pub(super) async fn settle_stories(&self, work: &mut Work<StoriesRecord>, project: &str) -> bool {
        let mut looks = 0;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            if self.save(work, IntentState::Begun).await.is_err() {
                return false;
            }
            let asked: Vec<usize> = work
                .record
                .lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line.state == StoryState::Asked)
                .map(|(index, _)| index)
                .collect();
            if asked.is_empty() {
                return true;
            }
            let ids: Vec<String> = asked.iter().map(|index| line_intent(&work.id, *index)).collect();
            match self.jira.find_by_intents(project, &ids, work.begun_at, deadline(LOOK_UP_PATIENCE)).await {
                Ok(found) => {
                    looks += 1;
                    for (index, id) in asked.into_iter().zip(&ids) {
                        if let Some(created) = found.get(id) {
                            work.record.lines[index].state = StoryState::Created(created.clone().into());
                        }
                    }
                }
                Err(error) => tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "stories cannot be looked for"
                ),
            }
        }
        if looks < MIN_LOOKS {
            return false;
        }
        for line in &mut work.record.lines {
            if line.state == StoryState::Asked {
                line.state = StoryState::Due;
            }
        }
        true
    }
}
