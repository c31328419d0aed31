//! What can go wrong between MARO and Slack's Web API, in the distinctions that callers make.
//!
//! The texts are for operators. They contain no secrets, and of Slack's answer only names and its remarks
//! about our own request. What people read is written elsewhere.

use std::{error::Error, time::Duration};

use serde::Deserialize;

use crate::rate_limit::DEFAULT_WAIT;

/// How many of Slack's remarks are kept, and how much of each, in characters.
const MAX_DETAILS: usize = 5;
const MAX_DETAIL: usize = 200;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The bot has to be invited first.
    #[error("the bot isn't in the channel")]
    NotInChannel,
    /// There is no such channel, or it is private and the bot can't see it.
    #[error("Slack has no such channel")]
    ChannelNotFound,
    #[error("the channel is archived")]
    Archived,
    /// Three seconds have passed, or it has already opened a modal.
    #[error("the trigger has expired or was used")]
    TriggerExpired,
    /// The modal was closed or replaced.
    #[error("the view is no longer open")]
    ViewGone,
    /// The token is wrong or revoked, or its account is gone.
    #[error("Slack rejected MARO's token")]
    InvalidAuth,
    #[error("the app is missing {}", scope_named(.needed))]
    MissingScope { needed: String },
    /// Slack limits the rate and asks to wait longer than the caller would.
    #[error("Slack is rate-limiting MARO and asks it to wait {} s", .retry_after.as_secs())]
    RateLimited { retry_after: Duration },
    #[error("Slack took too long to respond")]
    TimedOut,
    /// There is no connection, or Slack is down.
    #[error("can't reach Slack")]
    Unreachable(#[source] SlackOutage),
    /// Slack rejects the request, with its own name for the reason.
    #[error("Slack rejected the call: {error}{}", in_brackets(.details))]
    Refused { error: String, details: Vec<String> },
    /// Something answers at the configured address, but not the way Slack does.
    #[error("can't read Slack's response: {detail}")]
    InvalidResponse { detail: String },
}

/// What makes Slack unreachable.
#[derive(Debug, thiserror::Error)]
pub enum SlackOutage {
    #[error("the connection failed")]
    Connection(#[source] Box<dyn Error + Send + Sync>),
    #[error("Slack responded with status {0}")]
    Status(u16),
    /// Slack's name for it, such as `internal_error`.
    #[error("Slack failed with {0}")]
    Failure(String),
    /// It wasn't asked.
    #[error("Slack didn't respond to the requests before this one")]
    HeldBack,
}

/// Slack doesn't always say which.
fn scope_named(needed: &str) -> String {
    if needed.is_empty() { "a scope".to_owned() } else { format!("the scope {needed}") }
}

fn in_brackets(details: &[String]) -> String {
    if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) }
}

/// The parts of a refusal apart from its name.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    needed: String,
    #[serde(default)]
    response_metadata: Remarks,
}

#[derive(Default, Deserialize)]
struct Remarks {
    #[serde(default)]
    messages: Vec<String>,
}

impl ApiError {
    /// Whether Slack is away, which is logged where every call passes.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable(_))
    }

    /// Whether it's Slack that answered at all.
    pub(super) fn is_answer(&self) -> bool {
        !self.is_outage() && !matches!(self, Self::InvalidResponse { .. })
    }

    /// Whether Slack knows nobody with that id, or none whom MARO may see.
    pub fn is_no_such_user(&self) -> bool {
        let codes = ["user_not_found", "users_not_found", "user_not_visible", "user_is_bot"];
        matches!(self, Self::Refused { error, .. } if codes.contains(&error.as_str()))
    }

    /// The outcome's name in metrics.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::TriggerExpired => "trigger_expired",
            Self::ViewGone => "view_gone",
            Self::NotInChannel => "not_in_channel",
            Self::ChannelNotFound => "channel_not_found",
            Self::Archived => "archived",
            Self::InvalidAuth => "unauthorized",
            Self::MissingScope { .. } => "missing_scope",
            Self::RateLimited { .. } => "rate_limited",
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::Refused { .. } => "refused",
            Self::InvalidResponse { .. } => "invalid_response",
        }
    }

    /// Reads an answer with `"ok": false`: `code` is its error, `body` the whole answer.
    pub(crate) fn refused(code: &str, body: &str) -> Self {
        let refusal: Refusal = serde_json::from_str(body).unwrap_or_default();
        match code {
            "not_in_channel" => Self::NotInChannel,
            "channel_not_found" => Self::ChannelNotFound,
            "is_archived" => Self::Archived,
            "expired_trigger_id"
            | "exchanged_trigger_id"
            | "invalid_trigger_id"
            | "trigger_expired"
            | "trigger_exchanged" => Self::TriggerExpired,
            "not_found" | "view_not_found" | "no_such_view" => Self::ViewGone,
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "not_allowed_token_type" => Self::InvalidAuth,
            "missing_scope" => Self::MissingScope { needed: shortened(&refusal.needed) },
            "ratelimited" | "rate_limited" => Self::RateLimited { retry_after: DEFAULT_WAIT },
            "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                Self::Unreachable(SlackOutage::Failure(code.to_owned()))
            }
            other => Self::Refused {
                error: shortened(other),
                details: refusal
                    .response_metadata
                    .messages
                    .iter()
                    .take(MAX_DETAILS)
                    .map(|message| shortened(message))
                    .collect(),
            },
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_names_for_one_outcome_are_one_variant() {
        for (code, expected) in [
            ("not_in_channel", "the bot isn't in the channel"),
            ("channel_not_found", "Slack has no such channel"),
            ("is_archived", "the channel is archived"),
            ("expired_trigger_id", "the trigger has expired or was used"),
            ("exchanged_trigger_id", "the trigger has expired or was used"),
            ("token_revoked", "Slack rejected MARO's token"),
            ("internal_error", "can't reach Slack"),
            ("invalid_blocks", "Slack rejected the call: invalid_blocks"),
        ] {
            assert_eq!(ApiError::refused(code, "").to_string(), expected);
        }
    }

    #[test]
    fn what_slack_adds_to_a_refusal_is_kept() {
        let scope =
            ApiError::refused("missing_scope", r#"{"ok":false,"needed":"chat:write","provided":"commands"}"#);
        assert_eq!(scope.to_string(), "the app is missing the scope chat:write");
        let remarks = r#"{"response_metadata":{"messages":["[ERROR] must be less than 25 characters [json-pointer:/view/title]"]}}"#;
        assert_eq!(
            ApiError::refused("invalid_arguments", remarks).to_string(),
            "Slack rejected the call: invalid_arguments ([ERROR] must be less than 25 characters [json-pointer:/view/title])"
        );
    }
}
