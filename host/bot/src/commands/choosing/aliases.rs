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

/// What people put before a key to see the issue.
const BEFORE_KEY: [&str; 7] = ["show", "view", "get", "see", "open", "issue", "info"];

/// Whether a word in lower case only asks for what follows it to be shown.
pub(crate) fn shows(name: &str) -> bool {
    BEFORE_KEY.contains(&name)
}
