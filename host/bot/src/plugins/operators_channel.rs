//! Telling the operators' channel of files that couldn't be loaded.

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
    plugin_changes::{PluginChange, PluginEvent},
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
    /// Posts which files couldn't be loaded, until `shutdown`. Nothing waits for it: a reload has happened by then.
    /// What comes while a message is on its way goes into the next.
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
        let (mut items, mut refused, mut claims, mut told_of_machine) =
            (Vec::new(), Vec::new(), Vec::new(), false);
        for event in &events {
            let PluginChange::Refused { in_public, kept, content, of_the_machine, .. } = &event.what else {
                continue;
            };
            if *of_the_machine {
                // One sentence, however many plugins there are.
                if !told_of_machine
                    && let Some(claim) = self.claims.claim(THE_MACHINE, in_public, SILENCE).await
                {
                    items.push(texts::reason_with_code(in_public));
                    claims.push(claim);
                }
                told_of_machine = true;
                continue;
            }
            let Some(claim) = self.claims.claim(&event.plugin, content, SILENCE).await else { continue };
            claims.push(claim);
            refused.push(Refused { file: &event.plugin, reason: in_public, is_kept: kept.is_some() });
        }
        items.extend(lines(&refused));
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

/// A file that couldn't be loaded.
struct Refused<'a> {
    file: &'a str,
    reason: &'a str,
    /// An earlier version of it keeps running.
    is_kept: bool,
}

/// A line about each file, and how many more there are than one message names.
fn lines(refused: &[Refused<'_>]) -> Vec<Vec<Span>> {
    let line = |Refused { file, reason, is_kept }: &Refused<'_>| {
        texts::plugins::overview::file_rejected(&one_line(file, 60), &shown(reason), *is_kept)
    };
    let mut lines: Vec<_> = refused.iter().take(MAX_FILES).map(line).collect();
    let left_out = refused.len().saturating_sub(MAX_FILES);
    lines.extend((left_out > 0).then(|| texts::plugins::overview::more_files(left_out)));
    lines
}

/// As much of a reason as one message has room for.
fn shown(reason: &str) -> String {
    let reason = one_line(reason, 10 * MAX_REASON_LENGTH);
    texts::plugins::plugin_details::shortened(&reason, MAX_REASON_LENGTH).unwrap_or(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_names_twenty_files_and_counts_the_rest() {
        let names: Vec<_> = (0..23).map(|number| format!("broken-{number}.wasm")).collect();
        let refused: Vec<_> =
            names.iter().map(|file| Refused { file, reason: "it's empty", is_kept: false }).collect();
        let all = lines(&refused);
        assert_eq!(all.len(), 21);
        assert_eq!(all[19], texts::plugins::overview::file_rejected("broken-19.wasm", "it's empty", false));
        assert_eq!(all[20], texts::plugins::overview::more_files(3));
        assert_eq!(lines(&refused[..20]), all[..20]);
    }
}
