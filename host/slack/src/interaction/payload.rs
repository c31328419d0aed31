//! Slack's interaction payloads, field by field. Any field may be missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::{
    events::sender::Sender,
    interaction::{
        error::InteractionError,
        view_state::{InputValue, InputValues, ViewState},
    },
    view::input::Choice,
    words::message_words::MessageParts,
};
use maro_domain::ids::{ChannelId, UserId};

/// The longest link that is read.
const MAX_URL_LENGTH: usize = 2_000;

/// The kinds that MARO reads.
pub(super) const KINDS: [&str; 6] =
    ["view_submission", "view_closed", "block_actions", "block_suggestion", "shortcut", "message_action"];

#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// The fields that MARO reads, of all kinds.
#[derive(Deserialize)]
pub(super) struct Payload {
    user: Option<User>,
    team: Option<Team>,
    enterprise: Option<Entity>,
    channel: Option<Entity>,
    container: Option<Container>,
    message_ts: Option<String>,
    pub(super) message: Option<Message>,
    pub(super) view: Option<View>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) actions: Vec<Action>,
    pub(super) trigger_id: Option<String>,
    pub(super) response_url: Option<String>,
    pub(super) callback_id: Option<String>,
    pub(super) action_id: Option<String>,
    pub(super) block_id: Option<String>,
    pub(super) value: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) is_cleared: bool,
}

#[derive(Deserialize)]
struct User {
    id: String,
    /// The name that is called `user_name` in a slash command.
    username: Option<String>,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct Team {
    id: Option<String>,
    enterprise_id: Option<String>,
}

#[derive(Deserialize)]
struct Entity {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    message_ts: Option<String>,
    channel_id: Option<String>,
    thread_ts: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    is_ephemeral: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    is_app_unfurl: bool,
    app_unfurl_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    ts: Option<String>,
    thread_ts: Option<String>,
    #[serde(flatten)]
    pub(super) parts: MessageParts,
}

#[derive(Deserialize)]
pub(super) struct Action {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) action_id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) block_id: String,
    pub(super) value: Option<String>,
    pub(super) text: Option<OptionText>,
    pub(super) selected_option: Option<SelectedOption>,
}

#[derive(Deserialize)]
pub(super) struct SelectedOption {
    pub(super) value: String,
    text: Option<OptionText>,
}

#[derive(Deserialize)]
pub(super) struct OptionText {
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct View {
    id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    hash: String,
    #[serde(default, deserialize_with = "null_as_default")]
    callback_id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    private_metadata: String,
    state: Option<State>,
    /// Only the labels of inputs are read.
    #[serde(default, deserialize_with = "null_as_default")]
    blocks: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default, deserialize_with = "null_as_default")]
    values: BTreeMap<String, Option<BTreeMap<String, Option<ElementState>>>>,
}

/// The state of one element. Kinds that MARO doesn't use have none of these fields.
#[derive(Deserialize)]
struct ElementState {
    value: Option<serde_json::Value>,
    selected_option: Option<SelectedOption>,
    selected_options: Option<Vec<SelectedOption>>,
    selected_conversation: Option<String>,
    selected_date: Option<String>,
    /// Seconds since the epoch.
    selected_date_time: Option<i64>,
}

impl Payload {
    pub(super) fn user_name(&self) -> Option<String> {
        self.user.as_ref()?.username.clone().filter(|name| !name.is_empty())
    }

    pub(super) fn user(&self) -> Result<UserId, InteractionError> {
        let user = self.user.as_ref().ok_or(InteractionError::Missing { field: "user" })?;
        UserId::parse(&user.id).map_err(|_| InteractionError::Malformed { field: "user" })
    }

    /// If the app is installed for a whole organization, the payload has no team, but people have one.
    pub(super) fn team(&self) -> Option<String> {
        let of_user = || self.user.as_ref().and_then(|user| user.team_id.clone());
        self.team_id().or_else(of_user)
    }

    fn team_id(&self) -> Option<String> {
        self.team.as_ref()?.id.clone()
    }

    pub(super) fn sender(&self) -> Sender {
        let enterprise = self.enterprise.as_ref().and_then(|enterprise| enterprise.id.clone());
        let of_team = || self.team.as_ref()?.enterprise_id.clone();
        Sender {
            team: self.team_id(),
            user_team: self.user.as_ref().and_then(|user| user.team_id.clone()),
            enterprise: enterprise.or_else(of_team),
        }
    }

    pub(super) fn channel(&self) -> Result<Option<ChannelId>, InteractionError> {
        let of_container = || self.container.as_ref().and_then(|container| container.channel_id.as_deref());
        let channel = self.channel.as_ref().and_then(|channel| channel.id.as_deref()).or_else(of_container);
        channel
            .map(|id| ChannelId::parse(id).map_err(|_| InteractionError::Malformed { field: "channel" }))
            .transpose()
    }

    /// Whether only this person sees the message.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.container.as_ref().is_some_and(|container| container.is_ephemeral)
    }

    /// The link that the app shows more of, if the button stands there.
    pub(super) fn unfurled_url(&self) -> Option<String> {
        let container = self.container.as_ref().filter(|container| container.is_app_unfurl)?;
        container.app_unfurl_url.clone().filter(|url| url.len() <= MAX_URL_LENGTH)
    }

    /// The timestamps that identify the message and its thread.
    pub(super) fn message_and_thread(&self) -> (Option<String>, Option<String>) {
        let (message, container) = (self.message.as_ref(), self.container.as_ref());
        let message_ts = message
            .and_then(|message| message.ts.clone())
            .or_else(|| self.message_ts.clone())
            .or_else(|| container.and_then(|container| container.message_ts.clone()));
        let thread_ts = message
            .and_then(|message| message.thread_ts.clone())
            .or_else(|| container.and_then(|container| container.thread_ts.clone()));
        (message_ts, thread_ts)
    }
}

impl View {
    pub(super) fn into_state(self) -> ViewState {
        let blocks = self.state.into_iter().flat_map(|state| state.values.into_values()).flatten();
        let values =
            blocks.flatten().filter_map(|(action_id, state)| Some((action_id, state?.into_value()?)));
        let label = |block: &serde_json::Value| {
            let (id, label) = (block["block_id"].as_str()?, block["label"]["text"].as_str()?);
            Some((id.to_owned(), label.to_owned()))
        };
        let labels = self.blocks.iter().filter_map(label).collect();
        ViewState {
            id: self.id,
            hash: self.hash,
            callback_id: self.callback_id,
            private_metadata: self.private_metadata,
            values: InputValues::new(values.collect(), labels),
        }
    }
}

impl SelectedOption {
    fn into_choice(self) -> Choice {
        Choice { value: self.value, label: self.text.map(|text| text.text).unwrap_or_default() }
    }
}

impl ElementState {
    fn into_value(self) -> Option<InputValue> {
        if let Some(id) = self.selected_conversation {
            return Some(InputValue::Selected(Choice { label: id.clone(), value: id }));
        }
        if let Some(date) = self.selected_date {
            return Some(InputValue::Text(date));
        }
        if let Some(seconds) = self.selected_date_time {
            return Some(InputValue::Text(seconds.to_string()));
        }
        if let Some(options) = self.selected_options {
            return Some(InputValue::Several(options.into_iter().map(SelectedOption::into_choice).collect()));
        }
        match (self.selected_option, self.value) {
            (Some(option), _) => Some(InputValue::Selected(option.into_choice())),
            (None, Some(serde_json::Value::String(text))) => Some(InputValue::Text(text)),
            _ => None,
        }
    }
}

fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
