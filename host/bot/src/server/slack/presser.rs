//! The person who pressed a button, as if they had typed what is behind it.

use maro_domain::{
    caller::{Caller, Way},
    command_name::CommandName,
    ids::TeamId,
};
use maro_slack::interaction::BlockAction;
use maro_texts as texts;
use maro_tickets::provenance::Provenance;

/// `command`: what is behind the button. `None` if the button belongs to no channel: there is nowhere to answer.
pub(crate) fn presser(
    action: &BlockAction,
    provenance: Provenance,
    command: String,
    command_name: CommandName,
) -> Option<Caller> {
    let Some(channel) = action.channel.clone() else {
        tracing::warn!(user = action.user.as_str(), "ignored a button press outside any channel");
        return None;
    };
    Some(Caller {
        channel,
        user: action.user.clone(),
        user_name: action.user_name.clone(),
        team: action.team.as_deref().and_then(|team| TeamId::parse(team).ok()),
        foreign_team: provenance.foreign_team,
        way: Way::Pressed { command, is_undo: action.label == texts::commands::UNDO },
        command_name,
        request: provenance.request,
    })
}
