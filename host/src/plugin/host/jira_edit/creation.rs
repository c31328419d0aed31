//! Creating an issue for a guest. It passes the same hook as a ticket from a modal, and is looked for in the
//! same way if Jira does not confirm it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    domain::{
        events::{DomainEvent, TicketEvent},
        issue::{Issue, one_line},
        ticket::{CreatedTicket, IssueType, NewTicket},
    },
    jira::{create::CreateError, edit::EditError as JiraEditError},
    plugin::{
        audit::Writer,
        bindings::maro::plugin::jira_edit::{EditError, NewIssue},
        grants::Grant,
        host::jira_edit::{
            EditCall, MAX_TEXT_LENGTH, denied, invalid, outcome, refresh, rejected, signed, uncertain,
        },
        instance::{Caller, Capabilities, Invocation},
    },
    telemetry::error_chain,
    texts,
};

/// How many issues one invocation may ask for.
const MAX_CREATIONS: u32 = 5;

/// Jira's own limit, in characters.
const MAX_SUMMARY_LENGTH: usize = 255;

/// How much of a name that a guest gives is repeated, in characters.
const MAX_SHOWN_LENGTH: usize = 80;

/// How much of the time for Jira goes to the creation itself; in the rest it is looked for.
const SHARE_OF_CREATION: f32 = 0.7;

/// The pauses before each look for an issue while somebody waits. Jira's search shows it within seconds.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(700), Duration::from_secs(1)];

/// As [`PAUSES`], when nobody waits any more.
const LATE_PAUSES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(6), Duration::from_secs(8)];

/// How long each look may take when nobody waits.
const LATE_PATIENCE: Duration = Duration::from_secs(8);

/// The type of issue that is meant if none is named.
const USUAL_TYPE: &str = "task";

impl Invocation {
    pub(super) async fn create_issue(&mut self, new: NewIssue) -> Result<Issue, EditError> {
        let call = self.edit_call()?;
        check(&new)?;
        let Some(project) = new.project.or_else(|| call.capabilities.default_project.clone()) else {
            return Err(invalid("a new issue without a project, where there is no JIRA_DEFAULT_PROJECT"));
        };
        let project = project.trim().to_uppercase();
        self.reaches_project(Grant::JiraEdit, &project).map_err(denied)?;
        self.creations += 1;
        if self.creations > MAX_CREATIONS {
            return Err(invalid(&format!("more than {MAX_CREATIONS} new issues in one command")));
        }
        let issue_type = self.issue_type(&call, &project, new.issue_type.as_deref()).await?;
        let ticket = NewTicket {
            project_key: project.clone(),
            issue_type_id: issue_type.id,
            summary: one_line(&new.summary, MAX_SUMMARY_LENGTH),
            description: signed(&new.description, &call.caller, &self.plugin),
            intent_id: format!("{:032x}", rand::random::<u128>()),
        };
        let creation = Creation {
            begun_at: call.capabilities.clock.now(),
            capabilities: Arc::clone(&call.capabilities),
            caller: Arc::clone(&call.caller),
            ticket,
            writer: Writer::of(self),
        };
        let task = call.capabilities.tasks.spawn(creation.run(call.deadline));
        match self.timed(task).await {
            Ok(Ok(issue)) => Ok(issue),
            Ok(Err(error)) => Err(self.creation_failed(&error, &project)),
            Err(panic) => {
                tracing::error!(plugin = &*self.plugin, error = error_chain(&panic), "a creation panicked");
                Err(uncertain(texts::EDIT_UNCERTAIN))
            }
        }
    }

    /// The type that is meant among those that can be created in a project.
    async fn issue_type(
        &mut self,
        call: &EditCall,
        project: &str,
        wanted: Option<&str>,
    ) -> Result<IssueType, EditError> {
        let types = self.timed(call.capabilities.jira.get_issue_types(project, call.deadline)).await;
        let types = types
            .map_err(|error| self.creation_failed(&JiraEditError::Jira(error), project))?
            .unwrap_or_default();
        if types.is_empty() {
            return Err(rejected(texts::cannot_create_in(&one_line(project, MAX_SHOWN_LENGTH))));
        }
        choose(&types, wanted).cloned().ok_or_else(|| {
            let names: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
            let wanted = one_line(wanted.unwrap_or(USUAL_TYPE), MAX_SHOWN_LENGTH);
            rejected(texts::no_such_issue_type(project, &wanted, &names))
        })
    }

    fn creation_failed(&self, error: &JiraEditError, project: &str) -> EditError {
        match error {
            JiraEditError::Unknown(_) => {
                self.log_failure(error);
                uncertain(texts::PLUGIN_CREATION_UNSETTLED)
            }
            error => self.edit_failed(error, project),
        }
    }
}

/// One creation under way.
struct Creation {
    capabilities: Arc<Capabilities>,
    caller: Arc<Caller>,
    ticket: NewTicket,
    begun_at: Timestamp,
    writer: Option<Writer>,
}

