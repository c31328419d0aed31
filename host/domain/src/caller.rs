//! Whose command it is.

use crate::{
    command_name::CommandName,
    ids::{ChannelId, TeamId, UserId},
    request_token::RequestToken,
};

/// Who gave a command, where and how. Bound by the host; a guest can neither see nor change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub channel: ChannelId,
    pub user: UserId,
    /// What Slack calls the person, if it said so. People choose it, so it doesn't identify them.
    pub user_name: Option<String>,
    /// The workspace that Slack names, for links to the conversation.
    pub team: Option<TeamId>,
    /// The person's workspace, if it isn't the bot's own.
    pub foreign_team: Option<TeamId>,
    pub way: Way,
    /// What the command is called that was typed, or that a button's command would be typed after.
    pub command_name: CommandName,
    /// The request that it came with. `None` if nobody could send it a second time.
    pub request: Option<RequestToken>,
}

/// How a command was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Typed,
    /// By a button, which a plugin may have labelled as it likes.
    Pressed {
        /// What stands behind `/maro`.
        command: String,
        /// Whether it says that it undoes something.
        is_undo: bool,
    },
}

impl Caller {
    /// Whether this is one of these people.
    pub fn is_among(&self, people: &[Person]) -> bool {
        people.iter().any(|person| person.user == self.user && person.foreign_team == self.foreign_team)
    }

    /// The command behind the button, if one was pressed.
    pub fn pressed_command(&self) -> Option<&str> {
        match &self.way {
            Way::Typed => None,
            Way::Pressed { command, .. } => Some(command),
        }
    }

    /// Whether they pressed a button that undoes something.
    pub fn is_undoing(&self) -> bool {
        matches!(self.way, Way::Pressed { is_undo: true, .. })
    }
}

/// Somebody in a workspace. The same user id in another workspace may be somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `None` is the bot's own workspace.
    pub foreign_team: Option<TeamId>,
    pub user: UserId,
}
