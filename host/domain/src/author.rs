//! Who makes a change: what the audit log says of it.

use crate::{
    caller::Caller,
    ids::{ChannelId, Incident, TeamId, UserId},
    request_token::RequestToken,
};

/// A build of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginBuild {
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// In whose name a change is made, where, by what, and for which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub channel: ChannelId,
    pub user: UserId,
    /// The person's workspace, if it isn't the bot's own.
    pub foreign_team: Option<TeamId>,
    /// `None` if MARO itself makes it.
    pub plugin: Option<PluginBuild>,
    /// The id under which the person and the operator speak of it.
    pub incident: Option<Incident>,
    /// `None` if the change doesn't come with a request, or if that request has been taken care of.
    pub request: Option<RequestToken>,
}

impl Author {
    /// MARO itself, for a person and without a request.
    pub fn host(channel: &ChannelId, user: &UserId) -> Self {
        Self {
            channel: channel.clone(),
            user: user.clone(),
            foreign_team: None,
            plugin: None,
            incident: None,
            request: None,
        }
    }

    #[must_use]
    pub fn by_plugin(self, plugin: PluginBuild) -> Self {
        Self { plugin: Some(plugin), ..self }
    }
}

/// MARO itself, for somebody's command.
impl From<&Caller> for Author {
    fn from(caller: &Caller) -> Self {
        Self {
            foreign_team: caller.foreign_team.clone(),
            request: caller.request.clone(),
            ..Self::host(&caller.channel, &caller.user)
        }
    }
}
