//! A channel as operators name it, in settings and in the scopes of plugins: by its id, never by its name.

use serde::Deserialize;

use maro_domain::ids::ChannelId;

/// The id of a channel, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct NamedChannel(pub ChannelId);

impl NamedChannel {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for NamedChannel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match ChannelId::parse(&text) {
            Ok(channel) if text.starts_with(['C', 'D', 'G']) => Ok(Self(channel)),
            _ => Err(format!(
                "{text:?} isn't a channel ID: copy the ID from the channel's details in Slack (\"C024BE91L\")"
            )),
        }
    }
}
