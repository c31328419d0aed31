//! The commands of MARO itself.

use maro_texts as texts;

/// A command that is part of MARO. No plugin can have its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnCommand {
    Create,
    Stories,
    Notify,
    Where,
    Help,
    Plugins,
}

/// The names that no plugin can have.
pub const RESERVED_NAMES: [&str; OwnCommand::ALL.len()] = {
    let [first, second, third, fourth, fifth, sixth] = OwnCommand::ALL;
    [first.name(), second.name(), third.name(), fourth.name(), fifth.name(), sixth.name()]
};

impl OwnCommand {
    /// All of them, in the order in which the help lists them.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Stories, Self::Notify, Self::Where, Self::Help, Self::Plugins];

    /// The command with this name, in lower case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Stories => "stories",
            Self::Notify => "notify",
            Self::Where => "where",
            Self::Help => "help",
            Self::Plugins => "plugins",
        }
    }

    /// Whether all there is to see is in a form.
    pub(crate) const fn opens_form(self) -> bool {
        matches!(self, Self::Create | Self::Stories)
    }

    /// What may be typed after the name.
    pub const fn arguments(self) -> &'static str {
        match self {
            Self::Create => "[summary]",
            Self::Stories => "EPIC-KEY",
            Self::Notify => "[status|all|done|off|digest]",
            Self::Where => "KEY",
            Self::Help => "[command]",
            Self::Plugins => "",
        }
    }

    /// What is typed after `/maro`.
    pub fn usage(self) -> String {
        format!("{} {}", self.name(), self.arguments()).trim_end().to_owned()
    }

    pub const fn summary(self) -> &'static str {
        match self {
            Self::Create => texts::commands::CREATE_SUMMARY,
            Self::Stories => texts::commands::STORIES_SUMMARY,
            Self::Notify => texts::commands::NOTIFY_SUMMARY,
            Self::Where => texts::commands::WHERE_SUMMARY,
            Self::Help => texts::commands::HELP_SUMMARY,
            Self::Plugins => texts::commands::PLUGINS_SUMMARY,
        }
    }
}
