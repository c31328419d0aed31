//! Which capabilities an operator gives a plugin, and how far each reaches.

use std::fmt;

use serde::Deserialize;

use maro_domain::{ids::ChannelId, issue::IssueKey};
use maro_tickets::texts;

/// A capability that must be granted by name in `NAME.toml`. `log` needs no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    Jira,
    Tracker,
    TrackerEdit,
    JiraEdit,
    Storage,
    Settings,
    Clock,
    Http,
    Caller,
}

impl Grant {
    pub const ALL: [Self; 9] = [
        Self::Jira,
        Self::Tracker,
        Self::TrackerEdit,
        Self::JiraEdit,
        Self::Storage,
        Self::Settings,
        Self::Clock,
        Self::Http,
        Self::Caller,
    ];

    /// The name of the grant: that of its WIT interface in the package `maro:plugin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jira => "jira",
            Self::Tracker => "tracker",
            Self::TrackerEdit => "tracker-edit",
            Self::JiraEdit => "jira-edit",
            Self::Storage => "storage",
            Self::Settings => "settings",
            Self::Clock => "clock",
            Self::Http => "http",
            Self::Caller => "caller",
        }
    }

    /// Whether nothing can be changed with it.
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Jira | Self::Tracker | Self::Settings | Self::Clock)
    }

    pub fn from_interface(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a granted capability may not be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It isn't granted, or not outside a command.
    NotGranted,
    /// Not in the channel of this command.
    OtherChannel,
    /// Not for the person who typed it.
    AdminsOnly,
    /// Only for a command that an administrator types, and not for this one behind a button.
    AdminsTyping { typed: String },
    /// Not for issues of this project.
    OtherProject(String),
    /// Not to this host, given as `host` or `host:port`.
    OtherHost(String),
    /// Not to this host, since it leads to this machine or a private network.
    PrivateHost(String),
    /// There is no secret of this name.
    NoSecret(String),
    /// Not this secret to this host.
    SecretForOtherHost { secret: String, host: String },
}

impl Denial {
    /// What the person is told. `grant` is where it's denied: `storage`, `storage.writing`.
    pub fn sentence(&self, grant: &str) -> String {
        match self {
            Self::NotGranted => texts::plugins::permissions::missing(grant),
            Self::OtherChannel => texts::plugins::permissions::not_in_channel(grant),
            Self::AdminsOnly => texts::plugins::permissions::admins_only(grant),
            Self::AdminsTyping { typed } => texts::plugins::permissions::admins_typing(typed),
            Self::OtherProject(project) => texts::plugins::permissions::not_for_project(grant, project),
            Self::OtherHost(host) => texts::plugins::permissions::not_for_host(host),
            Self::NoSecret(secret) => texts::plugins::permissions::no_secret(secret),
            Self::SecretForOtherHost { secret, host } => {
                texts::plugins::permissions::secret_not_for_host(secret, host)
            }
            Self::PrivateHost(host) => texts::plugins::permissions::not_for_private_host(host),
        }
    }

    /// What an operator who wants it allowed has to change in the plugin's `file`.
    pub fn cure(&self, grant: &str, file: &str) -> String {
        match self {
            Self::NotGranted => format!("to allow it, add \"{grant}\" to `grants` in {file}"),
            Self::OtherChannel => format!(
                "to allow it, change `{grant}.only-in-channels` or `{grant}.not-in-channels` under [scope] in {file}"
            ),
            Self::AdminsOnly => format!(
                "to allow it, add the person to MARO_ADMINS or remove `{grant}.admins-only` under [scope] in {file}"
            ),
            Self::AdminsTyping { .. } => format!(
                "an admin has to type it; to allow it with buttons, remove `{grant}.admins-only` under [scope] in {file}"
            ),
            Self::OtherProject(project) => {
                format!("to allow it, add \"{project}\" to `{grant}.projects` under [scope] in {file}")
            }
            Self::OtherHost(host) => {
                format!("to allow it, add \"{host}\" to `hosts` under [http] in {file}")
            }
            Self::NoSecret(secret) => format!("to allow it, add `{secret}` to [secrets] in {file}"),
            Self::SecretForOtherHost { secret, host } => {
                format!("to allow it, add \"{host}\" to the `hosts` of `{secret}` under [secrets] in {file}")
            }
            Self::PrivateHost(host) => {
                format!("to allow it, add \"{host}\" to `private-hosts` under [http] in {file}")
            }
        }
    }
}

/// A Jira project key: the part before the number of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProjectKey(String);

impl ProjectKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProjectKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if IssueKey::parse(&format!("{text}-1")).is_ok() {
            return Ok(Self(text));
        }
        Err(texts::plugins::manifests::not_a_project_key(&text))
    }
}

/// A channel in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NamedChannel(ChannelId);

impl NamedChannel {
    pub fn id(&self) -> &ChannelId {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for NamedChannel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match ChannelId::parse(&text) {
            Ok(channel) if text.starts_with(['C', 'D', 'G']) => Ok(Self(channel)),
            _ => Err(texts::plugins::manifests::not_a_channel_id(&text)),
        }
    }
}
