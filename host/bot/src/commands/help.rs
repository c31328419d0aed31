//! `/maro help`, made from what the loaded plugins say of themselves.

use crate::commands::choosing::{aliases, host_commands::OwnCommand, name_typed, unknown};
use maro_domain::{
    issue::one_line,
    reply::{Block, Reply, Span},
    words::letters::{is_filler, is_small},
};
use maro_runtime::{loading::folder, registry::snapshot::Plugins, running::version::Description};
use maro_texts as texts;

/// How much of a file's name is shown, in characters.
const MAX_NAME_LENGTH: usize = 40;

/// Everything that can be typed.
pub(super) fn all(plugins: &Plugins) -> Reply {
    let mut items: Vec<_> = plugins.all().map(|plugin| line(plugin.description())).collect();
    let loading: Vec<_> = plugins.loading_first().map(folder::stem).map(shown).collect();
    let is_loading = !loading.is_empty() || !plugins.are_listed();
    let heading = match items.is_empty() && !is_loading {
        true if plugins.are_none() => texts::commands::help_without_plugins(),
        true => texts::commands::help_without_running_plugins(),
        false => texts::commands::help_heading(),
    };
    items.push(texts::commands::listed("KEY", texts::commands::SHOW_SUMMARY));
    items.extend(OwnCommand::ALL.map(own_line));
    let mut reply = Reply::line(heading);
    reply.blocks.push(Block::items(items));
    if is_loading {
        reply.blocks.push(Block::Paragraph(texts::commands::others_loading(&loading)));
    }
    reply
}

fn shown(name: &str) -> String {
    one_line(name, MAX_NAME_LENGTH)
}

/// The subcommand that is asked about, which may be anywhere in a sentence: `how do I “track”?`
pub(super) fn one(plugins: &Plugins, arguments: &str) -> Reply {
    let words: Vec<String> = arguments
        .split_whitespace()
        .map(|word| name_typed::split(word).0)
        .filter(|word| !word.is_empty())
        .collect();
    if let Some(reply) = words.iter().find_map(|word| of_command(plugins, word)) {
        return reply;
    }
    match &words[..] {
        // It stands in the list as it's typed.
        [word] if word == "key" => Reply::line(texts::commands::listed("KEY", texts::commands::SHOW_SUMMARY)),
        // `help me`, `help, please` asks about no command.
        [word] if !is_small(word) && !is_filler(word) && !name_typed::is_courtesy(word) => {
            unknown::subcommand(plugins, word)
        }
        _ => all(plugins),
    }
}

/// The help of the command with this name, or that other programs call so.
fn of_command(plugins: &Plugins, name: &str) -> Option<Reply> {
    if let Some(own) = OwnCommand::named(name) {
        let mut reply = Reply::line(own_line(own));
        reply.blocks.extend(more(own).map(Block::Paragraph));
        return Some(reply);
    }
    let aliased = || aliases::command(name).and_then(|command| plugins.get(command));
    Some(Reply::line(line(plugins.get(name).or_else(aliased)?.description())))
}

/// Why the arguments cannot be used, and how the subcommand is used.
pub(super) fn usage(description: &Description, sentence: &str) -> Reply {
    let mut reply = Reply::sentence(sentence);
    reply.blocks.push(Block::Paragraph(texts::commands::usage(&usage_of(description))));
    reply
}

/// What else can be typed behind a command of the host's.
fn more(own: OwnCommand) -> Option<Vec<Span>> {
    match own {
        OwnCommand::Notify => Some(texts::notices::usage()),
        OwnCommand::Plugins => Some(texts::plugins::overview::usage()),
        OwnCommand::Create | OwnCommand::Stories | OwnCommand::Where | OwnCommand::Help => None,
    }
}

fn own_line(own: OwnCommand) -> Vec<Span> {
    texts::commands::listed(&own.usage(), own.summary())
}

fn line(description: &Description) -> Vec<Span> {
    texts::commands::listed(&usage_of(description), &description.summary)
}

/// What is typed after `/maro`.
fn usage_of(description: &Description) -> String {
    format!("{} {}", description.name, description.usage).trim_end().to_owned()
}
