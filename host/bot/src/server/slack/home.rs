//! The app's Home tab: drawn whenever somebody opens it.

use std::sync::Arc;

use crate::{commands::home::HomePart, server::state::BotState};
use maro_domain::{ids::ChannelId, reply::Block};
use maro_process::telemetry::error_chain;
use maro_slack::{events::home_event::HomeOpened, view::home::HomeView};
use maro_texts as texts;

/// How many lines one section holds, within Slack's 3,000 characters.
const LINES: usize = 10;

/// Shows the tab to whoever opened it.
pub(crate) async fn show(state: Arc<BotState>, opened: HomeOpened) {
    let HomeOpened { user, conversation } = &opened;
    let parts = state.commands.home(user, conversation).await.unwrap_or_else(|error| {
        tracing::debug!(error = error_chain(&error), "a Home tab can't be filled");
        vec![HomePart::Heading(texts::home::UNREACHABLE)]
    });
    let mut home = HomeView::default();
    let drawn = |channel: &ChannelId, blocks: &[Block]| state.slack.renderer.mrkdwn(blocks, channel, user);
    for part in parts {
        match part {
            HomePart::Heading(text) => home.heading(text),
            HomePart::Words(channel, blocks) => {
                for block in blocks.into_iter().flat_map(split) {
                    home.section(drawn(&channel, &[block]));
                }
            }
            HomePart::Note(channel, spans) => home.note(drawn(&channel, &[Block::Paragraph(spans)])),
        }
    }
    if let Err(error) = state.slack.web_api.publish_home(user, &home).await {
        tracing::warn!(user = user.as_str(), error = error_chain(&error), "a Home tab wasn't shown");
    }
}

/// Long lists in parts.
fn split(block: Block) -> Vec<Block> {
    match block {
        Block::Items(items) => items.chunks(LINES).map(|chunk| Block::Items(chunk.to_vec())).collect(),
        other => vec![other],
    }
}
