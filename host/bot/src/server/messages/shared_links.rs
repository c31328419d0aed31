//! Links to issues in people's messages: shown below them, where the issue may be shown.

use std::sync::Arc;

use crate::server::{
    authentication::strangers,
    messages::shown_once::{MAX_SHOWN, author, forget, may_show},
    state::BotState,
};
use maro_domain::issue::IssueKey;
use maro_process::telemetry::error_chain;
use maro_slack::events::shared_links::SharedLinks;

/// The most issues of one message that Jira is asked about: not each may be shown.
const MAX_ASKED: usize = 8;

/// Shows the issues that a message links to. Links to anything else are left alone.
pub(crate) async fn show(state: Arc<BotState>, links: SharedLinks) {
    let SharedLinks { user, team, channel, message_ts, urls } = links;
    let mut keys: Vec<(IssueKey, String)> = Vec::new();
    for url in urls {
        if let Some(key) = state.commands.issue_behind(&url)
            && keys.len() < MAX_ASKED
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
    let caller = author(&state, channel, user, team);
    let (channel, mut shown, mut noted) = (&caller.channel, Vec::new(), Vec::new());
    let (keys, urls): (Vec<IssueKey>, Vec<String>) = keys.into_iter().unzip();
    let previews = state.commands.unfurl_all(&caller, keys.clone()).await;
    for (key, url) in keys.into_iter().zip(urls) {
        if shown.len() == MAX_SHOWN {
            break;
        }
        let Some((_, reply)) = previews.iter().find(|(asked, _)| *asked == key) else { continue };
        if may_show(&state, channel, &key).await {
            shown.push((url, state.slack.renderer.render(reply, channel, &caller.user)));
            noted.push(key);
        }
    }
    if !shown.is_empty()
        && let Err(error) = state.slack.web_api.unfurl(channel, &message_ts, &shown).await
    {
        tracing::info!(channel = channel.as_str(), error = error_chain(&error), "links weren't shown");
        // That the same is shown twice does no harm.
        forget(&state, channel, &noted).await;
    }
}
