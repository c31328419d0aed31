//! What other programs call MARO's commands. A plugin of such a name comes first.

/// What people type, and the command that it stands for.
const ALIASES: [(&str, &str); 6] = [
    ("list", "tracked"),
    ("ls", "tracked"),
    ("status", "tracked"),
    ("add", "track"),
    ("remove", "untrack"),
    ("rm", "untrack"),
];

/// The command that `name`, in lower case, stands for.
pub(crate) fn command(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, command)| *command)
}