impl Creation {
    /// Creates the issue and does what follows. What is not confirmed by `deadline` is looked for once nobody
    /// waits any more.
    async fn run(self, deadline: Instant) -> Result<Issue, JiraEditError> {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let until = Instant::now() + remaining.mul_f32(SHARE_OF_CREATION);
        let created = match self.capabilities.jira.create_ticket(&self.ticket, until).await {
            Err(CreateError::Unknown(error)) => match self.look(&PAUSES, |_| deadline).await {
                Some(created) => Ok(created),
                None => Err(JiraEditError::Unknown(error)),
            },
            answer => answer.map_err(JiraEditError::from),
        };
        self.note(&created);
        match created {
            Ok(created) => Ok(self.conclude(created, deadline).await),
            Err(error) => {
                if matches!(error, JiraEditError::Unknown(_)) {
                    let tasks = self.capabilities.tasks.clone();
                    tasks.spawn(self.look_late());
                }
                Err(error)
            }
        }
    }

    /// Looks for an issue that nobody waits for any more.
    async fn look_late(self) {
        match self.look(&LATE_PAUSES, |now| now + LATE_PATIENCE).await {
            Some(created) => {
                self.note(&Ok(created.clone()));
                self.conclude(created, Instant::now() + LATE_PATIENCE).await;
            }
            None => tracing::warn!(
                intent = self.ticket.intent_id,
                project = self.ticket.project_key,
                "an issue that a plugin asked for was not confirmed, and is not there"
            ),
        }
    }

    /// Looks for the issue by its mark, after each of the pauses that leaves time for it.
    async fn look(
        &self,
        pauses: &[Duration],
        deadline: impl Fn(Instant) -> Instant,
    ) -> Option<CreatedTicket> {
        let NewTicket { project_key, intent_id, .. } = &self.ticket;
        for pause in pauses {
            let deadline = deadline(Instant::now() + *pause);
            if Instant::now() + *pause >= deadline {
                return None;
            }
            tokio::time::sleep(*pause).await;
            let jira = &self.capabilities.jira;
            match jira.find_by_intent(project_key, intent_id, self.begun_at, deadline).await {
                Ok(Some(created)) => return Some(created),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(
                        intent = intent_id,
                        error = error_chain(&error),
                        "an issue cannot be looked for"
                    );
                }
            }
        }
        None
    }

    /// What follows from a created issue. None of it can make the creation fail.
    async fn conclude(&self, created: CreatedTicket, deadline: Instant) -> Issue {
        let CreatedTicket { id, key } = created;
        let event = DomainEvent::TicketCreated(TicketEvent {
            id: id.clone(),
            key: key.clone(),
            summary: self.ticket.summary.clone(),
            status: None,
            intent_id: Some(self.ticket.intent_id.clone()),
            channel: self.caller.channel.clone(),
            user: self.caller.user.clone(),
        });
        // The hook has logged why it failed.
        let _ = self.capabilities.hooks.emit(&event).await;
        let read = refresh(&self.capabilities, &key, deadline).await;
        read.unwrap_or_else(|| Issue::new(id, key, &self.ticket.summary, ""))
    }

    fn note(&self, created: &Result<CreatedTicket, JiraEditError>) {
        let Some(writer) = &self.writer else { return };
        let what = created.as_ref().map_or(self.ticket.project_key.as_str(), |created| created.key.as_str());
        writer.note("create", what, outcome(created));
    }
}

/// Whether a new issue keeps to the limits.
fn check(new: &NewIssue) -> Result<(), EditError> {
    let length = new.summary.chars().count();
    if new.summary.trim().is_empty() || length > MAX_SUMMARY_LENGTH || new.summary.contains(['\n', '\r']) {
        return Err(invalid(&format!(
            "a summary that is not one line of 1 to {MAX_SUMMARY_LENGTH} characters"
        )));
    }
    if new.description.chars().count() > MAX_TEXT_LENGTH {
        return Err(invalid(&format!("a description of more than {MAX_TEXT_LENGTH} characters")));
    }
    Ok(())
}

/// The type of this name in any case; for none the usual type, or else the first that stands on its level.
fn choose<'a>(types: &'a [IssueType], wanted: Option<&str>) -> Option<&'a IssueType> {
    let named = |name: &str| types.iter().find(|kind| kind.name.to_lowercase() == name.trim().to_lowercase());
    match wanted {
        Some(name) => named(name),
        None => named(USUAL_TYPE).or_else(|| types.iter().find(|kind| kind.hierarchy_level == 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(names: &[(&str, i32)]) -> Vec<IssueType> {
        names
            .iter()
            .map(|&(name, hierarchy_level)| IssueType {
                id: "1".to_owned(),
                name: name.to_owned(),
                hierarchy_level,
            })
            .collect()
    }

    #[test]
    fn the_usual_type_is_a_task_or_else_what_stands_beside_one() {
        let name = |types: &[IssueType], wanted| choose(types, wanted).map(|kind| kind.name.clone());
        let usual = types(&[("Epic", 1), ("Story", 0), ("Task", 0)]);
        assert_eq!(name(&usual, None).as_deref(), Some("Task"));
        assert_eq!(name(&usual, Some(" sTORY ")).as_deref(), Some("Story"));
        assert_eq!(name(&usual, Some("Bug")), None);
        assert_eq!(name(&types(&[("Epic", 1), ("Störung", 0)]), None).as_deref(), Some("Störung"));
        assert_eq!(name(&types(&[("Epic", 1)]), None), None);
    }
}
