//! The simulated site's webhooks: it sends signed reports of people's changes to one address, in order.
//!
//! A report that isn't accepted is logged and lost. Real Jira would send it again.

use std::{sync::Arc, time::Duration};

use axum::http::header;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::jira::{
    server::{Shared, SimulatedJira},
    shapes::{self, Api, Links},
};
use maro_domain::issue::IssueKey;
use maro_jira::webhook::{self, SIGNATURE_HEADER};
use maro_process::{
    http::client::{self, ClientOptions},
    secret::Secret,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// How many reports may be waiting. A person can't cause this many.
const MAX_WAITING: usize = 100;

/// The queue for reports.
pub(super) type Webhooks = mpsc::Sender<Value>;

impl SimulatedJira {
    /// From now on, reports changes to `address`, signed with `secret`.
    ///
    /// # Errors
    /// If no HTTP client can be created.
    pub fn send_webhooks(&self, address: Url, secret: Secret) -> Result<(), reqwest::Error> {
        let client = client::build(&ClientOptions::loopback(TIMEOUT))?;
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        *self.shared.webhooks() = Some(sender);
        self.tasks.spawn(send(Arc::clone(&self.shared), receiver, client, address, secret));
        Ok(())
    }

    /// Reports the current state of an issue, if it exists.
    pub(super) fn report_update(&self, key: &IssueKey) {
        let links = Links { site: &self.shared.base_url, api: Api::Cloud };
        let issue = self
            .shared
            .site()
            .find(key.as_str())
            .map(|issue| shapes::issue(issue, &["*all".to_owned()], links));
        if let Some(issue) = issue {
            self.report("jira:issue_updated", issue);
        }
    }

    pub(super) fn report_deletion(&self, id: u64, key: &IssueKey) {
        self.report("jira:issue_deleted", json!({ "id": id.to_string(), "key": key.as_str() }));
    }

    fn report(&self, event: &str, issue: Value) {
        let webhooks = self.shared.webhooks().clone();
        let Some(webhooks) = webhooks else { return };
        let timestamp = self.shared.site().now().as_millisecond();
        let body = json!({ "timestamp": timestamp, "webhookEvent": event, "issue": issue });
        if webhooks.try_send(body).is_err() {
            tracing::warn!("lost a webhook of the simulated Jira: too many are waiting");
        }
    }
}

async fn send(
    shared: Arc<Shared>,
    mut reports: mpsc::Receiver<Value>,
    client: Client,
    address: Url,
    secret: Secret,
) {
    while let Some(Some(report)) = shared.stop.run_until_cancelled(reports.recv()).await {
        let body = report.to_string();
        let request = client
            .post(address.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(SIGNATURE_HEADER, webhook::sign(&secret, body.as_bytes()))
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => tracing::warn!(status = %response.status(), "a webhook wasn't accepted"),
            Err(error) => tracing::warn!(%error, "a webhook wasn't accepted"),
        }
    }
}
