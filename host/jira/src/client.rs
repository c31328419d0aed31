//! The Jira client: what the rest of MARO asks of Jira.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    cache::Caches,
    cloud::BulkFetch,
    config::{JiraConfig, JiraCredentials},
    data_center,
    error::{JiraError, JiraSetupError},
    model::parse_account_name,
    single_issue::SingleIssues,
    transport::{ActionError, Answer, JiraRequest, Transport},
};
use maro_domain::issue::{Issue, IssueKey, one_line};

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
///
/// What it can do beyond looking up issues stands in the files named after that.
#[derive(Debug)]
pub struct JiraClient {
    transport: Transport,
    edition: Edition,
    /// The REST API's address, without a final slash.
    api: Url,
    pub(super) caches: Caches,
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
        Ok(Self {
            transport: Transport::new(config)?,
            edition,
            api: endpoint(&config.base_url, &format!("rest/api/{version}")),
            caches: Caches::default(),
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
            if issues.iter().any(Option::is_none) {
                self.confirm(deadline).await?;
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

    /// Whether this is Jira Cloud, REST API v3; else it is Data Center, v2.
    pub(super) fn is_cloud(&self) -> bool {
        matches!(self.edition, Edition::Cloud(_))
    }

    /// The address of something in the REST API. The segments are encoded; none may be empty or only dots.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.api.clone();
        url.path_segments_mut().expect("the site's address is one of HTTP").extend(segments);
        url
    }

    /// Asks Jira something, within [`JiraClient::before`].
    pub(super) async fn ask(&self, request: &JiraRequest, deadline: Instant) -> Result<Answer, JiraError> {
        self.transport.ask(request, deadline).await
    }

    /// Has Jira do something, at `deadline` at the latest.
    pub(super) async fn act(&self, action: &JiraRequest, deadline: Instant) -> Result<Answer, ActionError> {
        let result = self.transport.act(action, deadline).await;
        if let Err(ActionError::NotDone(error) | ActionError::Unknown(error)) = &result {
            self.heed(error);
        }
        result
    }

    /// Makes sure that Jira knows the account, before something is called missing.
    pub(super) async fn confirm(&self, deadline: Instant) -> Result<(), JiraError> {
        if !self.is_confirmed() {
            self.who_am_i(deadline).await?;
        }
        Ok(())
    }

    async fn who_am_i(&self, deadline: Instant) -> Result<Account, JiraError> {
        let request = JiraRequest::get(self.url(&["myself"]));
        let name = parse_account_name(&self.transport.ask(&request, deadline).await?.found()?)?;
        self.set_confirmed_at(Some(Instant::now()));
        Ok(Account { display_name: one_line(&name, MAX_NAME_LENGTH) })
    }

    /// Cuts `work` off at the deadline, and forgets the confirmation of an account that Jira refuses.
    pub(super) async fn before<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, JiraError>>,
    ) -> Result<T, JiraError> {
        let result = timeout_at(deadline, work).await.unwrap_or(Err(JiraError::TimedOut));
        if let Err(error) = &result {
            self.heed(error);
        }
        result
    }

    fn heed(&self, error: &JiraError) {
        if matches!(error, JiraError::Unauthorized | JiraError::Forbidden) {
            self.set_confirmed_at(None);
        }
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
