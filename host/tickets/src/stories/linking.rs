//! Stories that were created without their epic, because their screen has no field for it: put under it afterwards.

use std::time::Duration;

use crate::{
    intents::patience::deadline,
    intents::records::{StoriesRecord, StoryLine, StoryState},
};
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, editing::edit::EditError};
use maro_process::telemetry::error_chain;
use maro_texts as texts;

/// How long Jira may take to put stories under their epic.
const LINK_PATIENCE: Duration = Duration::from_secs(20);

/// Puts those under the epic that were created without it. To do so again does no harm, so it need not be saved before.
pub(super) async fn link_created(jira: &JiraClient, record: &mut StoriesRecord) {
    if !record.links_later || record.not_linked.is_some() {
        return;
    }
    let key_of = |line: &StoryLine| match &line.state {
        StoryState::Created(ticket) if !line.is_linked => ticket.key().ok(),
        _ => None,
    };
    let keys: Vec<IssueKey> = record.lines.iter().filter_map(key_of).collect();
    let (false, Ok(epic)) = (keys.is_empty(), IssueKey::parse(&record.epic)) else { return };
    match jira.add_to_epic(&epic, &keys, deadline(LINK_PATIENCE)).await {
        Ok(()) => record.lines.iter_mut().for_each(|line| line.is_linked |= key_of(line).is_some()),
        Err(error) => {
            tracing::warn!(
                epic = record.epic,
                error = error_chain(&error),
                "stories weren't put under their epic"
            );
            record.not_linked = Some(reason_not_linked(error));
        }
    }
}

fn reason_not_linked(error: EditError) -> String {
    match error {
        EditError::Missing => texts::issues::stories::NO_REASON.to_owned(),
        EditError::Refused { reason } if reason.is_empty() => texts::issues::stories::NO_REASON.to_owned(),
        EditError::Refused { reason } => reason,
        EditError::Jira(_) | EditError::Unknown(_) => texts::issues::stories::EPIC_UNCONFIRMED.to_owned(),
    }
}
