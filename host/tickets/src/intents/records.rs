//! What is stored for each kind of intent, as JSON. It outlives the process, and processes of two versions
//! may share it, so new fields have a default and no field ever changes its meaning.

use serde::{Deserialize, Serialize};

use crate::filled_fields::FilledField;
use maro_domain::{
    command_name::CommandName,
    ids::{ChannelId, UserId},
    issue::{InvalidIssueKey, IssueKey},
};
use maro_store::intents::work::{Stop, Ticket};

/// Where something was asked for, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) channel: String,
    pub(crate) user: String,
    /// The thread to answer in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread_ts: Option<String>,
    /// A link to the message that it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permalink: Option<String>,
    /// The workspace, for a link to the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    /// What the command is called there, if not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command_name: Option<String>,
}

impl Origin {
    /// With the name of the command that is in use where it was asked for.
    pub(crate) fn called(self, name: &CommandName) -> Self {
        Self { command_name: (!name.is_usual()).then(|| name.as_str().to_owned()), ..self }
    }

    /// What the command is called there.
    pub(crate) fn command_name(&self) -> CommandName {
        self.command_name.as_deref().and_then(CommandName::parse).unwrap_or_default()
    }

    /// The channel and the person as typed ids.
    ///
    /// # Errors
    /// [`Stop::Unreadable`].
    pub(crate) fn place(&self) -> Result<IntentPlace, Stop> {
        match (ChannelId::parse(&self.channel), UserId::parse(&self.user)) {
            (Ok(channel), Ok(user)) => Ok(IntentPlace { channel, user }),
            _ => Err(Stop::Unreadable),
        }
    }

    /// The origin of a person who hasn't chosen a channel.
    pub(crate) fn nowhere(user: &UserId) -> Self {
        let user = user.as_str().to_owned();
        Self { channel: user.clone(), user, thread_ts: None, permalink: None, team: None, command_name: None }
    }

    /// Whether no channel is chosen yet. A shortcut from anywhere has none; until then the person takes its
    /// place.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.channel == self.user
    }

    /// The web address of the conversation.
    pub(crate) fn conversation_url(&self) -> String {
        match &self.permalink {
            Some(permalink) => permalink.clone(),
            None => conversation_url(self.team.as_deref(), &self.channel),
        }
    }
}

/// The web address of a channel.
pub(crate) fn conversation_url(team: Option<&str>, channel: &str) -> String {
    match team {
        Some(team) => format!("https://app.slack.com/client/{team}/{channel}"),
        None => format!("https://slack.com/app_redirect?channel={channel}"),
    }
}

/// Where an intent belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentPlace {
    pub(crate) channel: ChannelId,
    pub(crate) user: UserId,
}

/// How far the announcement to the channel has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Announcement {
    #[default]
    Due,
    /// Saved before Slack is asked. After a crash the channel may have got the message, and it must not get
    /// it twice.
    Sending,
    Done,
}

/// A ticket to create.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateRecord {
    pub(crate) origin: Origin,
    pub(crate) view_id: String,
    pub(crate) project_key: String,
    pub(crate) project_name: String,
    pub(crate) issue_type_id: String,
    pub(crate) issue_type_name: String,
    pub(crate) summary: String,
    /// In Slack's markup.
    pub(crate) description: String,
    /// The Jira account of the person, if it's known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reporter: Option<String>,
    #[serde(default)]
    pub(crate) ticket: Option<Ticket>,
    #[serde(default)]
    pub(crate) is_tracked: bool,
    #[serde(default)]
    pub(crate) announcement: Announcement,
    /// How many times Jira has been asked to create it.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// When Jira was last at work on it as far as is known, since a connection was open: in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked_at: Option<i64>,
    /// Whether Jira was asked again after it hadn't confirmed the ticket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_repeated: bool,
    /// What Jira has created beside `ticket`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) twins: Vec<Ticket>,
    /// Whether the person closed the form before anything was begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cancelled: bool,
    /// The other fields that the form asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FilledField>,
}

impl CreateRecord {
    /// Of a form that was closed, which creates nothing.
    pub(crate) fn cancelled(origin: Origin) -> Self {
        Self { origin, is_cancelled: true, ..Self::default() }
    }
}

/// An existing ticket to link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkRecord {
    pub(crate) origin: Origin,
    pub(crate) view_id: String,
    pub(crate) key: String,
    /// What Jira said about it; `None` until it is asked.
    #[serde(default)]
    pub(crate) issue: Option<LinkedIssue>,
    #[serde(default)]
    pub(crate) is_tracked: bool,
    #[serde(default)]
    pub(crate) announcement: Announcement,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkedIssue {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) summary: String,
    pub(crate) status: String,
    /// Whether Jira shows it only to some people. `None` if an older version didn't note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) has_security_level: Option<bool>,
}

impl LinkedIssue {
    pub(crate) fn key(&self) -> Result<IssueKey, InvalidIssueKey> {
        IssueKey::parse(&self.key)
    }
}

