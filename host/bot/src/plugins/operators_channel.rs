//! Telling the operators' channel of files that do not serve.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::claimed_notices::ClaimedNotices;
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::one_line,
    reply::{Block, Reply, Span, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_runtime::{
    events::{PluginChange, PluginEvent},
    registry::Registry,
};
use maro_slack::{outgoing::render::Renderer, web_api::SlackWebApi};
use maro_texts as texts;

/// How long the same content of a file is not told of again, by any replica and after any restart.
const SILENCE: SignedDuration = SignedDuration::from_hours(1);

/// What stands for the machine where the names of files do.
const THE_MACHINE: &str = "(the machine)";

/// The most files in one message, and how much of each reason, in characters. The log has the rest.
const MAX_FILES: usize = 20;
const MAX_REASON_LENGTH: usize = 400;

/// Slack's own bot, as the person to whom a message to nobody in particular is addressed.
pub(crate) const SLACKBOT: &str = "USLACKBOT";

/// Tells the operators' channel.
pub(crate) struct PluginNotices {
    pub(crate) registry: Arc<Registry>,
    pub(crate) claims: ClaimedNotices,
    pub(crate) slack: Arc<SlackWebApi>,
    pub(crate) renderer: Renderer,
    pub(crate) channel: ChannelId,
}

impl PluginNotices {
    /// Posts what does not serve, until `shutdown`. Nothing waits for it: a reload has happened by then. What
    /// comes while a message is on its way goes into the next.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let (mut events, mut receiver) = self.registry.events().subscribe();
        loop {
            while let Ok(event) = receiver.try_recv() {
                events.push(event);
            }
            let telling = self.tell(std::mem::take(&mut events));
            if shutdown.run_until_cancelled(telling).await.is_none() {
                return;
            }
            match shutdown.run_until_cancelled(receiver.recv()).await {
                Some(Ok(event)) => events.push(event),
                Some(Err(RecvError::Lagged(missed))) => {
                    tracing::warn!(missed, "some plugin events weren't reported");
                }
                Some(Err(RecvError::Closed)) | None => return,
            }
        }
    }

    async fn tell(&self, events: Vec<PluginEvent>) {
        let (mut items, mut claims, mut told_of_machine) = (Vec::new(), Vec::new(), false);
        for event in events {
            let PluginChange::Refused { in_public, kept, content, of_the_machine, .. } = &event.what else {
                continue;
            };
            if *of_the_machine {
                // One sentence, however many plugins there are.
                if !told_of_machine
                    && let Some(claim) = self.claims.claim(THE_MACHINE, in_public, SILENCE).await
                {
                    items.push(vec![Span::Text(texts::with_full_stop(in_public))]);
                    claims.push(claim);
                }
                told_of_machine = true;
                continue;
            }
            if items.len() < MAX_FILES
                && let Some(claim) = self.claims.claim(&event.plugin, content, SILENCE).await
            {
                claims.push(claim);
                let (file, reason) = (one_line(&event.plugin, 60), shown(in_public));
                items.push(texts::plugins::overview::file_rejected(&file, &reason, kept.is_some()));
            }
        }
        let Ok(nobody) = UserId::parse(SLACKBOT) else { return };
        if items.is_empty() {
            return;
        }
        let reply = Reply { visibility: Visibility::Channel, blocks: vec![Block::items(items)] };
        let message = self.renderer.render(&reply, &self.channel, &nobody);
        if let Err(error) = self.slack.post_message(&self.channel, None, &message).await {
            tracing::error!(
                channel = self.channel.as_str(),
                error = error_chain(&error),
                "couldn't tell MARO_PLUGIN_CHANNEL which plugins couldn't be loaded"
            );
            for claim in claims {
                self.claims.release(claim).await;
            }
        }
    }
}

/// As much of a reason as one message has room for.
fn shown(reason: &str) -> String {
    let reason = one_line(reason, 10 * MAX_REASON_LENGTH);
    texts::plugins::plugin_details::shortened(&reason, MAX_REASON_LENGTH).unwrap_or(reason)
}
