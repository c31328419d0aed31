//! A Jira site as MARO's account uses it: its addresses, the one way in, and what is remembered.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use url::Url;

use crate::{
    accounts::account::Account,
    config::JiraConfig,
    connection::authorization::Authorization,
    connection::cache::Caches,
    connection::location::Location,
    connection::overload_gate::Gate,
    connection::request::{JiraRequest, RequestKind},
    connection::transport::{Answer, Transport},
    error::{JiraError, JiraSetupError},
    reading::unservable_issues::Troubled,
    wire::refusal::is_jira_error,
};
use maro_process::{
    http::retry::Failure,
    metrics::calls::{Calls, JiraMetrics},
};

/// How long Jira's word counts that it knows the account.
const CONFIRMED_FOR: Duration = Duration::from_secs(5 * 60);

/// One Jira site, with a connection pool for one account.
#[derive(Debug)]
pub(crate) struct JiraSite {
    transport: Transport,
    gate: Gate,
    calls: Calls,
    is_cloud: bool,
    /// As people's links begin: the site's own address.
    base_url: Url,
    /// The REST API's address below the site's, without a trailing slash. Requests may be sent elsewhere.
    api: Url,
    /// The same of Jira Software's own API, which has one version in both editions.
    agile: Url,
    pub(crate) caches: Caches,
    /// Issues that can't be served.
    pub(crate) troubled: Troubled,
    /// How many failing issues were met in front of others, which are then asked for first.
    pub(crate) failing_in_front: AtomicUsize,
    /// Whether Jira took the credentials when it was last asked.
    are_accepted: watch::Sender<bool>,
    /// When Jira last said who the account is.
    confirmed_at: Mutex<Option<Instant>>,
    /// Held while that is asked, so that nobody else asks meanwhile.
    confirming: tokio::sync::Mutex<()>,
}

/// Why an action has no answer.
#[derive(Debug)]
pub(crate) enum ActionError {
    /// Jira has certainly done nothing.
    NotDone(JiraError),
    /// Jira may have done it, or may still do it.
    Unknown(JiraError),
}

impl From<Failure<JiraError>> for ActionError {
    fn from(failure: Failure<JiraError>) -> Self {
        if failure.may_have_acted { Self::Unknown(failure.error) } else { Self::NotDone(failure.error) }
    }
}

