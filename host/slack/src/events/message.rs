//! A message as events bring it, before it's known whom it's for.

use serde::{Deserialize, de::IgnoredAny};

/// Other people's apps, edits and notes of Slack's own have fields that make them none of ours.
#[derive(Deserialize)]
pub(super) struct MessageEvent {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) channel_type: Option<String>,
    subtype: Option<String>,
    bot_id: Option<String>,
    pub(super) app_id: Option<String>,
    #[serde(default)]
    hidden: bool,
    edited: Option<IgnoredAny>,
    pub(super) user: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) text: Option<String>,
    pub(super) ts: Option<String>,
    pub(super) thread_ts: Option<String>,
}

impl MessageEvent {
    /// Whether it stands in a conversation of two.
    pub(super) fn is_edited(&self) -> bool {
        self.edited.is_some()
    }

    pub(super) fn is_direct(&self) -> bool {
        self.channel_type.as_deref() == Some("im")
    }

    /// Whether a person wrote it, and just now. Of the subtypes only these are ways to do so.
    pub(super) fn is_written(&self, subtypes: &[&str]) -> bool {
        let is_known = self.subtype.as_deref().is_none_or(|kind| subtypes.contains(&kind));
        self.bot_id.is_none() && !self.hidden && is_known
    }
}
