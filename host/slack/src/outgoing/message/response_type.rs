//! Who sees a message, as Slack is told.

use serde::ser::SerializeMap;

use maro_domain::reply::Visibility;

/// Writes it into a message.
pub(super) fn serialize<M: SerializeMap>(visibility: Visibility, message: &mut M) -> Result<(), M::Error> {
    match visibility {
        Visibility::Caller => message.serialize_entry("response_type", "ephemeral"),
        Visibility::Channel | Visibility::Update => {
            message.serialize_entry("response_type", "in_channel")?;
            // A preview of each issue would bury the answer.
            message.serialize_entry("unfurl_links", &false)
        }
    }
}
