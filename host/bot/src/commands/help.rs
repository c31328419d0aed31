//! `/maro help`, made from what the loaded plugins say of themselves.

use crate::commands::unknown;
use maro_domain::reply::{Block, Reply, Span};
use maro_runtime::{registry::snapshot::Plugins, running::version::Description};
use maro_tickets::texts;

/// The host's own subcommands: name, usage, summary.
pub const OWN: [(&str, &str, &str); 4] = [
    ("create", "create [summary]", texts::commands::CREATE_SUMMARY),
    ("stories", "stories EPIC-KEY", texts::commands::STORIES_SUMMARY),
    ("help", "help [command]", texts::commands::HELP_SUMMARY),
    ("plugins", "plugins", texts::commands::PLUGINS_SUMMARY),
];

/// Everything that can be typed.
pub(super) fn all(plugins: &Plugins) -> Reply {
    let mut items: Vec<_> = plugins.all().map(|plugin| line(plugin.description())).collect();
    if items.is_empty() {
        return Reply::sentence(texts::commands::NONE_INSTALLED);
    }
    items.extend(OWN.iter().map(|(_, usage, summary)| texts::commands::listed(usage, summary)));
    let mut reply = Reply::sentence(texts::commands::HELP_HEADING);
    reply.blocks.push(Block::items(items));
    reply
}

/// One subcommand.
pub(super) fn one(plugins: &Plugins, arguments: &str) -> Reply {
    let name = arguments.trim().trim_start_matches("/maro ").to_lowercase();
    let line = match name.as_str() {
        name if OWN.iter().any(|(own, ..)| *own == name) => OWN
            .iter()
            .filter(|(own, ..)| *own == name)
            .flat_map(|(_, usage, summary)| texts::commands::listed(usage, summary))
            .collect(),
        name => match plugins.get(name) {
            Some(plugin) => line(plugin.description()),
            None => return unknown::subcommand(plugins, name),
        },
    };
    Reply::line(line)
}

/// Why the arguments cannot be used, and how the subcommand is used.
pub(super) fn usage(description: &Description, sentence: &str) -> Reply {
    let mut reply = Reply::sentence(sentence);
    reply.blocks.push(Block::Paragraph(texts::commands::usage(&usage_of(description))));
    reply
}

fn line(description: &Description) -> Vec<Span> {
    texts::commands::listed(&usage_of(description), &description.summary)
}

/// What is typed after `/maro`.
fn usage_of(description: &Description) -> String {
    format!("{} {}", description.name, description.usage).trim_end().to_owned()
}
