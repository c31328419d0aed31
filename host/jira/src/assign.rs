//! Who works on an issue: who can, and saying who does.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    edit::EditError,
    error::JiraError,
    model::{is_jira_error, parse},
    people::RawPerson,
    transport::{Answer, JiraRequest},
};
use maro_domain::{details::Person, issue::IssueKey};

/// How many people Jira is asked for. It leaves those out afterwards who cannot be assigned.
const MAX_ASKED: &str = "100";

/// How many people are given.
const MAX_PEOPLE: usize = 20;

#[derive(Deserialize)]
struct RawIssue {
    fields: AssigneeFields,
}

#[derive(Deserialize)]
struct AssigneeFields {
    assignee: Option<RawPerson>,
}

impl JiraClient {
    /// At most 20 people who can be assigned to an issue and whose name or e-mail address begins with, or has
    /// words that begin with, these words; whose name they are comes first. Everybody fits no words. `None` if
    /// the issue is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn find_assignable(
        &self,
        key: &IssueKey,
        words: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<Person>>, JiraError> {
        let words = words.trim();
        // Data Center knows no other name for it, and matches it against full names too.
        let parameter = if self.is_cloud() { "query" } else { "username" };
        let mut url = self.url(&["user", "assignable", "search"]);
        url.query_pairs_mut().extend_pairs([
            ("issueKey", key.as_str()),
            (parameter, words),
            ("maxResults", MAX_ASKED),
        ]);
        self.before(deadline, async {
            match self.ask(&JiraRequest::get(url), deadline).await? {
                Answer::NotFound(body) if is_jira_error(&body) => {
                    self.confirm(deadline).await?;
                    Ok(None)
                }
                answer => {
                    let raw: Vec<RawPerson> = parse(&answer.found()?, "the people")?;
                    let mut people: Vec<Person> = raw.into_iter().filter_map(RawPerson::person).collect();
                    people.sort_by_key(|person| person.name.to_lowercase() != words.to_lowercase());
                    people.truncate(MAX_PEOPLE);
                    Ok(Some(people))
                }
            }
        })
        .await
    }

    /// Assigns an issue to an account, which is one by its form ([`is_account`]), or to nobody. What Jira does
    /// not confirm is looked up.
    ///
    /// [`is_account`]: crate::people::is_account
    ///
    /// # Errors
    /// An [`EditError`], at `deadline` at the latest.
    pub async fn assign(
        &self,
        key: &IssueKey,
        account: Option<&str>,
        deadline: Instant,
    ) -> Result<(), EditError> {
        let field = if self.is_cloud() { "accountId" } else { "name" };
        let action =
            JiraRequest::put(self.url(&["issue", key.as_str(), "assignee"]), &json!({ field: account }));
        self.edit_and_look(&action, deadline, async || {
            self.assignee(key, deadline).await.is_ok_and(|assignee| assignee.as_deref() == account)
        })
        .await
    }

    /// The account that an issue is assigned to.
    async fn assignee(&self, key: &IssueKey, deadline: Instant) -> Result<Option<String>, JiraError> {
        let mut url = self.url(&["issue", key.as_str()]);
        url.set_query(Some("fields=assignee"));
        self.before(deadline, async {
            let body = self.ask(&JiraRequest::get(url), deadline).await?.found()?;
            let raw: RawIssue = parse(&body, "the issue")?;
            match raw.fields.assignee {
                None => Ok(None),
                Some(raw) => match raw.person() {
                    Some(person) => Ok(Some(person.id)),
                    None => Err(JiraError::invalid("an assignee without an account")),
                },
            }
        })
        .await
    }
}
