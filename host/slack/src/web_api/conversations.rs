//! What Slack says of channels, and who is in them.

use std::time::Duration;

use serde::Deserialize;

use crate::web_api::{Conversation, SlackWebApi, calling::Method, error::ApiError};
use maro_domain::ids::{ChannelId, UserId};

/// Somebody waits for it.
const CONVERSATION_INFO: Method =
    Method { name: "conversations.info", deadline: Duration::from_secs(3), repeatable: true };
/// Somebody waits for it.
const LIST: Method =
    Method { name: "users.conversations", deadline: Duration::from_secs(3), repeatable: true };

/// The most channels of a page, and the most pages that are read.
const PAGE_SIZE: &str = "999";
const MAX_PAGES: usize = 8;

#[derive(Deserialize)]
struct ConversationAnswer {
    channel: Conversation,
}

#[derive(Deserialize)]
struct ListAnswer {
    channels: Vec<Listed>,
    #[serde(default)]
    response_metadata: Metadata,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    next_cursor: String,
}

impl SlackWebApi {
    /// What Slack says of a channel, within 3 s.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without `channels:read` or `groups:read`.
    pub async fn get_conversation(&self, channel: &ChannelId) -> Result<Conversation, ApiError> {
        let params = vec![("channel", Some(channel.as_str()))];
        let answer: ConversationAnswer = self.caller.get(CONVERSATION_INFO, &params).await?;
        Ok(answer.channel)
    }

    /// The channels that a person is in, as far as the app may see them: at most 7,992. `types` are Slack's:
    /// `public_channel,private_channel`. Each page takes up to 3 s.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without the scope of one of these types.
    pub async fn get_conversations_of(&self, user: &UserId, types: &str) -> Result<Vec<ChannelId>, ApiError> {
        let mut channels = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let params = vec![
                ("user", Some(user.as_str())),
                ("types", Some(types)),
                ("limit", Some(PAGE_SIZE)),
                ("cursor", Some(cursor.as_str()).filter(|cursor| !cursor.is_empty())),
            ];
            let answer: ListAnswer = self.caller.get(LIST, &params).await?;
            channels.extend(answer.channels.iter().filter_map(|listed| ChannelId::parse(&listed.id).ok()));
            cursor = answer.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(channels)
    }
}
