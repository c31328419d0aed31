//! What every request handler needs.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::Commands,
    config::Config,
    plugins::PluginHost,
    server::{
        authentication::{
            refusals::Refusals, replays_without_effect::SeenRequests, unsigned_body::UnsignedBytes,
        },
        operators::once_a_second::OnceASecond,
    },
    services::Services,
};
use maro_access::{Access, workspace::Workspace};
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, metrics::Metrics, replaceable::Live, secret::Secret};
use maro_slack::{
    outgoing::render::Renderer,
    outgoing::response_url::{ResponseUrlClient, ResponseUrlPolicy},
    sealed::Sealer,
    signature::SignatureVerifier,
    web_api::SlackWebApi,
};
use maro_store::{Stores, tracker::ChannelIssueTracker};
use maro_sync::{field_changes::FieldChanges, webhook_hints::WebhookHints};
use maro_tickets::Tickets;

pub(crate) struct BotState {
    pub(crate) commands: Commands,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) plugins: PluginHost,
    /// Whose requests are taken.
    pub(super) workspace: Arc<Workspace>,
    pub(super) access: Arc<Access>,
    pub(super) slack: SlackSide,
    pub(super) seen_requests: SeenRequests,
    pub(crate) jira_webhook: JiraWebhook,
    pub(super) stores: Stores,
    pub(super) tracker: Arc<dyn ChannelIssueTracker>,
    /// Room for bodies that nobody has vouched for.
    pub(super) unsigned_bytes: UnsignedBytes,
    pub(super) refusals: Refusals,
    pub(super) operator_answers: OperatorAnswers,
    pub(super) jira: Arc<JiraClient>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    /// Set once the bot is about to stop: it still answers, and isn't ready any more.
    pub(crate) draining: CancellationToken,
    /// Commands under way; a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
}

/// What operators' machines ask of the database.
#[derive(Default)]
pub(super) struct OperatorAnswers {
    /// What is wrong with it.
    pub(super) readiness: OnceASecond<Result<(), &'static str>>,
    /// How many intents are open, by age, if it says so.
    pub(super) open_intents: OnceASecond<Option<[u64; 4]>>,
}

/// What it takes to believe Slack and to answer it.
pub(super) struct SlackSide {
    /// `None` with Socket Mode alone: then nothing that comes over HTTP can be from Slack.
    pub(super) signature: Option<SignatureVerifier>,
    pub(super) renderer: Renderer,
    /// Says who made a button.
    pub(super) sealer: Sealer,
    pub(super) response_urls: ResponseUrlPolicy,
    pub(super) response_url_client: ResponseUrlClient,
    pub(super) web_api: Arc<SlackWebApi>,
    /// How many connections Slack listens to, once Socket Mode has begun. Empty without it.
    pub(super) sockets: OnceLock<watch::Receiver<usize>>,
}

/// What it takes to believe Jira, and where its hints go.
pub(crate) struct JiraWebhook {
    pub(super) secret: Live<Option<Secret>>,
    /// Room for bodies that nobody has vouched for.
    pub(super) unsigned_bytes: UnsignedBytes,
    pub(crate) changed_issues: Arc<WebhookHints>,
    /// What changes beside the status.
    pub(super) field_changes: Arc<FieldChanges>,
}

impl SlackSide {
    /// How many connections Socket Mode has, if it's in use.
    pub(super) fn connected_sockets(&self) -> Option<usize> {
        self.sockets.get().map(|connected| *connected.borrow())
    }
}

impl BotState {
    /// Trusts requests signed with the secrets of these settings.
    pub(crate) fn adjust(&self, config: &Config) {
        if let (Some(verifier), Some(secret)) = (&self.slack.signature, &config.slack.signing_secret) {
            verifier.replace(secret, config.slack.previous_signing_secret.as_ref());
        }
        self.jira_webhook.secret.set(config.jira.webhook_secret.clone());
    }

    pub(crate) fn new(
        config: &Config,
        services: &Services,
        plugins: PluginHost,
        tickets: Arc<Tickets>,
        commands: Commands,
    ) -> Self {
        let sealer = services.sealer.clone();
        Self {
            commands,
            tickets,
            plugins,
            workspace: Arc::clone(&services.workspace),
            access: Arc::clone(&services.access),
            seen_requests: SeenRequests::default(),
            slack: SlackSide {
                signature: config.slack.signing_secret.as_ref().map(|secret| {
                    SignatureVerifier::accepting(secret, config.slack.previous_signing_secret.as_ref())
                }),
                renderer: services.renderer.clone().sealing_buttons(sealer.clone()),
                sealer,
                response_urls: ResponseUrlPolicy::new(&config.slack),
                response_url_client: ResponseUrlClient::new(config.network()),
                web_api: Arc::clone(&services.slack),
                sockets: OnceLock::new(),
            },
            jira_webhook: JiraWebhook {
                secret: Live::new(config.jira.webhook_secret.clone()),
                unsigned_bytes: UnsignedBytes::of_jira(),
                field_changes: Arc::clone(&services.field_changes),
                changed_issues: Arc::new(WebhookHints::new(
                    Arc::clone(&services.tracker),
                    Arc::clone(&services.stores.freshness),
                    Arc::clone(&services.stores.webhooks),
                    Arc::clone(&services.jira),
                    Arc::clone(&services.reading),
                    Arc::clone(&services.leading),
                )),
            },
            stores: services.stores.clone(),
            tracker: Arc::clone(&services.tracker),
            unsigned_bytes: UnsignedBytes::of_slack(),
            refusals: Refusals::default(),
            operator_answers: OperatorAnswers::default(),
            jira: Arc::clone(&services.jira),
            clock: services.clock.clone(),
            metrics: Arc::clone(&services.metrics),
            draining: CancellationToken::new(),
            tasks: services.tasks.clone(),
        }
    }
}
