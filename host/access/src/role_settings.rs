//! Who may do what, as operators write it under `[roles]`.

use serde::Deserialize;

use maro_domain::ids::UserId;

/// `[roles]` in `maro.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Roles {
    /// Putting issues on a channel's list, and taking them off it.
    pub track: Vec<Member>,
    /// Creating issues and stories, and linking issues.
    pub create: Vec<Member>,
    /// Notices in a channel.
    pub notify: Vec<Member>,
    /// Reloading plugins, and turning them on and off.
    pub plugins: Vec<Member>,
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            track: vec![Member::Everyone],
            create: vec![Member::Everyone],
            notify: vec![Member::Everyone],
            plugins: vec![Member::Admins],
        }
    }
}

/// One entry of a role's list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Member {
    Everyone,
    /// The people in `MARO_ADMINS`.
    Admins,
    User(UserId),
    /// The members of a user group in Slack, by its id (`S…`).
    UserGroup(String),
}

impl TryFrom<String> for Member {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match (text.as_str(), UserId::parse(&text)) {
            ("everyone", _) => Ok(Self::Everyone),
            ("admins", _) => Ok(Self::Admins),
            (_, Ok(user)) if text.starts_with(['U', 'W']) => Ok(Self::User(user)),
            (_, Ok(_)) if text.starts_with('S') => Ok(Self::UserGroup(text)),
            _ => Err(format!(
                "{text:?} must be \"everyone\", \"admins\", a user ID (U…) or a user group's ID (S…)"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        let roles: Roles = toml::from_str("track = [\"admins\", \"U1\", \"S1\"]").unwrap();
        let user = UserId::parse("U1").unwrap();
        let expected = [Member::Admins, Member::User(user), Member::UserGroup("S1".to_owned())];
        assert_eq!(roles.track, expected);
        assert_eq!(roles.create, [Member::Everyone]);
        assert_eq!(roles.plugins, [Member::Admins]);
        for bad in ["track = [\"ada\"]", "tracks = []", "track = \"everyone\""] {
            assert!(toml::from_str::<Roles>(bad).is_err(), "{bad}");
        }
    }
}
