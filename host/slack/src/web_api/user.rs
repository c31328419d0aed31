//! People, as Slack describes them: <https://docs.slack.dev/reference/objects/user-object>.

use serde::Deserialize;

use crate::events::sender::Sender;

/// A person, as far as MARO asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct User {
    pub(crate) name: Option<String>,
    is_email_confirmed: bool,
    pub(crate) profile: Profile,
    /// `Europe/Berlin`
    tz: Option<String>,
    /// The person's workspace, which may be another than the bot's.
    team_id: Option<String>,
    /// Whether the person is of another workspace, and in no channel that the bot sees.
    is_stranger: bool,
    enterprise_user: Option<EnterpriseUser>,
}

/// Whose the person is in an organization of several workspaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct EnterpriseUser {
    enterprise_id: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) display_name: Option<String>,
    pub(crate) real_name: Option<String>,
    email: Option<String>,
}

impl User {
    /// The name of the person's time zone, of at most 64 letters, digits and what stands between them.
    pub fn time_zone(self) -> Option<String> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "/_+-".contains(letter);
        self.tz.filter(|zone| !zone.is_empty() && zone.len() <= 64 && zone.chars().all(is_name))
    }

    /// The workspace and the organization that the person belongs to. `None` if Slack only says that it's another
    /// than the bot's.
    pub fn sender(&self) -> Option<Sender> {
        if self.team_id.is_none() && self.is_stranger {
            return None;
        }
        let enterprise = self.enterprise_user.as_ref().and_then(|user| user.enterprise_id.clone());
        Some(Sender { team: self.team_id.clone(), user_team: self.team_id.clone(), enterprise })
    }

    /// The person's email address, if they have shown that it's theirs. Needs `users:read.email`.
    pub fn confirmed_email(self) -> Option<String> {
        self.profile.email.filter(|email| self.is_email_confirmed && email.contains('@'))
    }
}
