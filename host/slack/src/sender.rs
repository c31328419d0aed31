//! Whom a request comes from, as Slack says.

use maro_domain::ids::{ChannelId, UserId};

use crate::{command::SlashCommand, response_url::ResponseUrl};

/// The workspaces and the organisation that a request names. Any of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// The workspace of the request.
    pub team: Option<String>,
    /// The workspace of the person, where Slack says that too: in a channel that two organisations share, it may
    /// be another.
    pub user_team: Option<String>,
    /// The organisation that the workspace of the request belongs to.
    pub enterprise: Option<String>,
}

impl Sender {
    /// The person's workspace.
    pub fn person_team(&self) -> Option<&str> {
        self.user_team.as_deref().or(self.team.as_deref())
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
