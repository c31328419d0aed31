//! What the journal keeps of each flow, and what travels through Slack in a modal. Both outlive a process,
//! so fields are added with a default and never change their meaning.

use serde::{Deserialize, Serialize};

use maro_domain::{
    ids::{ChannelId, InvalidId, UserId},
    issue::{InvalidIssueKey, IssueKey},
};
use maro_store::intents::work::Ticket;

/// Where something was asked for, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) channel: String,
    pub(super) user: String,
    /// The thread to answer in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) thread_ts: Option<String>,
    /// The message that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) permalink: Option<String>,
    /// The workspace, for a link to the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<String>,
}

impl Origin {
    pub(super) fn channel(&self) -> Result<ChannelId, InvalidId> {
        ChannelId::parse(&self.channel)
    }

    /// A shortcut from anywhere comes from no channel; until one is chosen, the person stands for it.
    pub(super) fn is_nowhere(&self) -> bool {
        self.channel == self.user
    }

    pub(super) fn user(&self) -> Result<UserId, InvalidId> {
        UserId::parse(&self.user)
    }

    /// An address that leads to the conversation.
    pub(super) fn conversation_url(&self) -> String {
        match (&self.permalink, &self.team) {
            (Some(permalink), _) => permalink.clone(),
            (None, Some(team)) => format!("https://app.slack.com/client/{team}/{}", self.channel),
            (None, None) => format!("https://slack.com/app_redirect?channel={}", self.channel),
        }
    }
}

/// What a modal carries through Slack, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ModalState {
    pub(super) intent_id: String,
    pub(super) origin: Origin,
    /// The tickets that this modal offers for linking; no others can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) candidates: Vec<String>,
    /// The project chosen in a create modal: Slack does not say it when it asks for that project's types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
    /// The epic of a stories modal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) epic: Option<String>,
}

/// How far telling the channel has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Announcement {
    #[default]
    Due,
    /// Written before Slack is asked: after a crash the channel may have heard it, and it must not hear
    /// it twice.
    Sending,
    Done,
}

/// A ticket to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CreateRecord {
    pub(super) origin: Origin,
    pub(super) view_id: String,
    pub(super) project_key: String,
    pub(super) project_name: String,
    pub(super) issue_type_id: String,
    pub(super) issue_type_name: String,
    pub(super) summary: String,
    /// In Slack's markup.
    pub(super) description: String,
    #[serde(default)]
    pub(super) ticket: Option<Ticket>,
    #[serde(default)]
    pub(super) is_tracked: bool,
    #[serde(default)]
    pub(super) announcement: Announcement,
    /// How often Jira was asked to create it.
    #[serde(default)]
    pub(super) attempts: u32,
}

/// An existing ticket to be linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkRecord {
    pub(super) origin: Origin,
    pub(super) view_id: String,
    pub(super) key: String,
    /// What Jira said of it; `None` until it was asked.
    #[serde(default)]
    pub(super) issue: Option<LinkedIssue>,
    #[serde(default)]
    pub(super) is_tracked: bool,
    #[serde(default)]
    pub(super) announcement: Announcement,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkedIssue {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) summary: String,
    pub(super) status: String,
}

impl LinkedIssue {
    pub(super) fn key(&self) -> Result<IssueKey, InvalidIssueKey> {
        IssueKey::parse(&self.key)
    }
}

/// Stories to be created under an epic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoriesRecord {
    pub(super) origin: Origin,
    pub(super) view_id: String,
    pub(super) epic: String,
    pub(super) lines: Vec<StoryLine>,
    #[serde(default)]
    pub(super) announcement: Announcement,
    #[serde(default)]
    pub(super) attempts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoryLine {
    pub(super) title: String,
    #[serde(default)]
    pub(super) state: StoryState,
    #[serde(default)]
    pub(super) is_tracked: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoryState {
    #[default]
    Due,
    /// Jira is being asked; after a crash it may have done it.
    Asked,
    Created(Ticket),
    /// Jira's reason.
    Failed(String),
}
