//! The Jira client: what the rest of MARO asks of Jira.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    config::{JiraConfig, JiraCredentials},
    domain::issue::{Issue, IssueKey, one_line},
    jira::{
        cloud::BulkFetch,
        data_center,
        error::{JiraError, JiraSetupError},
        model::parse_account_name,
        single_issue::SingleIssues,
        transport::{Answer, Question, Transport},
    },
};

/// How long it is believed that Jira knows the account.
const CONFIRMED_FOR: Duration = Duration::from_secs(5 * 60);

const MAX_NAME_LENGTH: usize = 100;

/// The account that MARO uses in Jira.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// One line of at most 100 characters.
    pub display_name: String,
}

/// A connection pool to one Jira site, for one account. Share it; it is meant to live as long as the bot.
#[derive(Debug)]
pub struct JiraClient {
    transport: Transport,
    edition: Edition,
    myself: Question,
    /// When Jira last said who the account is.
    confirmed_at: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum Edition {
    Cloud(BulkFetch),
    DataCenter(SingleIssues),
}

impl JiraClient {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// If Jira is on HTTPS and this machine has no root certificates.
    pub fn new(config: &JiraConfig) -> Result<Self, JiraSetupError> {
        let (edition, version) = match &config.credentials {
            JiraCredentials::Cloud { .. } => {
                (Edition::Cloud(BulkFetch::new(endpoint(&config.base_url, "rest/api/3/issue/"))), 3)
            }
            JiraCredentials::DataCenter { .. } => {
                (Edition::DataCenter(SingleIssues::new(endpoint(&config.base_url, "rest/api/2/issue/"))), 2)
            }
        };
        let myself = endpoint(&config.base_url, &format!("rest/api/{version}/myself"));
        Ok(Self {
            transport: Transport::new(config)?,
            edition,
            myself: Question { url: myself, body: None },
            confirmed_at: Mutex::new(None),
        })
    }

    /// Looks up issues: one answer per key, in the order asked, `None` for what is missing or not visible.
    /// An issue that has moved comes under its new key.
    ///
    /// On Cloud that is one request for every hundred keys, and more only if moved issues make its answer
    /// ambiguous; on Data Center one request a key, a few at a time. "Missing" is said only if Jira
    /// confirmed the account within the last five minutes; else it is asked to.
    ///
    /// # Errors
    /// Any [`JiraError`], for the keys as a whole, at `deadline` at the latest.
    pub async fn get_issues(
        &self,
        keys: &[IssueKey],
        deadline: Instant,
    ) -> Result<Vec<Option<Issue>>, JiraError> {
        self.before(deadline, async {
            let issues = self.look_up(keys, deadline).await?;
            if issues.iter().any(Option::is_none) && !self.is_confirmed() {
                self.who_am_i(deadline).await?;
            }
            Ok(issues)
        })
        .await
    }

    /// Asks Jira who the account is: the cheapest proof that address and credentials are right.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn probe(&self, deadline: Instant) -> Result<Account, JiraError> {
        self.before(deadline, self.who_am_i(deadline)).await
    }

    async fn look_up(&self, keys: &[IssueKey], deadline: Instant) -> Result<Vec<Option<Issue>>, JiraError> {
        match keys {
            [] => Ok(Vec::new()),
            [key] => self.look_up_distinct(&[key], deadline).await,
            _ => {
                let (distinct, places) = without_repeats(keys);
                let issues = self.look_up_distinct(&distinct, deadline).await?;
                if distinct.len() == keys.len() {
                    return Ok(issues);
                }
                Ok(places.into_iter().map(|place| issues[place].clone()).collect())
            }
        }
    }

    async fn look_up_distinct(
        &self,
        keys: &[&IssueKey],
        deadline: Instant,
    ) -> Result<Vec<Option<Issue>>, JiraError> {
        match &self.edition {
            Edition::Cloud(bulk_fetch) => bulk_fetch.get_issues(&self.transport, keys, deadline).await,
            Edition::DataCenter(issues) => {
                data_center::get_issues(issues, &self.transport, keys, deadline).await
            }
        }
    }

    async fn who_am_i(&self, deadline: Instant) -> Result<Account, JiraError> {
        let name = match self.transport.ask(&self.myself, deadline).await? {
            Answer::Found(body) => parse_account_name(&body)?,
            Answer::NotFound(_) => return Err(JiraError::invalid("status 404: no Jira at JIRA_BASE_URL")),
        };
        self.set_confirmed_at(Some(Instant::now()));
        Ok(Account { display_name: one_line(&name, MAX_NAME_LENGTH) })
    }

    /// Cuts `work` off at the deadline, and forgets the confirmation of an account that Jira refuses.
    async fn before<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, JiraError>>,
    ) -> Result<T, JiraError> {
        let result = timeout_at(deadline, work).await.unwrap_or(Err(JiraError::TimedOut));
        if matches!(result, Err(JiraError::Unauthorized | JiraError::Forbidden)) {
            self.set_confirmed_at(None);
        }
        result
    }

    fn is_confirmed(&self) -> bool {
        let confirmed_at = *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner);
        confirmed_at.is_some_and(|confirmed_at| confirmed_at.elapsed() < CONFIRMED_FOR)
    }

    fn set_confirmed_at(&self, confirmed_at: Option<Instant>) {
        *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner) = confirmed_at;
    }
}

/// An address below the site's, which may itself have a path (`https://example.com/jira`).
fn endpoint(base_url: &Url, path: &str) -> Url {
    let mut url = base_url.clone();
    url.set_path(&format!("{}/{path}", base_url.path().trim_end_matches('/')));
    url
}

/// The distinct keys in order, and for each key its place among them.
fn without_repeats(keys: &[IssueKey]) -> (Vec<&IssueKey>, Vec<usize>) {
    let mut distinct = Vec::with_capacity(keys.len());
    let mut seen = HashMap::with_capacity(keys.len());
    let places = keys
        .iter()
        .map(|key| {
            *seen.entry(key).or_insert_with(|| {
                distinct.push(key);
                distinct.len() - 1
            })
        })
        .collect();
    (distinct, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_below_the_sites_own_path() {
        for (base, expected) in [
            ("https://example.atlassian.net", "https://example.atlassian.net/rest/api/3/myself"),
            ("https://example.com/jira", "https://example.com/jira/rest/api/3/myself"),
            ("http://127.0.0.1:8080/a/b/", "http://127.0.0.1:8080/a/b/rest/api/3/myself"),
        ] {
            assert_eq!(endpoint(&base.parse().unwrap(), "rest/api/3/myself").as_str(), expected);
        }
    }

    #[test]
    fn a_repeated_key_is_asked_for_once() {
        let keys = ["A-1", "A-2", "A-1"].map(|key| IssueKey::parse(key).unwrap());
        assert_eq!(without_repeats(&keys), (vec![&keys[0], &keys[1]], vec![0, 1, 0]));
    }
}