impl JiraSite {
    /// Doesn't connect yet.
    pub(crate) fn new(config: &JiraConfig, metrics: JiraMetrics) -> Result<Self, JiraSetupError> {
        let is_cloud = config.is_cloud();
        let version = if is_cloud { 3 } else { 2 };
        Ok(Self {
            transport: Transport::new(config)?,
            gate: Gate::new(metrics.breakers),
            calls: metrics.calls,
            is_cloud,
            base_url: config.base_url.clone(),
            api: endpoint(&config.base_url, &format!("rest/api/{version}")),
            agile: endpoint(&config.base_url, "rest/agile/1.0"),
            caches: Caches::default(),
            troubled: Troubled::default(),
            failing_in_front: AtomicUsize::new(0),
            are_accepted: watch::Sender::new(true),
            confirmed_at: Mutex::new(None),
            confirming: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Whether this is Jira Cloud with REST API v3. If not, it is Data Center with v2.
    pub(crate) fn is_cloud(&self) -> bool {
        self.is_cloud
    }

    pub(crate) fn replace_credentials(&self, config: &JiraConfig) {
        self.transport.replace_credentials(config);
        self.set_confirmed_at(None);
    }

    /// Whether Jira refuses the account until somebody solves a CAPTCHA.
    pub(crate) fn wants_captcha(&self) -> bool {
        self.transport.wants_captcha()
    }

    /// Where requests go.
    pub(crate) fn location(&self) -> &Location {
        self.transport.location()
    }

    /// Who MARO is to Jira.
    pub(crate) fn authorization(&self) -> &Authorization {
        self.transport.authorization()
    }

    /// What the site says to anybody, at a path below it.
    pub(crate) async fn ask_openly(&self, path: &str, deadline: Instant) -> Result<Answer, JiraError> {
        self.transport.ask_openly(endpoint(&self.base_url, path), deadline).await
    }

    /// The address of a resource in the REST API. The segments get encoded; none may be empty or only dots.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        below(&self.api, segments)
    }

    /// As [`JiraSite::url`], in Jira Software's own API.
    pub(crate) fn agile_url(&self, segments: &[&str]) -> Url {
        below(&self.agile, segments)
    }

    /// Asks a question.
    pub(crate) async fn ask(&self, request: &JiraRequest, deadline: Instant) -> Result<Answer, JiraError> {
        self.send(request, deadline).await.map_err(|failure| failure.error)
    }

    /// Asks about something that may be missing or hidden from the account: the body of the answer, or
    /// `None` if Jira, knowing the account, says that there is no such thing.
    pub(crate) async fn find(
        &self,
        request: &JiraRequest,
        deadline: Instant,
    ) -> Result<Option<Bytes>, JiraError> {
        match self.ask(request, deadline).await? {
            Answer::NotFound(body) if is_jira_error(&body) => {
                self.confirm(deadline).await?;
                Ok(None)
            }
            answer => answer.found().map(Some),
        }
    }

    /// Whether Jira doesn't answer, as far as is known.
    pub(crate) fn is_silent(&self) -> bool {
        self.gate.is_silent()
    }

    /// Has Jira do something.
    pub(crate) async fn act(&self, action: &JiraRequest, deadline: Instant) -> Result<Answer, ActionError> {
        Ok(self.send(action, deadline).await?)
    }

    /// Makes sure that Jira knows the account before anything is called missing.
    pub(crate) async fn confirm(&self, deadline: Instant) -> Result<(), JiraError> {
        if self.is_confirmed() {
            return Ok(());
        }
        let turn = timeout_at(deadline, self.confirming.lock()).await;
        let _turn = turn.map_err(|_| JiraError::TimedOut)?;
        if self.is_confirmed() {
            return Ok(());
        }
        match self.ask_who_i_am(deadline).await {
            // Jira knows the token, which just doesn't let MARO read its own name.
            Ok(_) | Err(JiraError::MissingScope { .. }) => {
                self.set_confirmed_at(Some(Instant::now()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn who_am_i(&self, deadline: Instant) -> Result<Account, JiraError> {
        let turn = timeout_at(deadline, self.confirming.lock()).await;
        let _turn = turn.map_err(|_| JiraError::TimedOut)?;
        self.ask_who_i_am(deadline).await
    }

    async fn ask_who_i_am(&self, deadline: Instant) -> Result<Account, JiraError> {
        let request = JiraRequest::get(RequestKind::GetAccount, self.url(&["myself"]));
        let account = Account::read(&self.ask(&request, deadline).await?.found()?)?;
        self.set_confirmed_at(Some(Instant::now()));
        Ok(account)
    }

    /// Sends a request and retries it where that's safe, until `deadline` at the latest. Every request to
    /// Jira passes here. While others of its kind aren't answered, it isn't sent.
    async fn send(&self, request: &JiraRequest, deadline: Instant) -> Result<Answer, Failure<JiraError>> {
        let call = request.kind.as_str();
        let pass = match self.gate.enter(request.kind, deadline).await {
            Ok(pass) => pass,
            Err(error) => {
                self.calls.not_made(call, "not_asked");
                return Err(Failure::refused(error));
            }
        };
        let began = Instant::now();
        let result = self.transport.send(request, deadline, &pass).await;
        let error = result.as_ref().err().map(|failure| &failure.error);
        self.calls.ended(call, error.map_or("ok", JiraError::as_str), began.elapsed());
        pass.ended(error);
        match error {
            None => self.note_acceptance(true),
            Some(JiraError::Unauthorized) => self.note_acceptance(false),
            Some(_) => {}
        }
        if let Some(JiraError::Unauthorized | JiraError::Forbidden { .. }) = error {
            self.set_confirmed_at(None);
        }
        result
    }

    fn note_acceptance(&self, are_accepted: bool) {
        self.are_accepted.send_if_modified(|known| std::mem::replace(known, are_accepted) != are_accepted);
    }

    /// Whether Jira took the credentials when it was last asked.
    pub(crate) fn acceptance(&self) -> watch::Receiver<bool> {
        self.are_accepted.subscribe()
    }

    fn is_confirmed(&self) -> bool {
        let confirmed_at = *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner);
        confirmed_at.is_some_and(|confirmed_at| confirmed_at.elapsed() < CONFIRMED_FOR)
    }

    fn set_confirmed_at(&self, confirmed_at: Option<Instant>) {
        *self.confirmed_at.lock().unwrap_or_else(PoisonError::into_inner) = confirmed_at;
    }
}

fn below(api: &Url, segments: &[&str]) -> Url {
    let mut url = api.clone();
    url.path_segments_mut().expect("the site's address is an HTTP one").extend(segments);
    url
}

/// An address below the site's, which may have a path itself (`https://example.com/jira`).
fn endpoint(base_url: &Url, path: &str) -> Url {
    let mut url = base_url.clone();
    url.set_path(&format!("{}/{path}", base_url.path().trim_end_matches('/')));
    url
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
}
