//! What people do in modals, with buttons and with shortcuts.
//!
//! The same JSON comes as the form field `payload` over HTTP and as an envelope's payload over Socket
//! Mode. Slack's fields: <https://docs.slack.dev/reference/interaction-payloads>. MARO reads only
//! what it uses, so new fields and kinds do no harm.

pub mod answer;
pub mod error;
mod payload;
pub mod view_state;

use crate::{
    events::sender::{Asker, Sender},
    interaction::{error::InteractionError, payload::Payload, view_state::ViewState},
    outgoing::response_url::{ResponseUrl, ResponseUrlPolicy},
    urlencoded,
    words::message_words::MessageWords,
};
use maro_domain::ids::{ChannelId, UserId};

/// The longest payload, in bytes. A message shortcut carries the whole message.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Something that somebody did, and where that person is from.
#[derive(Debug)]
pub struct Received {
    pub sender: Sender,
    pub interaction: Interaction,
}

/// Something that somebody did.
#[derive(Debug)]
pub enum Interaction {
    /// A modal was submitted; Slack waits for [`answer::SubmissionResponse`].
    ViewSubmitted(Box<ViewSubmitted>),
    /// A modal was closed without being submitted. Slack reports this for modals that ask for it.
    ViewClosed(Box<ViewClosed>),
    ButtonPressed(Box<BlockAction>),
    /// Something was chosen in a select that reports changes; `value` is the option's.
    OptionChosen(Box<BlockAction>),
    /// A select needs its options; Slack waits for [`answer::options_json`].
    OptionsWanted(Box<OptionsWanted>),
    /// A shortcut from anywhere in Slack.
    Shortcut(Shortcut),
    /// A shortcut on a message.
    MessageShortcut(Box<MessageShortcut>),
    /// Something that MARO doesn't know. It must be acknowledged, and nothing else.
    Unknown {
        /// Slack's name for it, cut at 40 characters.
        kind: String,
    },
}

impl Interaction {
    /// Who did it. `None` for what MARO doesn't know.
    pub fn asker(&self) -> Option<Asker<'_>> {
        let nowhere = |user| Asker { user, channel: None, response_url: None };
        Some(match self {
            Self::ViewSubmitted(submitted) => nowhere(&submitted.user),
            Self::ViewClosed(closed) => nowhere(&closed.user),
            Self::OptionsWanted(wanted) => nowhere(&wanted.user),
            Self::Shortcut(shortcut) => nowhere(&shortcut.user),
            Self::ButtonPressed(action) | Self::OptionChosen(action) => Asker {
                user: &action.user,
                channel: action.channel.as_ref(),
                response_url: action.response_url.as_ref(),
            },
            Self::MessageShortcut(shortcut) => Asker {
                user: &shortcut.user,
                channel: Some(&shortcut.channel),
                response_url: shortcut.response_url.as_ref(),
            },
            Self::Unknown { .. } => return None,
        })
    }
}

#[derive(Debug, Clone)]
pub struct ViewSubmitted {
    pub user: UserId,
    pub team: Option<String>,
    /// Opens one more modal within three seconds.
    pub trigger_id: Option<String>,
    pub view: ViewState,
}

#[derive(Debug, Clone)]
pub struct ViewClosed {
    pub user: UserId,
    pub team: Option<String>,
    pub view: ViewState,
    /// Whether the whole stack of modals was closed.
    pub is_cleared: bool,
}

#[derive(Debug)]
pub struct BlockAction {
    pub user: UserId,
    /// What Slack calls the person. It can change, so it doesn't identify them.
    pub user_name: Option<String>,
    pub team: Option<String>,
    /// Opens one modal within three seconds.
    pub trigger_id: Option<String>,
    pub action_id: String,
    pub block_id: String,
    /// Empty if the element has no value.
    pub value: String,
    /// What the button says. Empty for other elements.
    pub label: String,
    /// The modal it is in, with the values of its inputs.
    pub view: Option<ViewState>,
    /// The channel of the message that it belongs to.
    pub channel: Option<ChannelId>,
    pub message_ts: Option<String>,
    /// Whether only this person sees that message.
    pub is_ephemeral: bool,
    /// The link that the button stands below, if it belongs to what the app shows of one in somebody's message.
    pub unfurled_url: Option<String>,
    /// The thread that message is in, if it is a reply.
    pub thread_ts: Option<String>,
    pub response_url: Option<ResponseUrl>,
}

#[derive(Debug, Clone)]
pub struct OptionsWanted {
    pub user: UserId,
    pub team: Option<String>,
    pub action_id: String,
    pub block_id: String,
    /// What has been typed so far; empty when the list is opened.
    pub typed: String,
    /// The modal with the values of its inputs. `None` for a select in a message.
    pub view: Option<ViewState>,
}

#[derive(Debug, Clone)]
pub struct Shortcut {
    pub callback_id: String,
    pub user: UserId,
    pub team: Option<String>,
    pub trigger_id: String,
}

#[derive(Debug)]
pub struct MessageShortcut {
    pub callback_id: String,
    pub user: UserId,
    pub team: Option<String>,
    pub channel: ChannelId,
    pub trigger_id: String,
    pub message_ts: String,
    /// The thread that the message is in or started.
    pub thread_ts: Option<String>,
    pub words: MessageWords,
    pub response_url: Option<ResponseUrl>,
}

