//! Creating an issue for a guest: what it may ask for. The rest is in [`maro_tickets::plugin_creation`].

use std::sync::Arc;

use crate::{
    capabilities::{
        author_of_writes,
        jira_edit::{MAX_TEXT_LENGTH, invalid, jira_failure, rejected, signed, uncertain, unconfirmed},
        permitted_call::Call,
    },
    interface::bindings::maro::plugin::{
        jira_edit::{EditError, NewIssue},
        types::JiraErrorKind,
    },
    invocation::Invocation,
    policy::functions::Function,
};
use maro_access::roles::Role;
use maro_domain::{
    issue::{Issue, one_line},
    ticket::{IssueType, NewTicket},
};
use maro_jira::editing::edit::EditError as JiraEditError;
use maro_process::telemetry::error_chain;
use maro_texts as texts;
use maro_tickets::plugin_creation::{self, CreationError};

/// How many issues one invocation may ask for.
const MAX_CREATIONS: u32 = 5;

/// Jira's own limit, in characters.
const MAX_SUMMARY_LENGTH: usize = 255;

/// How much of a guest's name for something is repeated to people, in characters.
const MAX_SHOWN_LENGTH: usize = 80;

/// The issue type to use if none is named.
const USUAL_TYPE: &str = "task";

impl Invocation {
    pub(super) async fn create_issue(&mut self, new: NewIssue) -> Result<Issue, EditError> {
        let call = Call::begin_with_issues(self, Function::CREATE).await?;
        let deadline = call.jira_deadline(self);
        check(&new)?;
        let Some(project) = new.project.or_else(|| call.capabilities.default_project.clone()) else {
            return Err(invalid(texts::plugins::requests::no_project()));
        };
        let project = project.trim().to_uppercase();
        call.may(self, Role::Create, "create", &project).await?;
        let created = call.creates(self, &project).await;
        call.noting_refusal(self, "create", &project, created).await?;
        if !self.budget.takes_creation(MAX_CREATIONS) {
            return Err(invalid(texts::plugins::requests::too_many_issues(MAX_CREATIONS)));
        }
        let issue_type = self.issue_type(&call, &project, new.issue_type.as_deref()).await?;
        let ticket = NewTicket {
            project_key: project.clone(),
            issue_type_id: issue_type.id,
            summary: one_line(&new.summary, MAX_SUMMARY_LENGTH),
            description: signed(&new.description, &call.caller, &self.authority.plugin),
            reporter: call.sight().account().await,
            is_description_optional: new.description.trim().is_empty(),
            fields: Vec::new(),
            intent_id: format!("{:032x}", rand::random::<u128>()),
        };
        let writer = author_of_writes::writer(self, &call.caller);
        let tickets = Arc::clone(&call.capabilities.tickets);
        let work = async move { plugin_creation::create(&tickets, writer, ticket, deadline).await };
        let created = self.run_to_its_end(&call, work).await.ok_or_else(unconfirmed)?;
        created.map_err(|error| self.creation_failed(&error, &project))
    }

    /// The type to use, of those that can be created in a project.
    async fn issue_type(
        &mut self,
        call: &Call,
        project: &str,
        wanted: Option<&str>,
    ) -> Result<IssueType, EditError> {
        let deadline = call.jira_deadline(self);
        let types = self.timed(call.capabilities.jira.get_issue_types(project, deadline)).await;
        let types = types
            .map_err(|error| self.edit_failed(&JiraEditError::Jira(error), project))?
            .unwrap_or_default();
        if types.is_empty() {
            return Err(rejected(texts::failures::jira::cannot_create_in(&one_line(
                project,
                MAX_SHOWN_LENGTH,
            ))));
        }
        choose(&types, wanted).cloned().ok_or_else(|| {
            let names: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
            let wanted = one_line(wanted.unwrap_or(USUAL_TYPE), MAX_SHOWN_LENGTH);
            rejected(texts::failures::jira::no_such_issue_type(project, &wanted, &names))
        })
    }

    fn creation_failed(&self, error: &CreationError, project: &str) -> EditError {
        match error {
            CreationError::Unwritten(stop) => {
                if stop.is_outage() {
                    self.authority.note_outage("the database");
                } else {
                    tracing::error!(
                        plugin = &*self.authority.plugin,
                        error = error_chain(stop),
                        "a creation was refused"
                    );
                }
                jira_failure(
                    JiraErrorKind::Unreachable,
                    texts::failures::database::NOTHING_WRITTEN.to_owned(),
                )
            }
            CreationError::Jira(error @ JiraEditError::Unknown(_)) => {
                self.log_failure(error);
                uncertain(texts::failures::jira::CREATION_UNCONFIRMED)
            }
            CreationError::Jira(error) => self.edit_failed(error, project),
        }
    }
}

/// Checks a new issue against the limits.
fn check(new: &NewIssue) -> Result<(), EditError> {
    let length = new.summary.chars().count();
    if new.summary.trim().is_empty() || length > MAX_SUMMARY_LENGTH || new.summary.contains(['\n', '\r']) {
        return Err(invalid(texts::plugins::requests::summary_length(MAX_SUMMARY_LENGTH)));
    }
    if new.description.chars().count() > MAX_TEXT_LENGTH {
        return Err(invalid(texts::plugins::requests::description_too_long(MAX_TEXT_LENGTH)));
    }
    Ok(())
}

/// The type with this name, in upper or lower case. Without a name, the usual type, or the first one on its
/// level.
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
                untranslated_name: None,
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
