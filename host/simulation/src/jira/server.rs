//! The simulated site for its owner: starts it, changes it, makes it fail, and returns what it received.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

use crate::jira::{
    credentials::{API_TOKEN, EMAIL, PERSONAL_ACCESS_TOKEN},
    data::{
        issue::{IssueType, SimulatedIssue},
        seed::PROJECT,
    },
    faults::{JiraFault, connection},
    received::ReceivedRequest,
    state::SiteState,
};
use maro_domain::issue::{IssueId, IssueKey};
use maro_jira::config::{JiraConfig, JiraCredentials};
use maro_process::secret::Secret;

/// A running simulated site. It stops when dropped.
#[derive(Debug)]
pub struct SimulatedJira {
    pub(super) shared: Arc<SiteState>,
    pub(super) tasks: TaskTracker,
    _stop: DropGuard,
}

impl SimulatedJira {
    /// Starts a site with its projects and issues on `address`. Port 0 means any free port. The site stops
    /// when `shutdown` is cancelled or the value is dropped.
    ///
    /// # Errors
    /// If it can't listen on the address.
    pub async fn start(address: SocketAddr, shutdown: &CancellationToken) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let base_url =
            Url::parse(&format!("http://{}/", listener.local_addr()?)).map_err(io::Error::other)?;
        let stop = shutdown.child_token();
        let shared = Arc::new(SiteState::new(base_url, stop.clone()));
        let tasks = TaskTracker::new();
        tasks.spawn(connection::accept(listener, shared.clone(), tasks.clone(), stop.clone()));
        Ok(Self { shared, tasks, _stop: stop.drop_guard() })
    }

    /// Stops the site and waits until its last connection is closed.
    pub async fn stop(self) {
        let Self { tasks, _stop: stop, .. } = self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
    }

    /// The site's address, such as `http://127.0.0.1:8080/`.
    pub fn base_url(&self) -> &Url {
        &self.shared.base_url
    }

    /// Settings that make MARO use the site as Jira Cloud.
    pub fn cloud_config(&self) -> JiraConfig {
        self.config(JiraCredentials::Cloud { email: EMAIL.to_owned(), api_token: Secret::new(API_TOKEN) })
    }

    /// Settings that make MARO use the site as Jira Data Center.
    pub fn data_center_config(&self) -> JiraConfig {
        self.config(JiraCredentials::DataCenter { token: Secret::new(PERSONAL_ACCESS_TOKEN) })
    }

    /// Adds a story, replacing any issue with this key. Returns its id.
    pub fn add_issue(&self, key: &IssueKey, summary: &str, status: &str) -> IssueId {
        let id = self.shared.site().add(key.clone(), IssueType::Story, summary, status);
        IssueId::new(id.to_string())
    }

    /// Moves an issue to a new key. The old key still leads to it. `false` if there is no such issue.
    pub fn move_issue(&self, from: &IssueKey, to: &IssueKey) -> bool {
        let is_moved = self.shared.site().rename_key(from, to.clone());
        self.shared.report_update(to);
        is_moved
    }

    /// Deletes an issue under all its keys. `false` if there is no such issue.
    pub fn delete_issue(&self, key: &IssueKey) -> bool {
        let mut site = self.shared.site();
        let found = site.find(key.as_str()).map(|issue| (issue.id, issue.key.clone()));
        let Some((id, key)) = found else { return false };
        site.delete(&key);
        drop(site);
        self.shared.report_deletion(id, &key);
        true
    }

    /// Changes an issue's summary. `false` if there is no such issue.
    pub fn rename_issue(&self, key: &IssueKey, summary: &str) -> bool {
        self.change_issue(key, |issue| summary.clone_into(&mut issue.summary))
    }

    /// Changes an issue's status. `false` if there is no such issue.
    pub fn transition_issue(&self, key: &IssueKey, status: &str) -> bool {
        self.change_issue(key, |issue| status.clone_into(&mut issue.status))
    }

    pub(super) fn change_issue(&self, key: &IssueKey, change: impl FnOnce(&mut SimulatedIssue)) -> bool {
        let is_changed = self.shared.site().find_to_change(key.as_str()).map(change).is_some();
        self.shared.report_update(key);
        is_changed
    }

    /// Makes the REST API fail until [`SimulatedJira::clear_fault`].
    pub fn set_fault(&self, fault: JiraFault) {
        self.set_faults([], Some(fault));
    }

    /// Makes only the next requests to the REST API fail, one fault each. `None` lets a request through.
    pub fn set_next_faults(&self, faults: impl IntoIterator<Item = Option<JiraFault>>) {
        self.set_faults(faults, None);
    }

    /// As [`SimulatedJira::set_next_faults`], for the requests whose path ends with `part`. All others stay
    /// as they are.
    pub fn set_next_faults_of(&self, part: &str, faults: impl IntoIterator<Item = Option<JiraFault>>) {
        self.shared.faults().set_of(part, faults);
        self.shared.changes.send_modify(|count| *count += 1);
    }

    /// Makes all requests fail whose path ends with `part`, until this is called again with `None`, or all faults are
    /// set again.
    pub fn set_fault_of(&self, part: &str, fault: Option<JiraFault>) {
        self.shared.faults().set_always_of(part, fault);
        self.shared.changes.send_modify(|count| *count += 1);
    }

    /// Makes all requests fail that name an issue by its key or id, until this is called again with `None`, or all
    /// faults are set anew.
    pub fn set_fault_of_issue(&self, key: &IssueKey, fault: Option<JiraFault>) {
        let id = self.shared.site().find(key.as_str()).map(|issue| issue.id.to_string());
        let names = id.into_iter().chain([key.to_string()]).collect();
        self.shared.faults().set_of_issue(names, fault);
        self.shared.changes.send_modify(|count| *count += 1);
    }

    /// What [`SimulatedJira::set_fault_of`] has set.
    pub fn faults_of(&self) -> Vec<(String, JiraFault)> {
        self.shared.faults().always_of()
    }

    /// Makes the REST API work again. A request that hangs keeps hanging.
    pub fn clear_fault(&self) {
        self.set_faults([], None);
    }

    fn set_faults(&self, next: impl IntoIterator<Item = Option<JiraFault>>, then: Option<JiraFault>) {
        self.shared.faults().set(next, then);
        self.shared.changes.send_modify(|count| *count += 1);
    }

    /// The requests to the REST API so far, oldest first, at most a thousand.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.received().to_vec()
    }

    /// The most requests to the REST API that were under way at the same time.
    pub fn most_requests_at_once(&self) -> usize {
        self.shared.received().most_at_once()
    }

    /// As [`SimulatedJira::requests`], but also forgets them.
    pub fn take_requests(&self) -> Vec<ReceivedRequest> {
        self.shared.received().take()
    }

    fn config(&self, credentials: JiraCredentials) -> JiraConfig {
        let config = JiraConfig::new(self.shared.base_url.clone(), credentials);
        JiraConfig { default_project: Some(PROJECT.to_owned()), ..config }
    }
}
