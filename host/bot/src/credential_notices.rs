//! Telling operators, once, that Jira or Slack no longer accepts MARO's credentials, or soon won't.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{claimed_notices::ClaimedNotices, plugins::operators_channel::SLACKBOT};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Reply, Span, Visibility},
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{outage_log::Outage, telemetry::error_chain};
use maro_slack::{
    outgoing::render::Renderer,
    web_api::{SlackWebApi, error::ApiError},
};
use maro_texts::failures::credentials;

/// How long the same isn't told of again, by any replica and after any restart.
const SILENCE: SignedDuration = SignedDuration::from_hours(1);

/// What is told, as a subject that no plugin's file can be: none has capitals in its name.
const JIRA: &str = "JIRA-CREDENTIALS";
const APP_TOKEN: &str = "SLACK-APP-TOKEN";
const TOKEN_ENDS: &str = "SLACK-TOKEN-ENDS";

/// How long Jira may take to refuse a second time. One refusal may be a mistake.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause after a second question that didn't tell.
const PAUSE: Duration = Duration::from_secs(5);

/// How long before its end a token should have been replaced, and how often that is looked at.
const AHEAD: Duration = Duration::from_secs(30 * 60);
const LOOKS_EVERY: Duration = Duration::from_secs(30);

/// The channel that is told.
pub(crate) struct Recipient {
    pub(crate) renderer: Renderer,
    pub(crate) channel: ChannelId,
    pub(crate) claims: ClaimedNotices,
    /// Slack takes nothing for it, which is logged once.
    pub(crate) silence: Outage,
}

/// Watches whether the credentials are taken.
pub(crate) struct CredentialNotices {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) slack: Arc<SlackWebApi>,
    /// `None` if only the log is told.
    pub(crate) recipient: Option<Recipient>,
    /// The settings with Jira's credentials.
    pub(crate) keys: &'static str,
}

impl CredentialNotices {
    /// Until `shutdown`. `app_token`: whether Slack takes that, where there is one.
    pub(crate) async fn run(self, app_token: Option<Receiver<bool>>, shutdown: CancellationToken) {
        let watching = async {
            tokio::join!(self.watch_jira(), self.watch_slack(), self.watch_app(app_token), self.watch_end())
        };
        let _ = shutdown.run_until_cancelled(watching).await;
    }

    async fn watch_jira(&self) {
        let mut acceptance = self.jira.acceptance();
        // Both end only with the client.
        while acceptance.wait_for(|are_accepted| !are_accepted).await.is_ok() {
            let again = self.jira.probe(Instant::now() + PATIENCE).await;
            if !matches!(again, Err(JiraError::Unauthorized)) {
                sleep(PAUSE).await;
                continue;
            }
            let sentence = if self.jira.wants_captcha() {
                tracing::error!(
                    "Jira wants MARO's account to solve a CAPTCHA: sign in with that account in a browser"
                );
                credentials::jira_wants_captcha(self.keys)
            } else {
                tracing::error!("Jira no longer accepts MARO's credentials: renew {}", self.keys);
                credentials::jira_refuses(self.keys)
            };
            if !self.tell_until(&mut acceptance, JIRA, self.keys, sentence).await {
                return;
            }
            tracing::info!("Jira accepts MARO's credentials again");
        }
    }

    /// Without its token, MARO can tell nobody in Slack.
    async fn watch_slack(&self) {
        let mut acceptance = self.slack.acceptance();
        while acceptance.wait_for(|is_accepted| !is_accepted).await.is_ok() {
            if !matches!(self.slack.auth_test().await, Err(ApiError::InvalidAuth)) {
                sleep(PAUSE).await;
                continue;
            }
            tracing::error!(
                "Slack no longer accepts MARO's token, so MARO can't post or open forms: renew SLACK_BOT_TOKEN"
            );
            if acceptance.wait_for(|is_accepted| *is_accepted).await.is_err() {
                return;
            }
            tracing::info!("Slack accepts MARO's token again");
        }
    }

    async fn watch_app(&self, acceptance: Option<Receiver<bool>>) {
        let Some(mut acceptance) = acceptance else { return };
        while acceptance.wait_for(|is_accepted| !is_accepted).await.is_ok() {
            tracing::error!("Slack no longer accepts MARO's app token: renew SLACK_APP_TOKEN");
            let sentence = credentials::app_token_refused();
            if !self.tell_until(&mut acceptance, APP_TOKEN, "", sentence).await {
                return;
            }
            tracing::info!("Slack accepts MARO's app token again");
        }
    }

    /// Tells of a token that ends soon as long as there's still a way to tell.
    async fn watch_end(&self) {
        let (mut is_logged, mut is_told) = (false, false);
        loop {
            let ending = self.slack.token_lasts().filter(|lasts| *lasts < AHEAD);
            if let Some(lasts) = ending {
                if !is_logged {
                    let seconds = lasts.as_secs();
                    tracing::warn!(
                        seconds,
                        "Slack's token expires soon, and nothing has replaced it: renew SLACK_BOT_TOKEN"
                    );
                }
                is_told = is_told || self.tell(TOKEN_ENDS, "", credentials::slack_token_ends(lasts)).await;
            } else {
                is_told = false;
            }
            is_logged = ending.is_some();
            sleep(LOOKS_EVERY).await;
        }
    }

    /// Tells the channel, again while Slack fails, and waits until what isn't accepted is. False if it never will be.
    async fn tell_until(
        &self,
        acceptance: &mut Receiver<bool>,
        subject: &str,
        content: &str,
        sentence: Vec<Span>,
    ) -> bool {
        let telling = async {
            while !self.tell(subject, content, sentence.clone()).await {
                sleep(LOOKS_EVERY).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = telling => false,
            accepted = acceptance.wait_for(|is_accepted| *is_accepted) => accepted.is_ok(),
        }
    }

    /// Tells the channel, unless somebody has within the last hour. `content`: what it is told of. False if Slack
    /// fails.
    async fn tell(&self, subject: &str, content: &str, sentence: Vec<Span>) -> bool {
        let Some(Recipient { renderer, channel, claims, silence }) = &self.recipient else { return true };
        let Ok(nobody) = UserId::parse(SLACKBOT) else { return true };
        let Some(claim) = claims.claim(subject, content, SILENCE).await else { return true };
        let blocks = vec![Block::Paragraph(sentence)];
        let reply = Reply { visibility: Visibility::Channel, blocks };
        let message = renderer.render(&reply, channel, &nobody);
        let Err(error) = self.slack.post_message(channel, None, &message).await else {
            silence.answered();
            return true;
        };
        if silence.failed() {
            let error = error_chain(&error);
            tracing::error!(error, subject, "couldn't tell MARO_PLUGIN_CHANNEL about credentials");
        }
        claims.release(claim).await;
        false
    }
}
