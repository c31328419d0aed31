//! Events that people cause by what they write, with every documented field: <https://docs.slack.dev/reference/events>.

use serde_json::{Value, json};
use url::Url;

use crate::slack::{
    people::{act_error::ActError, messages},
    random::random_text,
    shown::history::ShownMessage,
    state::WorkspaceState,
    to_bot::{delivery, parcel::Parcel},
};

/// Writes a message, and tells the bot if it's to the bot: in a conversation with it, or with a mention in one of its
/// channels. It's told of links, too, and of all else if it may read what is written there. `@maro` becomes the
/// mention, as in Slack's composer. A bot that doesn't answer is shown to nobody.
pub(crate) async fn write(
    shared: &WorkspaceState,
    user: &str,
    channel: &str,
    text: &str,
    thread_ts: Option<String>,
) -> Result<ShownMessage, ActError> {
    let mention = format!("<@{}>", shared.workspace.bot_user);
    let text = text.replace("@maro", &mention);
    let message = messages::write(shared, user, channel, &text, thread_ts)?;
    let is_direct = message.channel.starts_with('D');
    let has_bot =
        shared.workspace.channel(&message.channel).is_some_and(|channel| shared.has_bot_in(channel));
    if shared.has_bot() && (is_direct || (has_bot && text.contains(&mention))) {
        let event = said(&message, is_direct);
        // Slack shows nobody that an event wasn't taken.
        let _ = delivery::deliver(shared, &Parcel::Event(envelope(shared, event))).await;
    }
    let is_private = shared.workspace.channel(&message.channel).is_some_and(|channel| channel.is_private);
    let scope = if is_private { "groups:history" } else { "channels:history" };
    if shared.has_bot() && has_bot && !is_direct && shared.api.scopes().iter().any(|granted| granted == scope)
    {
        let event = said_in_channel(&message, is_private);
        let _ = delivery::deliver(shared, &Parcel::Event(envelope(shared, event))).await;
    }
    let links = links(shared, &message.text);
    if shared.has_bot() && !links.is_empty() {
        let event = shared_links(&message, &links);
        let _ = delivery::deliver(shared, &Parcel::Event(envelope(shared, event))).await;
    }
    Ok(message)
}

/// The links in a message that the bot is told of: the host, and the whole.
fn links(shared: &WorkspaceState, text: &str) -> Vec<(String, String)> {
    let words = text.split(|letter: char| letter.is_whitespace() || "<>|".contains(letter));
    let links = words.filter_map(|word| {
        let url = Url::parse(word).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let host = url.host_str().filter(|host| shared.api.is_told_of(host))?;
        Some((host.to_owned(), word.to_owned()))
    });
    links.collect()
}

fn shared_links(message: &ShownMessage, links: &[(String, String)]) -> Value {
    let links = links.iter().map(|(domain, url)| json!({ "domain": domain, "url": url }));
    let mut event = json!({
        "type": "link_shared",
        "channel": message.channel,
        "is_bot_user_member": true,
        "user": message.user,
        "message_ts": message.ts,
        "unfurl_id": format!("{}.{}", message.channel, message.ts),
        "source": "conversations_history",
        "links": links.collect::<Vec<_>>(),
        "event_ts": message.ts,
    });
    if let Some(thread_ts) = &message.thread_ts {
        event["thread_ts"] = json!(thread_ts);
    }
    event
}

/// A person opens the app's Home tab.
pub(crate) async fn open_home(shared: &WorkspaceState, user: &str) -> Result<(), ActError> {
    let person = shared.person(user)?;
    let event = json!({
        "type": "app_home_opened",
        "user": person.id.as_str(),
        "channel": person.direct_message.as_str(),
        "event_ts": shared.history.new_ts(shared.settings.clock.now()),
        "tab": "home",
    });
    let answer = delivery::deliver(shared, &Parcel::Event(envelope(shared, event))).await;
    answer.map(drop).map_err(ActError::Unanswered)
}

/// A person's message as an event.
fn said(message: &ShownMessage, is_direct: bool) -> Value {
    let mut event = json!({
        "type": if is_direct { "message" } else { "app_mention" },
        "user": message.user,
        "channel": message.channel,
        "text": message.text,
        "ts": message.ts,
        "event_ts": message.ts,
    });
    if is_direct {
        event["channel_type"] = json!("im");
    }
    if let Some(thread_ts) = &message.thread_ts {
        event["thread_ts"] = json!(thread_ts);
    }
    event
}

/// A person's message in a channel, as an app hears it that may read what is written there.
fn said_in_channel(message: &ShownMessage, is_private: bool) -> Value {
    let mut event = said(message, true);
    event["channel_type"] = json!(if is_private { "group" } else { "channel" });
    event["client_msg_id"] = json!(random_text(12));
    event
}

/// What Slack sends around an event.
pub(crate) fn envelope(shared: &WorkspaceState, event: Value) -> Value {
    let workspace = &shared.workspace;
    json!({
        "type": "event_callback",
        "token": random_text(24),
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event_id": format!("Ev{}", random_text(9).to_uppercase()),
        "event_time": shared.settings.clock.now().as_second(),
        "authorizations": [{
            "enterprise_id": null,
            "team_id": workspace.team_id,
            "user_id": workspace.bot_user.as_str(),
            "is_bot": true,
            "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": false,
        "event": event,
    })
}
