//! What the bot can look up: who it is, what a channel is, where a message is.

use std::sync::PoisonError;

use maro_domain::ids::UserId;
use serde_json::{Value, json};

use crate::slack::{
    state::{Sharing, WorkspaceState},
    web_api::{arguments::text, result::ApiResult},
    workspace::Channel,
};

pub(super) fn auth_test(shared: &WorkspaceState) -> Value {
    let workspace = &shared.workspace;
    let mut identity = json!({
        "url": format!("https://{}.slack.com/", workspace.team_domain),
        "team": workspace.team_domain,
        "user": "maro",
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user.as_str(),
        "bot_id": workspace.bot_id,
        "is_enterprise_install": false,
    });
    if let Some(seconds) = shared.api.state().token_lasts_secs {
        identity["expires_in"] = json!(seconds);
    }
    identity
}

pub(super) fn conversation(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let workspace = &shared.workspace;
    let id = text(arguments, "channel").ok_or("channel_not_found")?;
    if let Some(person) = workspace.people.iter().find(|person| person.direct_message.as_str() == id) {
        return Ok(json!({ "channel": {
            "id": id,
            "is_im": true,
            "is_channel": false,
            "is_group": false,
            "is_mpim": false,
            "is_private": true,
            "is_archived": false,
            "created": 1_700_000_000,
            "user": person.id.as_str(),
        }}));
    }
    let channel = workspace.channel(id).ok_or("channel_not_found")?;
    let is_member = shared.has_bot_in(channel);
    if channel.is_private && !is_member {
        return Err("channel_not_found".into());
    }
    let sharing = shared.sharing(id);
    Ok(json!({ "channel": {
        "id": id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": !channel.is_private,
        "is_group": false,
        "is_im": false,
        "is_mpim": false,
        "is_private": channel.is_private,
        "is_archived": false,
        "is_shared": sharing.is_some(),
        "is_ext_shared": sharing == Some(Sharing::External),
        "is_pending_ext_shared": sharing == Some(Sharing::Pending),
        "is_org_shared": sharing == Some(Sharing::Organization),
        "is_general": channel.name == "general",
        "is_member": is_member,
        "created": 1_700_000_000,
        "creator": workspace.people[0].id.as_str(),
        "topic": { "value": "", "creator": "", "last_set": 0 },
        "purpose": { "value": "", "creator": "", "last_set": 0 },
        "previous_names": [],
    }}))
}

/// Everybody is in every public channel, and only the first two people in private ones. One to a page.
pub(super) fn conversations_of(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let workspace = &shared.workspace;
    let id = text(arguments, "user").ok_or("user_not_found")?;
    let person =
        workspace.people.iter().position(|person| person.id.as_str() == id).ok_or("user_not_found")?;
    let types = text(arguments, "types").unwrap_or("public_channel");
    let is_listed = |channel: &&Channel| {
        let kind = if channel.is_private { "private_channel" } else { "public_channel" };
        types.split(',').any(|wanted| wanted == kind)
            && (!channel.is_private || person < 2 && shared.has_bot_in(channel))
    };
    let listed: Vec<&str> =
        workspace.channels.iter().filter(is_listed).map(|channel| channel.id.as_str()).collect();
    let start = match text(arguments, "cursor") {
        Some(cursor) => cursor.parse::<usize>().map_err(|_| "invalid_cursor")?,
        None => 0,
    };
    let page: Vec<Value> = listed.iter().skip(start).take(1).map(|id| json!({ "id": id })).collect();
    let next = if start + 1 < listed.len() { (start + 1).to_string() } else { String::new() };
    Ok(json!({ "channels": page, "response_metadata": { "next_cursor": next } }))
}

/// In lower case, the id of a group is its handle, too.
pub(super) fn user_groups(shared: &WorkspaceState) -> ApiResult {
    let groups = shared.user_groups.lock().unwrap_or_else(PoisonError::into_inner);
    let group =
        |id: &String| json!({ "id": id, "handle": id.to_lowercase(), "name": id, "is_usergroup": true });
    Ok(json!({ "usergroups": groups.keys().map(group).collect::<Vec<_>>() }))
}

pub(super) fn user_group(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let id = text(arguments, "usergroup").ok_or("no_such_subteam")?;
    let groups = shared.user_groups.lock().unwrap_or_else(PoisonError::into_inner);
    let people = groups.get(id).ok_or("no_such_subteam")?;
    Ok(json!({ "users": people.iter().map(UserId::as_str).collect::<Vec<_>>() }))
}

pub(super) fn user(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let workspace = &shared.workspace;
    let id = text(arguments, "user").ok_or("user_not_found")?;
    let person = workspace.people.iter().find(|person| person.id.as_str() == id).ok_or("user_not_found")?;
    let mut profile = json!({ "display_name": person.name, "real_name": person.name });
    // Slack leaves it out without the scope.
    if shared.api.scopes().iter().any(|scope| scope == "users:read.email") {
        profile["email"] = json!(format!("{}@example.com", person.name));
    }
    let foreigners = shared.foreigners.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(json!({ "user": {
        "id": id,
        "team_id": foreigners.get(id).unwrap_or(&workspace.team_id),
        "is_stranger": false,
        "name": person.name,
        "deleted": false,
        "is_bot": false,
        "is_app_user": false,
        "tz": "Europe/Berlin",
        "is_email_confirmed": person.name != "margaret",
        "profile": profile,
    }}))
}

pub(super) fn permalink(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let channel = text(arguments, "channel").ok_or("channel_not_found")?;
    let is_direct = shared.workspace.people.iter().any(|person| person.direct_message.as_str() == channel);
    let is_seen = is_direct
        || shared
            .workspace
            .channel(channel)
            .is_some_and(|channel| !channel.is_private || shared.has_bot_in(channel));
    if !is_seen {
        return Err("channel_not_found".into());
    }
    let ts = text(arguments, "message_ts").ok_or("message_not_found")?;
    let mut messages = shared.history.messages().into_iter();
    let message = messages.find(|message| message.channel == channel && message.ts == ts);
    let message = message.filter(|message| message.visible_to.is_none()).ok_or("message_not_found")?;
    let domain = &shared.workspace.team_domain;
    let mut permalink =
        format!("https://{domain}.slack.com/archives/{channel}/p{}", message.ts.replace('.', ""));
    if let Some(thread_ts) = &message.thread_ts {
        permalink.push_str(&format!("?thread_ts={thread_ts}&cid={channel}"));
    }
    Ok(json!({ "channel": channel, "permalink": permalink }))
}