/// Stories to create under an epic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoriesRecord {
    pub(crate) origin: Origin,
    pub(crate) view_id: String,
    pub(crate) epic: String,
    pub(crate) lines: Vec<StoryLine>,
    #[serde(default)]
    pub(crate) announcement: Announcement,
    #[serde(default)]
    pub(crate) attempts: u32,
    /// When Jira was last at work on it as far as is known, since a connection was open: in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked_at: Option<i64>,
    /// Whether the screen for new stories has no field for the epic, so that they are put there afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) links_later: bool,
    /// The lines that were entered more than once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) repeated: Vec<String>,
    /// The fields that all of them get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FilledField>,
    /// Why Jira didn't put them there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_linked: Option<String>,
    /// The Jira account of the person, if it's known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reporter: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoryLine {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) state: StoryState,
    #[serde(default)]
    pub(crate) is_tracked: bool,
    /// What Jira has created beside the ticket of the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) twins: Vec<Ticket>,
    /// Whether it was put under the epic after it was created.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_linked: bool,
}

impl StoryLine {
    /// A line that Jira hasn't been asked for.
    pub(crate) fn due(title: String) -> Self {
        Self { title, state: StoryState::Due, is_tracked: false, twins: Vec::new(), is_linked: false }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoryState {
    #[default]
    Due,
    /// Jira is being asked. After a crash it may have done it.
    Asked,
    Created(Ticket),
    /// Jira's reason.
    Failed(String),
}

/// An issue that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PluginCreationRecord {
    pub(crate) plugin: String,
    /// The digest of the plugin's component.
    pub(crate) digest: String,
    pub(crate) project_key: String,
    pub(crate) summary: String,
    /// Jira's answer.
    #[serde(default)]
    pub(crate) ticket: Option<Ticket>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_tracked: bool,
    /// When Jira was asked, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked_at: Option<i64>,
}

/// Keeps a ticket that Jira has created beside `first` for the same wish, once.
pub(crate) fn add_twin(first: &Ticket, twins: &mut Vec<Ticket>, ticket: Ticket) {
    if ticket.id != first.id && twins.iter().all(|twin| twin.id != ticket.id) {
        twins.push(ticket);
    }
}

/// The keys of a ticket and its twins; `None` if there are no twins.
pub(crate) fn all_keys(first: &Ticket, twins: &[Ticket]) -> Option<Vec<IssueKey>> {
    let keys = || std::iter::once(first).chain(twins).filter_map(|ticket| ticket.key().ok());
    (!twins.is_empty()).then(|| keys().collect())
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// Reads what is stored, and checks that writing it gives the same text.
    fn assert_kept<Record: Debug + Serialize + for<'a> Deserialize<'a>>(stored: &str) -> Record {
        let record = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), stored);
        record
    }

    #[test]
    fn the_formats_stay_as_they_are() {
        let create: CreateRecord = assert_kept(concat!(
            r#"{"origin":{"channel":"C1","user":"U1","thread_ts":"1.2","permalink":"https://x.example","team":"T1"},"#,
            r#""view_id":"V1","project_key":"SCRUM","project_name":"Scrum (SCRUM)","issue_type_id":"1","#,
            r#""issue_type_name":"Task","summary":"One","description":"*Two*","ticket":{"id":"7","key":"SCRUM-7"},"#,
            r#""is_tracked":true,"announcement":"sending","attempts":2}"#,
        ));
        assert_eq!(create.announcement, Announcement::Sending);
        assert_kept::<LinkRecord>(concat!(
            r#"{"origin":{"channel":"C1","user":"U1"},"view_id":"V1","key":"SCRUM-7","#,
            r#""issue":{"id":"7","key":"SCRUM-7","summary":"One","status":"Open"},"#,
            r#""is_tracked":false,"announcement":"done"}"#,
        ));
        let stories: StoriesRecord = assert_kept(concat!(
            r#"{"origin":{"channel":"C1","user":"U1"},"view_id":"V1","epic":"SCRUM-1","lines":["#,
            r#"{"title":"One","state":"due","is_tracked":false},{"title":"Two","state":"asked","is_tracked":false},"#,
            r#"{"title":"Three","state":{"created":{"id":"7","key":"SCRUM-7"}},"is_tracked":true},"#,
            r#"{"title":"Four","state":{"failed":"No."},"is_tracked":false}],"announcement":"due","attempts":1}"#,
        ));
        assert_eq!(stories.lines[1].state, StoryState::Asked);
        assert_kept::<PluginCreationRecord>(concat!(
            r#"{"plugin":"track","digest":"ab","project_key":"SCRUM","summary":"One","#,
            r#""ticket":{"id":"7","key":"SCRUM-7"}}"#,
        ));
    }

    #[test]
    fn what_an_older_version_left_out_has_a_default() {
        let record: CreateRecord = serde_json::from_str(
            r#"{"origin":{"channel":"C1","user":"U1"},"view_id":"V1","project_key":"SCRUM","project_name":"Scrum",
                "issue_type_id":"1","issue_type_name":"Task","summary":"One","description":""}"#,
        )
        .unwrap();
        assert_eq!((record.ticket, record.is_tracked, record.attempts), (None, false, 0));
        assert_eq!(record.announcement, Announcement::Due);
        let line: StoryLine = serde_json::from_str(r#"{"title":"One"}"#).unwrap();
        assert_eq!(line, StoryLine::due("One".to_owned()));
        assert_eq!((record.asked_at, record.twins), (None, Vec::new()));
    }
}
