//! The button that assigns an issue to the person who presses it. It needs no plugin.

use std::sync::Arc;

use tokio::time::Instant;

use crate::commands::Commands;
use maro_access::{hiding_rules::Rule, roles::Role};
use maro_domain::{author::Author, caller::Caller, issue::IssueKey, issue_details::IssueDetails};
use maro_jira::{accounts::permissions::Permission, editing::edit::EditError};
use maro_process::telemetry::error_chain;
use maro_runtime::invocation::services::HostServices;
use maro_texts as texts;
use maro_tickets::{assigning::Assigning, audit::outcome};

/// The action's name in the audit log.
const ACTION: &str = "assign";

impl Commands {
    /// Assigns an issue to the caller, and says so.
    ///
    /// # Errors
    /// Why it isn't, as a sentence for the person.
    pub(crate) async fn assign_to_caller(&self, caller: &Caller, key: &IssueKey) -> Result<String, String> {
        if let Some(refused) = self.refused(Role::Create, caller, &format!("{ACTION} {key}")).await {
            return Err(texts::rights::roles::may_not_assign(&refused));
        }
        let deadline = Instant::now() + self.capabilities.jira_patience;
        let details = self.assignable(caller, key, deadline).await?;
        let key = details.issue.key;
        let access = &self.capabilities.access;
        let account = access.jira_account(&caller.user).await;
        let account = account.map_err(|rule| texts::rights::access::not_assigned(key.as_str(), &rule))?;
        if details.assignee.is_some_and(|assignee| assignee.id == account) {
            return Ok(texts::issues::assigning::already_yours(&key));
        }
        self.assign(caller, key.clone(), account, deadline).await?;
        Ok(texts::issues::assigning::now_yours(&key))
    }

    /// The issue, if the person may see and change it.
    async fn assignable(
        &self,
        caller: &Caller,
        key: &IssueKey,
        deadline: Instant,
    ) -> Result<IssueDetails, String> {
        let withheld = |rule: &Rule| texts::rights::access::withheld(key.as_str(), rule);
        let capabilities = &self.capabilities;
        let sight = capabilities.access.sight(&caller.channel, &caller.user).await;
        sight.project(key.project_key()).map_err(withheld)?;
        let found = capabilities.jira.get_details(std::slice::from_ref(key), deadline).await;
        let found =
            found.map_err(|error| texts::failures::jira::failed(&error))?.into_iter().flatten().next();
        let Some(details) = found else {
            sight.for_missing([key]).await.missing(key).map_err(withheld)?;
            return Err(texts::failures::jira::not_found(key.as_str()));
        };
        let sight = sight.for_issues([&details.issue.key]).await;
        sight.issue(&details.issue).map_err(withheld)?;
        let allowed = sight.changes(&details.issue, Permission::AssignIssues).await;
        allowed.map_err(|rule| texts::rights::access::not_changed(key.as_str(), &rule))?;
        Ok(details)
    }

    /// Asks Jira for it, in a task that goes on to its end, and notes it before and after.
    async fn assign(
        &self,
        caller: &Caller,
        key: IssueKey,
        account: String,
        deadline: Instant,
    ) -> Result<(), String> {
        let capabilities = Arc::clone(&self.capabilities);
        let author = Author::from(caller);
        // The database is logged where all calls of it pass.
        let begun = capabilities.audit.begin(&author, ACTION, key.as_str()).await;
        begun.map_err(|_| texts::failures::database::NOTHING_WRITTEN.to_owned())?;
        let work = async move {
            let HostServices { jira, tickets, tracker, clock, audit, .. } = &*capabilities;
            let assigning = Assigning { jira, tickets, tracker: &**tracker, clock };
            let done = assigning.assign(&key, Some(&account), deadline).await;
            audit.ended(&author, ACTION, key.as_str(), outcome(done.as_ref().err())).await;
            done.map_err(|error| sentence(&key, &error))
        };
        let task = self.capabilities.tasks.spawn(work);
        task.await.unwrap_or_else(|_| Err(texts::failures::jira::EDIT_UNCONFIRMED.to_owned()))
    }
}

fn sentence(key: &IssueKey, error: &EditError) -> String {
    match error {
        EditError::Missing => texts::failures::jira::not_found(key.as_str()),
        EditError::Refused { reason } => texts::failures::jira::edit_rejected(reason),
        EditError::Jira(cause) => {
            tracing::info!(key = key.as_str(), error = error_chain(cause), "an issue wasn't assigned");
            texts::failures::jira::failed(cause)
        }
        EditError::Unknown(_) => texts::failures::jira::EDIT_UNCONFIRMED.to_owned(),
    }
}
