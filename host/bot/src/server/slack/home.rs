//! The app's Home tab: drawn whenever somebody opens it.

use std::sync::Arc;

use crate::{
    commands::home::HomePart,
    server::{authentication::strangers, state::BotState},
};
use maro_domain::reply::Block;
use maro_process::telemetry::error_chain;
use maro_slack::{events::home_event::HomeOpened, view::home::HomeView};
use maro_texts as texts;

/// Shows the tab to the person who opened it.
pub(crate) async fn show(state: Arc<BotState>, opened: HomeOpened) {
    let HomeOpened { user, conversation } = &opened;
    if state.access.is_stranger(user).await {
        // Whose workspace it is, the event may not say.
        return strangers::note_refused(&state, None, None);
    }
    let parts = state.commands.home(user, conversation).await.unwrap_or_else(|error| {
        tracing::debug!(error = error_chain(&error), "a Home tab can't be filled");
        vec![HomePart::Heading(texts::home::UNREACHABLE)]
    });
    let mut home = HomeView::default();
    for part in parts {
        match part {
            HomePart::Heading(text) => home.heading(text),
            HomePart::Words(channel, blocks) => {
                for block in blocks {
                    let sections = state.slack.renderer.sections(&[block], &channel, user);
                    sections.into_iter().for_each(|section| home.section(section));
                }
            }
            HomePart::Note(channel, spans) => {
                home.note(state.slack.renderer.mrkdwn(&[Block::Paragraph(spans)], &channel, user));
            }
        }
    }
    if let Err(error) = state.slack.web_api.publish_home(user, &home).await {
        tracing::warn!(user = user.as_str(), error = error_chain(&error), "a Home tab wasn't shown");
    }
}
