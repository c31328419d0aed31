//! Telling operators, once, that Jira no longer takes MARO's credentials.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::plugins::notices::SLACKBOT;
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Reply, Span, Visibility},
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::{render::Renderer, web_api::SlackWebApi};
use maro_store::plugin_switches::PluginSwitches;
use maro_tickets::texts;

/// How long the same isn't told of again, by any replica and after any restart.
const SILENCE: SignedDuration = SignedDuration::from_hours(1);

/// Where it is noted that it was told: beside refused plugins, none of which has capitals in its name.
const SUBJECT: &str = "JIRA-CREDENTIALS";

/// How long Jira may take to refuse a second time. One refusal may be a mistake.
const PATIENCE: Duration = Duration::from_secs(20);

/// The channel that is told.
pub(crate) struct Recipient {
    pub(crate) slack: Arc<SlackWebApi>,
    pub(crate) renderer: Renderer,
    pub(crate) channel: ChannelId,
    pub(crate) switches: Arc<dyn PluginSwitches>,
}

/// Watches whether Jira takes the credentials.
pub(crate) struct CredentialNotices {
    pub(crate) jira: Arc<JiraClient>,
    /// `None` if only the log is told.
    pub(crate) recipient: Option<Recipient>,
    pub(crate) clock: Clock,
    /// The settings with the credentials.
    pub(crate) keys: &'static str,
}

impl CredentialNotices {
    /// Until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let _ = shutdown.run_until_cancelled(self.watch()).await;
    }

    async fn watch(&self) {
        let mut acceptance = self.jira.acceptance();
        // Both end only with the client.
        while acceptance.wait_for(|are_accepted| !are_accepted).await.is_ok() {
            let again = self.jira.probe(Instant::now() + PATIENCE).await;
            if matches!(again, Err(JiraError::Unauthorized)) {
                tracing::error!("Jira no longer takes MARO's credentials: renew {}", self.keys);
                self.tell().await;
                if acceptance.wait_for(|are_accepted| *are_accepted).await.is_err() {
                    return;
                }
                tracing::info!("Jira takes MARO's credentials again");
            }
        }
    }

    async fn tell(&self) {
        let Some(Recipient { slack, renderer, channel, switches }) = &self.recipient else { return };
        let now = self.clock.now();
        let told_before = now.checked_sub(SILENCE).unwrap_or(Timestamp::UNIX_EPOCH);
        // If the database can't say, better twice than not at all.
        let is_news = switches.claim_refusal(SUBJECT, self.keys, now, told_before).await.unwrap_or(true);
        let Ok(nobody) = UserId::parse(SLACKBOT) else { return };
        if !is_news {
            return;
        }
        let reply = Reply {
            visibility: Visibility::Channel,
            blocks: vec![Block::Paragraph(vec![Span::Text(texts::jira::credentials_refused(self.keys))])],
        };
        let message = renderer.render(&reply, channel, &nobody);
        if let Err(error) = slack.post_message(channel, None, &message).await {
            let error = error_chain(&error);
            tracing::error!(error, "MARO_PLUGIN_CHANNEL was not told that Jira refuses the credentials");
        }
    }
}
