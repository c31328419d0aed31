//! Which of the commands of `/maro plugins` is meant, and who may type it.

use crate::commands::{Commands, choosing::host_commands::RESERVED_NAMES, plugins::details::plugin_named};
use maro_access::roles::Role;
use maro_domain::{caller::Caller, issue::one_line, reply::Reply};
use maro_texts as texts;

/// How much of what was typed is shown, in characters.
const COMMAND_LENGTH: usize = 60;

impl Commands {
    /// A plugin makes its buttons, and writes on them what it likes: what only admins may do is not done
    /// by pressing one.
    pub(crate) async fn plugins(&self, caller: &Caller, arguments: &str) -> Reply {
        let words: Vec<_> = arguments.split_whitespace().map(str::to_lowercase).collect();
        let words: Vec<_> = words.iter().map(|word| plugin_named(word)).collect();
        match words[..] {
            [] => self.list(caller),
            ["reload"] | ["reload" | "disable" | "enable" | "history" | "rollback", _]
                if let Some(sentence) = self.refusal(Role::Plugins, caller, &words.join(" ")).await =>
            {
                Reply::sentence(sentence)
            }
            ["reload"] | ["reload" | "disable" | "enable" | "rollback", _]
                if caller.pressed_command().is_some() =>
            {
                let command = one_line(&words.join(" "), COMMAND_LENGTH);
                Reply::line(texts::commands::only_typed(&format!("plugins {command}")))
            }
            ["reload"] => self.reload_plugins(caller).await,
            ["reload" | "disable" | "enable" | "history" | "rollback", name]
                if RESERVED_NAMES.contains(&name) =>
            {
                Reply::line(texts::plugins::overview::built_in(name))
            }
            [switch @ ("disable" | "enable"), name] => self.switch(caller, name, switch == "enable").await,
            ["history", name] => self.plugin_history(name).await,
            ["rollback", name] => self.roll_back(caller, name).await,
            ["reload", name] => self.reload_plugin(caller, name).await,
            [name] if !["disable", "enable", "history", "rollback"].contains(&name) => {
                self.plugin_details(caller, name)
            }
            _ => Reply::line(texts::plugins::overview::usage()),
        }
    }
}
