//! Finding out what Jira did when it did not say. Nothing is tried again before it was looked for.

use std::time::Duration;

use serde::Serialize;

use crate::{
    LOOK_UP_PATIENCE, Outcome, Tickets, deadline,
    plugin_creation::Creation,
    record::{CreateRecord, StoriesRecord, StoryState},
    stories::line_intent,
    texts,
};
use maro_domain::ticket::CreatedTicket;
use maro_process::telemetry::error_chain;
use maro_store::intents::{
    IntentState,
    work::{Stop, Work},
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

/// What looking for a ticket has shown.
enum Looked {
    Found(CreatedTicket),
    NotThere,
    /// Jira is still away, and nobody knows.
    Away,
}

impl Tickets {
    /// Looks for a ticket that may have been created; goes on with it if it is there, creates it if not.
    pub(super) async fn settle_create(&self, mut work: Work<CreateRecord>) -> Outcome {
        let project = work.record.project_key.clone();
        match self.look_for(&mut work, &project).await {
            Ok(Looked::Found(created)) => self.created(work, created.into(), false).await,
            Ok(Looked::NotThere) => self.create_again(work).await,
            // The journal keeps the intention, and recovery looks again.
            Ok(Looked::Away) => self.sentence_outcome(
                texts::issues::CREATE_TITLE,
                &work.record.origin,
                texts::forms::UNCONFIRMED,
            ),
            Err(stop) => self.stopped(&work.record.origin, &stop),
        }
    }

    /// As above, for an issue that a plugin asked for: it is not created again.
    pub(super) async fn settle_plugin_creation(&self, mut creation: Creation) -> Result<(), Stop> {
        let project = creation.work.record.project_key.clone();
        match self.look_for(&mut creation.work, &project).await? {
            Looked::Found(created) => creation.found(created, deadline(LOOK_UP_PATIENCE)).await,
            Looked::NotThere => creation.give_up().await,
            Looked::Away => {}
        }
        Ok(())
    }

    /// Looks for a ticket by its mark, until it is there or surely is not.
    async fn look_for<Record: Serialize>(
        &self,
        work: &mut Work<Record>,
        project: &str,
    ) -> Result<Looked, Stop> {
        let mut looks = 0;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            // Says that we are still at it.
            self.save(work, IntentState::Begun).await?;
            let found =
                self.jira.find_by_intent(project, &work.id, work.begun_at, deadline(LOOK_UP_PATIENCE));
            match found.await {
                Ok(Some(created)) => return Ok(Looked::Found(created)),
                Ok(None) => looks += 1,
                Err(error) => tracing::warn!(
                    intent = work.id,
                    error = error_chain(&error),
                    "a ticket cannot be looked for"
                ),
            }
        }
        Ok(if looks >= MIN_LOOKS { Looked::NotThere } else { Looked::Away })
    }

    /// As [`Tickets::settle_create`], for the stories that Jira was being asked for. Those that are not there
    /// are due again. `false` if Jira is still away.
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
