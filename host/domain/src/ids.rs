//! Slack's ids, each a type of its own so that none can stand where another belongs.

use std::fmt;

/// The longest id that is taken from Slack, in characters. Slack's own are about eleven.
const MAX_LENGTH: usize = 64;

/// A text that cannot be a Slack id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Slack id: expected 1 to {MAX_LENGTH} of A-Z and 0-9")]
pub struct InvalidId;

macro_rules! slack_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes upper-case letters and digits, at most 64.
            ///
            /// # Errors
            /// Anything else is an [`InvalidId`]: an id is written into markup and must not carry any.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let well_formed = (1..=MAX_LENGTH).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

slack_id! {
    /// A conversation: a public or private channel (`C…`, `G…`) or a direct message (`D…`).
    ChannelId
}
slack_id! {
    /// A person (`U…`, `W…`).
    UserId
}
slack_id! {
    /// A workspace (`T…`), or an organization of several (`E…`).
    TeamId
}

impl ChannelId {
    /// Where a message reaches one person alone: Slack takes their id in the place of a channel's.
    pub fn of_person(user: &UserId) -> Self {
        Self(user.as_str().to_owned())
    }

    /// Whether this is a person's id in the place of a channel's.
    pub fn is_person(&self) -> bool {
        self.0.starts_with(['U', 'W'])
    }

    /// Whether this is a direct message, which has no name that Slack could show.
    pub fn is_direct_message(&self) -> bool {
        self.0.starts_with('D')
    }
}

/// The id under which a person and an operator speak of the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident(pub u32);

impl fmt::Display for Incident {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_no_markup() {
        assert!(ChannelId::parse("C024BE91L").is_ok());
        for bad in ["", "C1|general", "C1>", "c024be91l", "C 1", &"C".repeat(65)] {
            assert_eq!(ChannelId::parse(bad), Err(InvalidId), "{bad:?}");
        }
    }
}
