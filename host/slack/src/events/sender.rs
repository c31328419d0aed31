//! Whom a request comes from, as Slack says.

use serde::Deserialize;
use serde_json::Value;

use maro_domain::ids::{ChannelId, UserId};

use crate::{command::SlashCommand, outgoing::response_url::ResponseUrl};

/// The workspaces and the organization that a request names. Any of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// The workspace of the request.
    pub team: Option<String>,
    /// The workspace of the person, where Slack says that too: in a channel that two organizations share, it may
    /// be another.
    pub user_team: Option<String>,
    /// The organization that the workspace of the request belongs to.
    pub enterprise: Option<String>,
}

impl Sender {
    /// The person's workspace.
    pub fn person_team(&self) -> Option<&str> {
        self.user_team.as_deref().or(self.team.as_deref())
    }
}

/// What an event says about the workspace of the person who caused it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EventAuthor {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    user_team: Option<String>,
    source_team: Option<Value>,
    team: Option<Value>,
}

impl EventAuthor {
    /// The person's workspace, if it's said. What is written says it in other words than what else happens.
    pub fn team(self) -> Option<String> {
        let is_written = matches!(self.kind.as_str(), "message" | "app_mention" | "link_shared");
        let named = |team: Option<Value>| team.filter(|_| is_written)?.as_str().map(str::to_owned);
        self.user_team.or_else(|| named(self.source_team)).or_else(|| named(self.team))
    }
}

/// The person who sent a request, and where an answer reaches that person alone.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub user: &'a UserId,
    pub channel: Option<&'a ChannelId>,
    pub response_url: Option<&'a ResponseUrl>,
}

impl SlashCommand {
    pub fn sender(&self) -> Sender {
        Sender { team: self.team_id.clone(), user_team: None, enterprise: self.enterprise_id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_writer_is_known_by_any_of_three_fields() {
        let team = |event: Value| serde_json::from_value::<EventAuthor>(event).unwrap().team();
        for field in ["user_team", "source_team", "team"] {
            for kind in ["message", "app_mention", "link_shared"] {
                assert_eq!(
                    team(json!({ "type": kind, field: "T9" })).as_deref(),
                    Some("T9"),
                    "{kind} {field}"
                );
            }
        }
        assert_eq!(
            team(json!({ "type": "message", "user_team": "T9", "team": "T1" })).as_deref(),
            Some("T9")
        );
        assert_eq!(team(json!({ "type": "member_joined_channel", "team": "T1" })), None);
        assert_eq!(team(json!({ "type": "message", "team": { "id": "T1" } })), None);
    }
}
