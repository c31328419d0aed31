//! The rules that may be against showing an issue.

use crate::policy_settings::ProjectList;
use maro_jira::accounts::permissions::Permission;

/// Why an issue may not be shown, tracked or created in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The bot is limited to other projects.
    Projects,
    /// The channel is limited to these projects.
    ChannelProjects(ProjectList),
    /// People of other organizations are in the channel.
    Shared,
    /// As [`Rule::Shared`], and there the bot is limited to these projects.
    SharedProjects(ProjectList),
    /// Nobody knows whether people of other organizations are in the channel.
    Unknown,
    /// Jira shows it only to some people, and the bot shows no such issues.
    SecurityLevel,
    /// As [`Rule::SecurityLevel`], except in private channels.
    SecurityLevelOutsidePrivate,
    /// The person doesn't see it in Jira. Jira says no more than that it isn't there.
    NotVisible,
    /// The person lacks this permission in Jira.
    Lacks(Permission),
    /// The Slack app may not read email addresses.
    NoEmailScope,
    /// Slack has no confirmed email address of the person.
    NoEmail,
    /// Jira shows no account with that address.
    NoAccount,
    /// The bot's account in Jira lacks *Browse users and groups*.
    MayNotLookUpPeople,
    /// Slack or Jira couldn't be asked about the person.
    RightsUnknown,
}

impl Rule {
    /// Whether it's about where something is shown, whoever asks.
    pub fn is_about_channel(&self) -> bool {
        matches!(
            self,
            Self::Projects
                | Self::ChannelProjects(_)
                | Self::Shared
                | Self::SharedProjects(_)
                | Self::Unknown
        )
    }

    /// Whether it isn't about what may be shown, but says that nobody could be asked: another time, the answer may differ.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unknown | Self::MayNotLookUpPeople | Self::RightsUnknown)
    }
}
