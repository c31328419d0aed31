//! The access policy: what operators let people see and track, as they write it under `[access]`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::named_channel::NamedChannel;
use maro_domain::issue::IssueKey;

/// `[access]` in `maro.toml`. The default restricts only channels that other organizations share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessPolicy {
    /// The projects of the whole bot; `None` is all that its Jira account can see.
    pub projects: Option<ProjectList>,
    /// Channels that people of other organizations are in.
    pub shared_channels: SharedChannels,
    pub security_levels: SecurityLevels,
    /// `[access.channel.C0123]`, by channel.
    pub channel: BTreeMap<NamedChannel, ChannelPolicy>,
}

/// What applies in one channel, beside what applies everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelPolicy {
    pub projects: Option<ProjectList>,
}

/// What may be shown in channels that people of other organizations are in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenSharedChannels")]
pub enum SharedChannels {
    #[default]
    Deny,
    Projects(ProjectList),
}

/// What may be shown of issues with a security level in Jira.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityLevels {
    /// As of any other issue.
    #[default]
    Allow,
    /// Only in private channels, where every reader is a member.
    Private,
    Deny,
}

/// Keys of Jira projects, such as `SCRUM`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct ProjectList(BTreeSet<String>);

impl ProjectList {
    pub fn contains(&self, project_key: &str) -> bool {
        self.0.contains(project_key)
    }

    /// The keys, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The projects on both lists.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "shared-channels must be \"deny\" or a list of projects")]
enum WrittenSharedChannels {
    Word(String),
    Projects(Vec<String>),
}

impl TryFrom<WrittenSharedChannels> for SharedChannels {
    type Error = String;

    fn try_from(written: WrittenSharedChannels) -> Result<Self, String> {
        match written {
            WrittenSharedChannels::Word(word) if word == "deny" => Ok(Self::Deny),
            WrittenSharedChannels::Word(word) => {
                Err(format!("shared-channels must be \"deny\" or a list of projects, not {word:?}"))
            }
            WrittenSharedChannels::Projects(keys) => Ok(Self::Projects(ProjectList::try_from(keys)?)),
        }
    }
}

impl TryFrom<Vec<String>> for ProjectList {
    type Error = String;

    fn try_from(keys: Vec<String>) -> Result<Self, String> {
        match keys.iter().find(|key| IssueKey::parse(&format!("{key}-1")).is_err()) {
            Some(other) => Err(format!("{other:?} isn't a project key: write it as Jira does, in capitals")),
            None => Ok(Self(keys.into_iter().collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects(keys: &[&str]) -> ProjectList {
        ProjectList(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        let policy: AccessPolicy = toml::from_str(
            r#"
            projects = ["SCRUM", "OPS"]
            shared-channels = ["OPS"]
            security-levels = "private"
            [channel.C0123]
            projects = ["OPS"]
            "#,
        )
        .unwrap();
        assert_eq!(policy.projects, Some(projects(&["SCRUM", "OPS"])));
        assert_eq!(policy.shared_channels, SharedChannels::Projects(projects(&["OPS"])));
        assert_eq!(policy.security_levels, SecurityLevels::Private);
        assert_eq!(policy.channel.values().next().unwrap().projects, Some(projects(&["OPS"])));
        let empty: AccessPolicy = toml::from_str("").unwrap();
        assert_eq!(empty, AccessPolicy::default());
        assert_eq!(empty.shared_channels, SharedChannels::Deny);
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, expected) in [
            ("project = []", "unknown field `project`"),
            ("projects = [\"scrum\"]", "\"scrum\" isn't a project key"),
            ("shared-channels = \"allow\"", "shared-channels must be \"deny\" or a list of projects"),
            ("shared-channels = 5", "shared-channels must be \"deny\" or a list of projects"),
            ("security-levels = \"public\"", "unknown variant `public`"),
            ("[channel.general]\nprojects = []", "\"general\" isn't a channel ID"),
            ("[channel.C1]\nsecurity-levels = \"deny\"", "unknown field `security-levels`"),
        ] {
            let problem = toml::from_str::<AccessPolicy>(text).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem:?} does not contain {expected:?}");
        }
    }
}
