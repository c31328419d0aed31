//! Telling the channel what was created or linked.

use crate::{Tickets, record::Origin, texts};
use maro_domain::{
    ids::ChannelId,
    reply::{Block, Reply, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_slack::web_api::error::ApiError;

impl Tickets {
    /// Posts into the channel, or the thread, that something was asked for in. `Err` has a sentence for the
    /// person.
    pub(super) async fn announce(&self, origin: &Origin, blocks: Vec<Block>) -> Result<(), String> {
        let (Ok(channel), Ok(user)) = (origin.channel(), origin.user()) else {
            return Err(texts::forms::NOT_ANNOUNCED.to_owned());
        };
        let reply = Reply { visibility: Visibility::Channel, blocks };
        let message = self.renderer.render(&reply, &channel, &user);
        match self.slack.post_message(&channel, origin.thread_ts.as_deref(), &message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(
                    channel = channel.as_str(),
                    error = error_chain(&error),
                    "the channel was not told"
                );
                Err(match error {
                    ApiError::NotInChannel | ApiError::ChannelNotFound => {
                        texts::forms::NOT_IN_CHANNEL.to_owned()
                    }
                    _ => texts::forms::NOT_ANNOUNCED.to_owned(),
                })
            }
        }
    }

    /// Tells the person alone, in their conversation with the bot.
    pub(super) async fn tell_person(&self, origin: &Origin, blocks: Vec<Block>) {
        let (Ok(person), Ok(user)) = (ChannelId::parse(&origin.user), origin.user()) else { return };
        let message = self.renderer.render(&Reply { visibility: Visibility::Caller, blocks }, &person, &user);
        // Slack takes a person's id for their conversation with the bot.
        if let Err(error) = self.slack.post_message(&person, None, &message).await {
            tracing::error!(user = origin.user, error = error_chain(&error), "a person was not told");
        }
    }
}
