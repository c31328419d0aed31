//! What every request handler needs.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::commands::Commands;
use maro_process::{clock::Clock, metrics::Metrics, secret::Secret};
use maro_runtime::{recording::recorder::Recorder, registry::Registry};
use maro_slack::{
    render::Renderer,
    response_url::{ResponseUrlClient, ResponseUrlPolicy},
    signature::SignatureVerifier,
    web_api::SlackWebApi,
};
use maro_store::tracker::ChannelIssueTracker;
use maro_tickets::{Tickets, sync::LatestEvents};

pub(super) struct BotState {
    pub(super) commands: Commands,
    pub(super) tickets: Arc<Tickets>,
    pub(super) slack: Arc<SlackWebApi>,
    pub(super) registry: Arc<Registry>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) tracker: Arc<dyn ChannelIssueTracker>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    /// `None` with Socket Mode alone: then nothing that comes over HTTP can be from Slack.
    pub(super) signature: Option<SignatureVerifier>,
    pub(super) renderer: Renderer,
    pub(super) response_urls: ResponseUrlPolicy,
    pub(super) response_url_client: ResponseUrlClient,
    pub(super) jira_webhook_secret: Option<Secret>,
    pub(super) latest_events: LatestEvents,
    /// Whether the plugins are loaded. Commands wait for it.
    pub(super) loaded: watch::Receiver<bool>,
    /// Commands under way; a shutdown waits for them.
    pub(super) tasks: TaskTracker,
}

impl BotState {
    /// Waits until the plugins are loaded, which they are after the first moments.
    pub(super) async fn wait_until_loaded(&self) {
        if !*self.loaded.borrow() {
            // An error means that loading has ended for good; commands then find what there is.
            let _ = self.loaded.clone().wait_for(|loaded| *loaded).await;
        }
    }
}
