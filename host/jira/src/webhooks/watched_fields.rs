//! The fields of issues of which channels may be told: the assignee, the priority and the sprint.

use tokio::time::Instant;

use crate::{accounts::people::MAX_NAME_LENGTH, client::JiraClient, creating::epic_fields, error::JiraError};
use maro_domain::issue::{Issue, IssueKey, one_line};

/// What Jira shows of an issue. What isn't set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedFields {
    pub issue: Issue,
    pub assignee: String,
    pub priority: String,
    pub sprint: String,
}

impl JiraClient {
    /// Reads issues by their keys. What Jira doesn't show isn't in the answer.
    ///
    /// # Errors
    /// Any [`JiraError`], for all keys together.
    pub async fn watched_fields(
        &self,
        keys: &[IssueKey],
        deadline: Instant,
    ) -> Result<Vec<(IssueKey, WatchedFields)>, JiraError> {
        let mut names = vec!["priority".to_owned()];
        names.extend(epic_fields::get_sprint_field(&self.site, deadline).await?);
        let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let found = self.read_issues(&keys, &names, deadline).await?.into_iter().map(|(key, full)| {
            let mut fields = full.fields.into_iter();
            let priority = fields.next().unwrap_or_default();
            let sprint = fields.next().map(|sprint| sprint_name(&sprint)).unwrap_or_default();
            let assignee = full.details.assignee.map(|person| person.name).unwrap_or_default();
            let issue = full.details.issue;
            let priority = one_line(&priority, MAX_NAME_LENGTH);
            (key, WatchedFields { issue, assignee, priority, sprint })
        });
        Ok(found.collect())
    }
}

/// Older Data Centers show sprints as `com.atlassian.greenhopper.service.sprint.Sprint@1[id=1,name=Sprint 1,…]`. The last is
/// the one of now.
fn sprint_name(sprints: &str) -> String {
    let last = match sprints.rsplit_once("name=") {
        Some((_, rest)) => rest.split([',', ']']).next().unwrap_or_default(),
        None => sprints.rsplit(", ").next().unwrap_or_default(),
    };
    one_line(last, MAX_NAME_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sprint_counts_in_either_edition() {
        assert_eq!(sprint_name("Sprint 1, Sprint 2"), "Sprint 2");
        assert_eq!(sprint_name(""), "");
        let old = "com.atlassian.greenhopper.service.sprint.Sprint@a1[id=7,state=ACTIVE,name=Harbor 7,goal=]";
        assert_eq!(sprint_name(old), "Harbor 7");
    }
}
