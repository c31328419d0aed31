//! The way back from a press that stopped tracking an issue. That from `/maro untrack` of many is the plugin's.

use maro_domain::{
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply},
};
use maro_texts as texts;

/// A line with a button that tracks an issue again, unless there is such a button already.
pub(crate) fn row(reply: &Reply, pressed: &str) -> Option<Block> {
    let key = IssueKey::parse(pressed.strip_prefix("untrack ")?.trim()).ok()?;
    let command = format!("track {key}");
    let mut rows = reply.blocks.iter().filter_map(|block| match block {
        Block::Buttons(buttons) => Some(buttons),
        _ => None,
    });
    if rows.any(|buttons| buttons.iter().any(|button| button.command == command)) {
        return None;
    }
    let button = Button {
        label: texts::commands::UNDO.to_owned(),
        command,
        kind: ButtonKind::Runs,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: false,
    };
    let spans = texts::commands::stopped_tracking(&key);
    Some(Block::Items(vec![Item { spans, button: Some(button) }]))
}