/// Reads a body posted to the interactions address: a form with the JSON in `payload`.
///
/// # Errors
/// [`InteractionError`]. An unknown kind isn't an error.
pub fn parse_form(body: &[u8], policy: &ResponseUrlPolicy) -> Result<Received, InteractionError> {
    let mut payload = None;
    for (name, value) in urlencoded::raw_fields(body) {
        let name = urlencoded::decode(name).map_err(|_| InteractionError::NotUtf8)?;
        let value = urlencoded::decode(value).map_err(|_| InteractionError::NotUtf8)?;
        if name == "payload" && payload.replace(value).is_some() {
            return Err(InteractionError::Repeated);
        }
    }
    let payload = payload.ok_or(InteractionError::Missing { field: "payload" })?;
    parse_json(&payload, policy)
}

/// Reads the JSON itself, which is what Socket Mode sends.
///
/// # Errors
/// As [`parse_form`].
pub fn parse_json(json: &str, policy: &ResponseUrlPolicy) -> Result<Received, InteractionError> {
    if json.len() > MAX_PAYLOAD_BYTES {
        return Err(InteractionError::TooLong { max_bytes: MAX_PAYLOAD_BYTES });
    }
    let kind: payload::Kind = serde_json::from_str(json).map_err(|_| InteractionError::NotJson)?;
    if !payload::KINDS.contains(&kind.kind.as_str()) {
        return Ok(Received { sender: Sender::default(), interaction: unknown(&kind.kind) });
    }
    let payload: Payload = serde_json::from_str(json).map_err(|_| InteractionError::NotJson)?;
    let sender = payload.sender();
    let interaction = match kind.kind.as_str() {
        "view_submission" => view_submitted(payload),
        "view_closed" => view_closed(payload),
        "block_actions" => block_action(payload, policy),
        "block_suggestion" => options_wanted(payload),
        "shortcut" => shortcut(payload),
        _ => message_shortcut(payload, policy),
    }?;
    Ok(Received { sender, interaction })
}

fn unknown(kind: &str) -> Interaction {
    Interaction::Unknown { kind: kind.chars().take(40).collect() }
}

fn view_submitted(payload: Payload) -> Result<Interaction, InteractionError> {
    Ok(Interaction::ViewSubmitted(Box::new(ViewSubmitted {
        user: payload.user()?,
        team: payload.team(),
        view: payload.view.ok_or(InteractionError::Missing { field: "view" })?.into_state(),
        trigger_id: payload.trigger_id,
    })))
}

fn view_closed(payload: Payload) -> Result<Interaction, InteractionError> {
    Ok(Interaction::ViewClosed(Box::new(ViewClosed {
        user: payload.user()?,
        team: payload.team(),
        is_cleared: payload.is_cleared,
        view: payload.view.ok_or(InteractionError::Missing { field: "view" })?.into_state(),
    })))
}

fn block_action(mut payload: Payload, policy: &ResponseUrlPolicy) -> Result<Interaction, InteractionError> {
    // Slack sends one action at a time, although in a list.
    let Some(action) = payload.actions.drain(..).next() else {
        return Err(InteractionError::Missing { field: "actions" });
    };
    let channel = payload.channel()?;
    let (message_ts, thread_ts) = payload.message_and_thread();
    let block_action = Box::new(BlockAction {
        user: payload.user()?,
        user_name: payload.user_name(),
        team: payload.team(),
        action_id: action.action_id,
        block_id: action.block_id,
        label: action.text.map(|text| text.text).unwrap_or_default(),
        value: action.selected_option.map(|option| option.value).or(action.value).unwrap_or_default(),
        channel,
        message_ts,
        is_ephemeral: payload.is_ephemeral(),
        unfurled_url: payload.unfurled_url(),
        thread_ts,
        response_url: payload.response_url.and_then(|url| policy.admit(&url)),
        view: payload.view.map(payload::View::into_state),
        trigger_id: payload.trigger_id,
    });
    Ok(match action.kind.as_str() {
        "button" => Interaction::ButtonPressed(block_action),
        "static_select" | "external_select" => Interaction::OptionChosen(block_action),
        other => unknown(other),
    })
}

fn options_wanted(payload: Payload) -> Result<Interaction, InteractionError> {
    let user = payload.user()?;
    let team = payload.team();
    Ok(Interaction::OptionsWanted(Box::new(OptionsWanted {
        user,
        team,
        action_id: payload.action_id.ok_or(InteractionError::Missing { field: "action_id" })?,
        block_id: payload.block_id.unwrap_or_default(),
        typed: payload.value.unwrap_or_default(),
        view: payload.view.map(payload::View::into_state),
    })))
}

fn shortcut(payload: Payload) -> Result<Interaction, InteractionError> {
    Ok(Interaction::Shortcut(Shortcut {
        user: payload.user()?,
        team: payload.team(),
        callback_id: payload.callback_id.ok_or(InteractionError::Missing { field: "callback_id" })?,
        trigger_id: payload.trigger_id.ok_or(InteractionError::Missing { field: "trigger_id" })?,
    }))
}

fn message_shortcut(payload: Payload, policy: &ResponseUrlPolicy) -> Result<Interaction, InteractionError> {
    let (message_ts, thread_ts) = payload.message_and_thread();
    Ok(Interaction::MessageShortcut(Box::new(MessageShortcut {
        user: payload.user()?,
        team: payload.team(),
        channel: payload.channel()?.ok_or(InteractionError::Missing { field: "channel" })?,
        message_ts: message_ts.ok_or(InteractionError::Missing { field: "message_ts" })?,
        thread_ts,
        words: payload.message.map(|message| message.parts.into_words()).unwrap_or_default(),
        callback_id: payload.callback_id.ok_or(InteractionError::Missing { field: "callback_id" })?,
        trigger_id: payload.trigger_id.ok_or(InteractionError::Missing { field: "trigger_id" })?,
        response_url: payload.response_url.and_then(|url| policy.admit(&url)),
    })))
}
