//! Commands behind buttons. A plugin writes what it likes on a button, so a press runs a command of another plugin
//! or of MARO itself only if the plugin's operator says so or Slack has shown the command and asked.

use crate::commands::{CommandOutcome, Commands, LOADING_PATIENCE, Typed, choosing::aliases};
use maro_domain::{
    command_name::CommandName,
    reply::{Block, Button, ButtonKind, MAX_CONFIRMED_COMMAND, Maker, Reply},
};
use maro_texts as texts;

impl Commands {
    /// The command of a button of MARO's own, which messages of earlier releases may name as it was then.
    pub(crate) fn command_of_now<'a>(maker: Option<&Maker>, command: &'a str) -> &'a str {
        match (maker, command) {
            // [Fewer]
            (Some(Maker::Host), "notify done") => "notify fewer",
            _ => command,
        }
    }

    /// The name of the command that runs where this is typed, whatever stands before it and whatever else it's called.
    pub(crate) fn named_by(&self, typed: &str, command_name: &CommandName) -> String {
        let (name, _) = self.split(self.within(typed, command_name));
        match aliases::command(&name) {
            Some(command) if !self.is_name(&name) => command.to_owned(),
            _ => name,
        }
    }

    /// Whether the command behind a button of this maker runs without being shown first.
    pub(crate) async fn runs_at_once(
        &self,
        maker: Option<&Maker>,
        command: &str,
        command_name: &CommandName,
    ) -> bool {
        match maker {
            Some(Maker::Host) => true,
            Some(Maker::Plugin(maker)) => {
                let plugins = self.registry.settled(maker, LOADING_PATIENCE).await;
                let name = self.named_by(command, command_name);
                // What became of a plugin doesn't change what its button says, but its operator may now forbid it.
                plugins.get(maker).is_some_and(|plugin| plugin.manifest().lets_buttons_run(maker, &name))
                    || name == **maker
            }
            None => false,
        }
    }

    /// Runs the command behind a button, or asks first.
    pub(crate) async fn run_pressed(&self, typed: Typed<'_>, is_confirmed: bool) -> CommandOutcome {
        if is_confirmed { self.run(typed).await } else { CommandOutcome::Refused(asking(typed.text)) }
    }
}

/// The command as a button with Slack's dialog, of which the host is the maker.
fn asking(command: &str) -> Reply {
    if command.encode_utf16().count() > MAX_CONFIRMED_COMMAND {
        return Reply::sentence(texts::commands::TOO_LONG_TO_ASK);
    }
    let mut reply = Reply::line(texts::commands::asks_first(command));
    let button = Button {
        label: texts::commands::RUN_IT.to_owned(),
        command: command.to_owned(),
        kind: ButtonKind::Runs,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: true,
    };
    reply.blocks.push(Block::Buttons(vec![button]));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_of_an_earlier_release_turns_nothing_up() {
        let host = Some(Maker::Host);
        assert_eq!(Commands::command_of_now(host.as_ref(), "notify done"), "notify fewer");
        assert_eq!(Commands::command_of_now(host.as_ref(), "notify off"), "notify off");
        let plugin = Some(Maker::Plugin("rota".into()));
        assert_eq!(Commands::command_of_now(plugin.as_ref(), "notify done"), "notify done");
        assert_eq!(Commands::command_of_now(None, "notify done"), "notify done");
    }
}
