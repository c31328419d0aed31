//! The simulated site's webhooks: it sends signed reports of people's changes to one address, in order.
//!
//! A report that isn't accepted is logged and lost. Real Jira would send it again.

use std::{sync::Arc, time::Duration};

use axum::http::header;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::mpsc;
use url::Url;

use crate::jira::{server::SimulatedJira, state::SiteState};
use maro_jira::webhooks::signature::{self, SIGNATURE_HEADER};
use maro_process::{
    http::client::{self, ClientOptions},
    secret::Secret,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// How many reports may be waiting. A person can't cause this many.
const MAX_WAITING: usize = 100;

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
}

async fn send(
    shared: Arc<SiteState>,
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
            .header(SIGNATURE_HEADER, signature::sign(&secret, body.as_bytes()))
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => tracing::warn!(status = %response.status(), "a webhook wasn't accepted"),
            Err(error) => tracing::warn!(%error, "a webhook wasn't accepted"),
        }
    }
}
