//! Telling the channel what was created or linked.

use crate::{
    domain::reply::{Block, Reply, Span, Visibility},
    slack::web_api::ApiError,
    telemetry::error_chain,
    tickets::{Tickets, record::Origin},
    texts,
};

impl Tickets {
    /// Posts into the channel, or the thread, that something was asked for in. `Err` has a sentence for the
    /// person.
    pub(super) async fn announce(&self, origin: &Origin, blocks: Vec<Block>) -> Result<(), String> {
        let (Ok(channel), Ok(user)) = (origin.channel(), origin.user()) else {
            return Err(texts::ANNOUNCEMENT_FAILED.to_owned());
        };
        let reply = Reply { visibility: Visibility::Channel, blocks };
        let message = self.renderer.render(&reply, &channel, &user);
        match self.slack.post_message(&channel, origin.thread_ts.as_deref(), &message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(channel = channel.as_str(), error = error_chain(&error), "the channel was not told");
                Err(match error {
                    ApiError::NotInChannel | ApiError::ChannelNotFound => texts::NOT_IN_CHANNEL.to_owned(),
                    _ => texts::ANNOUNCEMENT_FAILED.to_owned(),
                })
            }
        }
    }
}

/// `Created SCRUM-5: Sign-up form`, with its link.
pub(super) fn ticket_line(verb: &str, key: Span, summary: &str) -> Vec<Span> {
    vec![Span::Text(format!("{verb} ")), key, Span::Text(format!(": {summary}"))]
}
