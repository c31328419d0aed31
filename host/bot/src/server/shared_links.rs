//! Links to issues in people's messages: shown below them, where the issue may be shown.

use std::{sync::Arc, time::Duration};

use crate::server::{state::BotState, strangers};
use maro_domain::{
    caller::{Caller, Way},
    issue::IssueKey,
};
use maro_process::telemetry::error_chain;
use maro_slack::events::shared_links::SharedLinks;

/// How many issues of one message are shown.
const MAX_SHOWN: usize = 2;

/// How long an issue that was shown in a channel isn't shown there again.
const ONCE_IN: Duration = Duration::from_secs(30 * 60);

/// Shows the issues that a message links to. Links to anything else are left alone.
pub(super) async fn show(state: Arc<BotState>, links: SharedLinks) {
    let SharedLinks { user, team, channel, message_ts, urls } = links;
    let mut keys: Vec<(IssueKey, String)> = Vec::new();
    for url in urls {
        if let Some(key) = state.commands.issue_behind(&url)
            && keys.len() < MAX_SHOWN
            && keys.iter().all(|(known, _)| *known != key)
        {
            keys.push((key, url));
        }
    }
    if keys.is_empty() {
        return;
    }
    if state.access.is_stranger_in(&channel, &user).await {
        // Whose workspace it is, the event may not say.
        return strangers::note_refused(&state, None, None);
    }
    let caller = Caller {
        channel,
        user,
        user_name: None,
        team,
        foreign_team: None,
        way: Way::Typed,
        command_name: state.slack.renderer.command_in_use.name(),
        request: None,
    };
    let (channel, mut shown) = (&caller.channel, Vec::new());
    for (key, url) in keys {
        let Some(reply) = state.commands.unfurl(&caller, key.clone()).await else { continue };
        match state.stores.notices.show_link(channel, &key, ONCE_IN).await {
            Ok(true) => shown.push((url, state.slack.renderer.render(&reply, channel, &caller.user))),
            Ok(false) => {}
            // Shown twice would be worse than not at all.
            Err(error) => tracing::debug!(error = error_chain(&error), "a link isn't shown"),
        }
    }
    if !shown.is_empty()
        && let Err(error) = state.slack.web_api.unfurl(channel, &message_ts, &shown).await
    {
        tracing::info!(channel = channel.as_str(), error = error_chain(&error), "links weren't shown");
    }
}
