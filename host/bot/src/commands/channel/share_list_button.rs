//! The channel's list is shown only to the person who asks for it. A button beside its heading shows it to the channel.

use maro_domain::{
    ids::ChannelId,
    reply::{Block, Button, ButtonKind, Maker, Reply, Span},
};
use maro_texts as texts;

/// The command that shows a channel's list.
const LIST: &str = "tracked";

/// What stands before its arguments to show the list to everyone.
const SHARED: &str = "share";

/// Adds the button to a list that has issues. Where nobody else is, there is nobody to share it with.
pub(crate) fn offer(command: &str, arguments: &str, channel: &ChannelId, reply: &mut Reply) {
    if command != LIST || channel.is_direct_message() {
        return;
    }
    let Some(first_items) = reply.blocks.iter().position(|block| matches!(block, Block::Items(_))) else {
        return;
    };
    let heading: Option<Vec<Vec<Vec<Span>>>> = reply.blocks[..first_items].iter().map(lines).collect();
    let Some(heading) = heading.filter(|heading| !heading.is_empty()) else { return };
    let button = Button {
        label: texts::commands::SHARE.to_owned(),
        command: format!("{LIST} {SHARED} {arguments}").trim_end().to_owned(),
        kind: ButtonKind::Runs,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: false,
    };
    let titled = Block::Titled(heading.into_iter().flatten().collect(), button);
    reply.blocks.splice(..first_items, [titled]);
}

/// The lines of a block of words.
fn lines(block: &Block) -> Option<Vec<Vec<Span>>> {
    match block {
        Block::Paragraph(spans) => Some(vec![spans.clone()]),
        Block::Lines(lines) => Some(lines.clone()),
        Block::Titled(..) | Block::Items(_) | Block::Buttons(_) | Block::Context(_) => None,
    }
}
