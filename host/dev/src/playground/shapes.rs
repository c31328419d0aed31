//! The workspace in the form that the page's scripts expect.

use serde_json::{Value, json};

use crate::playground::state::{Playground, PlaygroundState};
use maro_simulation::{
    jira::server::SimulatedJira,
    slack::{
        modals::modal::Modal,
        shown::history::{MessageChanges, ShownMessage},
        workspace::{Channel, Person},
    },
};

/// What stays the same while the page runs.
pub(super) fn workspace(shared: &PlaygroundState) -> Value {
    let Playground { slack, jira, .. } = &shared.playground;
    let workspace = slack.workspace();
    let channel = |it: &Channel| json!({ "id": it.id.as_str(), "name": it.name, "private": it.is_private });
    let person = |it: &Person| json!({ "id": it.id.as_str(), "name": it.name, "direct_message": it.direct_message.as_str() });
    json!({
        "session": shared.session,
        "team": workspace.team_domain,
        "bot": { "id": workspace.bot_user.as_str(), "name": "MARO" },
        "channels": workspace.channels.iter().map(channel).collect::<Vec<_>>(),
        "people": workspace.people.iter().map(person).collect::<Vec<_>>(),
        "jira": jira.base_url().as_str(),
        "projects": jira.project_keys(),
        "jira_people": SimulatedJira::people(),
        "priorities": SimulatedJira::priorities(),
        "sprints": SimulatedJira::sprints(),
    })
}

/// `is_whole` tells the page to forget what it had.
pub(super) fn messages(changes: &MessageChanges, is_whole: bool) -> Value {
    json!({
        "whole": is_whole,
        "changed": changes.changed.iter().map(message).collect::<Vec<_>>(),
        "deleted": changes.deleted,
    })
}

fn message(message: &ShownMessage) -> Value {
    json!({
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "channel": message.channel,
        "author": message.author,
        "user": message.user,
        "visible_to": message.visible_to,
        "command": message.command,
        "text": message.text,
        "blocks": message.blocks,
        "payload": message.payload.as_deref(),
        "way": way(message),
    })
}

/// How the message was sent to Slack.
fn way(message: &ShownMessage) -> &'static str {
    if message.is_posted {
        "a call of chat.postMessage"
    } else if message.is_delayed {
        "a post to response_url"
    } else {
        "the response to the command"
    }
}

/// What is in each person's Home tab, by the person's id: blocks, or null if the bot hasn't shown any.
pub(super) fn homes(playground: &Playground) -> Value {
    let slack = &playground.slack;
    let home = |name: &str| slack.home(name).map(|mut view| view["blocks"].take());
    slack.workspace().people.iter().map(|person| (person.id.to_string(), json!(home(&person.name)))).collect()
}

/// Each person's open modal, by the person's id.
pub(super) fn modals(playground: &Playground) -> Value {
    let slack = &playground.slack;
    let people = slack.workspace().people.iter();
    people
        .map(|person| (person.id.to_string(), json!(slack.modal(&person.name).as_ref().map(modal))))
        .collect()
}

fn modal(modal: &Modal) -> Value {
    json!({
        "id": modal.id(),
        "hash": modal.hash(),
        "callback_id": modal.callback_id(),
        "title": modal.title(),
        "submit": modal.submit_label(),
        "close": modal.close_label(),
        "blocks": modal.blocks(),
        "values": modal.view["state"]["values"],
        "errors": modal.errors,
        "notice": modal.notice,
        "payload": &*modal.payload,
    })
}
