//! Showing what a link in somebody's message leads to.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Map, json};

use crate::{
    outgoing::message::Message,
    web_api::{SlackWebApi, calling::Method, error::ApiError},
};
use maro_domain::ids::ChannelId;

const UNFURL: Method = Method { name: "chat.unfurl", deadline: Duration::from_secs(10), repeatable: true };

impl SlackWebApi {
    /// Shows messages below the links that they're about, within 10 s. `links`: the addresses as Slack told them.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without `links:write`.
    pub async fn unfurl(
        &self,
        channel: &ChannelId,
        message_ts: &str,
        links: &[(String, Message)],
    ) -> Result<(), ApiError> {
        let shown = links.iter().filter(|(_, message)| message.has_blocks());
        let unfurls: Map<_, _> =
            shown.map(|(url, message)| (url.clone(), json!({ "blocks": message.blocks() }))).collect();
        let request = json!({ "channel": channel.as_str(), "ts": message_ts, "unfurls": unfurls });
        self.caller.post::<IgnoredAny>(UNFURL, &request).await.map(drop)
    }
}
