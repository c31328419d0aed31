//! Tells a channel or a person what has happened to a ticket.

use std::sync::Arc;

use maro_domain::{
    ids::{ChannelId, UserId},
    reply::{Block, Reply, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_slack::{
    outgoing::render::Renderer,
    web_api::{MessageTs, SlackWebApi, error::ApiError},
};

/// Posts messages that nobody waits for.
pub struct Announcer {
    pub slack: Arc<SlackWebApi>,
    pub renderer: Renderer,
}

impl Announcer {
    /// Posts what `user` has done to a channel, or to a thread in it. Returns what identifies the message.
    pub(crate) async fn announce(
        &self,
        channel: &ChannelId,
        user: &UserId,
        thread_ts: Option<&str>,
        blocks: Vec<Block>,
    ) -> Result<MessageTs, ApiError> {
        let reply = Reply { visibility: Visibility::Channel, blocks };
        let message = self.renderer.render(&reply, channel, user);
        self.slack.post_message(channel, thread_ts, &message).await.inspect_err(|error| {
            tracing::error!(
                channel = channel.as_str(),
                error = error_chain(error),
                "couldn't post in the channel"
            );
        })
    }

    /// Tells only this person, in their conversation with the bot.
    pub(crate) async fn tell_person(&self, user: &UserId, blocks: Vec<Block>) {
        let conversation = ChannelId::of_person(user);
        let reply = Reply { visibility: Visibility::Caller, blocks };
        let message = self.renderer.render(&reply, &conversation, user);
        if let Err(error) = self.slack.post_message(&conversation, None, &message).await {
            tracing::error!(user = user.as_str(), error = error_chain(&error), "couldn't message a person");
        }
    }
}
