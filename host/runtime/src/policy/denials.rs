//! Why a capability may not be used, in words for the person and for the operator.

use maro_texts as texts;

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
            Self::NotGranted => texts::plugins::denied_calls::missing(grant),
            Self::OtherChannel => texts::plugins::denied_calls::not_in_channel(grant),
            Self::AdminsOnly => texts::plugins::denied_calls::admins_only(grant),
            Self::AdminsTyping { typed } => texts::plugins::denied_calls::admins_typing(typed),
            Self::OtherProject(project) => texts::plugins::denied_calls::not_for_project(grant, project),
            Self::OtherHost(host) => texts::plugins::denied_calls::not_for_host(host),
            Self::NoSecret(secret) => texts::plugins::denied_calls::no_secret(secret),
            Self::SecretForOtherHost { secret, host } => {
                texts::plugins::denied_calls::secret_not_for_host(secret, host)
            }
            Self::PrivateHost(host) => texts::plugins::denied_calls::not_for_private_host(host),
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
