//! What people say to MARO outside of commands: without a slash in a conversation with it, or in a mention.

use crate::commands::{
    CommandOutcome, Commands, LOADING_PATIENCE, Typed,
    choosing::{aliases, host_commands::OwnCommand},
    help,
};
use maro_domain::{
    reply::{Block, Reply},
    words::{Word, words},
};
use maro_slack::words::parse_markup;
use maro_tickets::texts;

impl Commands {
    /// What is said to MARO in a conversation with it: a command without its slash, or else a request for help.
    pub(crate) async fn run_said(&self, typed: Typed<'_>) -> CommandOutcome {
        let text = typed.text.trim();
        // People type it with the slash, too: Slack sends a message if a space or a word stands before it.
        let text =
            text.strip_prefix('/').and_then(|text| text.split_once(' ')).map_or(text, |(_, text)| text);
        if self.is_command(text).await {
            self.run(Typed { text, ..typed }).await
        } else {
            self.help_said(true)
        }
    }

    /// Help for somebody who writes to MARO, or mentions it.
    pub(crate) fn help_said(&self, is_direct: bool) -> CommandOutcome {
        let mut reply: Reply = help::all(&self.registry.plugins());
        if is_direct {
            reply.blocks.push(Block::Paragraph(texts::commands::personal_list()));
        }
        CommandOutcome::Replied(reply)
    }

    /// Whether a text begins like a command that can be carried out without a form.
    async fn is_command(&self, text: &str) -> bool {
        let name = text.split_whitespace().next().unwrap_or_default().to_lowercase();
        match OwnCommand::named(&name) {
            Some(own) => !own.opens_form(),
            None => {
                let plain = parse_markup::to_typed(text);
                let first = words(&plain, Some(&self.site)).next();
                matches!(first, Some(Word::Key(_) | Word::OtherSite(_)))
                    || aliases::command(&name).is_some()
                    || self.registry.settled(&name, LOADING_PATIENCE).await.get(&name).is_some()
            }
        }
    }
}
