//! Who asked: the last line of everything that MARO writes to Jira, where all of it appears under the bot's own name.
//!
//! People choose their names in Slack, so the line has the id, which never changes, and where the conversation is.

use crate::intents::records::{Origin, conversation_url};
use maro_domain::{
    caller::Caller,
    command_name::CommandName,
    issue::one_line,
    rich_text::{Inline, RichBlock, RichText, Style},
};
use maro_texts as texts;

/// The longest name of the person who asked, in characters.
const MAX_NAME_LENGTH: usize = 80;

/// Who asked for something, where, and with which command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    line: String,
    conversation_url: String,
}

impl Signature {
    /// Of what a plugin writes for a caller.
    pub fn of_caller(caller: &Caller, plugin: &str) -> Self {
        let name = one_line(caller.user_name.as_deref().unwrap_or_default(), MAX_NAME_LENGTH);
        let (user, channel) = (caller.user.as_str(), caller.channel.as_str());
        let command = typed(&caller.command_name, plugin);
        let line = texts::issues::signature::requested_by(user, &name, channel, &command);
        let team = caller.team.as_ref().map(|team| team.as_str());
        Self { line, conversation_url: conversation_url(team, channel) }
    }

    /// Of what somebody asked for with a form, which `command` opens, too.
    pub(crate) fn of_origin(origin: &Origin, command: &str) -> Self {
        let command = typed(&origin.command_name(), command);
        let line = texts::issues::signature::requested_by(&origin.user, "", &origin.channel, &command);
        Self { line, conversation_url: origin.conversation_url() }
    }

    /// A text with this as its last line. Nobody else can write in italics there: a guest's text has no formatting.
    #[must_use]
    pub fn under(self, mut text: RichText) -> RichText {
        let italic = Style { italic: true, ..Style::default() };
        let link = Inline::Link { url: self.conversation_url.clone(), label: self.conversation_url };
        let line = Inline::Text { text: self.line, style: italic };
        text.blocks.push(RichBlock::Paragraph(vec![line, Inline::plain(" "), link]));
        text
    }
}

/// A command as it's typed.
fn typed(name: &CommandName, command: &str) -> String {
    format!("{name} {command}")
}
