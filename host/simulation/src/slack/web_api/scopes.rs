//! Which token and scope each method needs.

use axum::http::{HeaderMap, header};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::slack::{state::WorkspaceState, web_api::result::Refused};
use maro_process::secret::Secret;

/// Which token a method needs, and which scope the token must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    BotToken(Option<&'static str>),
    AppToken,
}

fn needs(method: &str) -> Needs {
    match method {
        "auth.test" | "views.open" | "views.update" | "views.push" | "views.publish"
        | "chat.getPermalink" => Needs::BotToken(None),
        "chat.postMessage" | "chat.postEphemeral" | "chat.update" | "chat.delete" => {
            Needs::BotToken(Some("chat:write"))
        }
        "chat.unfurl" => Needs::BotToken(Some("links:write")),
        "conversations.info" | "users.conversations" => Needs::BotToken(Some("channels:read")),
        "usergroups.list" | "usergroups.users.list" => Needs::BotToken(Some("usergroups:read")),
        "users.info" => Needs::BotToken(Some("users:read")),
        "apps.connections.open" => Needs::AppToken,
        _ => Needs::BotToken(None),
    }
}

/// Whether the call has the token and the scope that its method needs.
pub(super) fn authorise(
    shared: &WorkspaceState,
    headers: &HeaderMap,
    arguments: &Value,
    method: &str,
) -> Result<(), Refused> {
    let token = match headers.get(header::AUTHORIZATION) {
        Some(value) => value.as_bytes().strip_prefix(b"Bearer ").ok_or("invalid_auth")?,
        None => arguments["token"].as_str().ok_or("not_authed")?.as_bytes(),
    };
    let is = |known: &Secret| bool::from(token.ct_eq(known.expose().as_bytes()));
    let (is_bot, is_app) = (is(&shared.settings.bot_token), is(&shared.app_token));
    match needs(method) {
        Needs::AppToken if is_app => Ok(()),
        Needs::BotToken(scope) if is_bot => match scope {
            Some(scope) if !shared.api.scopes().iter().any(|granted| granted == scope) => {
                Err(Refused { needed: Some(scope), ..Refused::from("missing_scope") })
            }
            _ => Ok(()),
        },
        _ if is_bot || is_app => Err("not_allowed_token_type".into()),
        _ => Err("invalid_auth".into()),
    }
}
