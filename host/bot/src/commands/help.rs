//! `/maro help`, made from what the loaded plugins say of themselves.

use crate::commands::unknown;
use maro_domain::reply::{Block, Reply, Span, Visibility};
use maro_runtime::{registry::snapshot::Plugins, running::loaded::Description};
use maro_tickets::texts;

/// The host's own subcommands: name, usage, summary.
pub const OWN: [(&str, &str, &str); 4] = [
    ("create", "create [summary]", texts::CREATE_SUMMARY),
    ("stories", "stories EPIC-KEY", texts::STORIES_SUMMARY),
    ("help", "help [subcommand]", texts::HELP_SUMMARY),
    ("plugins", "plugins", texts::PLUGINS_SUMMARY),
];

/// Everything that can be typed.
pub(super) fn all(plugins: &Plugins) -> Reply {
    let mut items: Vec<_> = plugins.all().map(|plugin| line(&plugin.description)).collect();
    if items.is_empty() {
        return Reply::sentence(texts::NO_PLUGINS);
    }
    items.extend(OWN.iter().map(|(_, usage, summary)| own_line(usage, summary)));
    Reply {
        visibility: Visibility::Caller,
        blocks: vec![Block::Paragraph(vec![Span::Text(texts::HELP_HEADING.to_owned())]), Block::items(items)],
    }
}

/// One subcommand.
pub(super) fn one(plugins: &Plugins, arguments: &str) -> Reply {
    let name = arguments.trim().trim_start_matches("/maro ").to_lowercase();
    let line = match name.as_str() {
        name if OWN.iter().any(|(own, ..)| *own == name) => OWN
            .iter()
            .filter(|(own, ..)| *own == name)
            .flat_map(|(_, usage, summary)| own_line(usage, summary))
            .collect(),
        name => match plugins.get(name) {
            Some(plugin) => line(&plugin.description),
            None => return unknown::subcommand(plugins, name),
        },
    };
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(line)] }
}

/// Why the arguments cannot be used, and how the subcommand is used.
pub(super) fn usage(description: &Description, sentence: &str) -> Reply {
    Reply {
        visibility: Visibility::Caller,
        blocks: vec![
            Block::Paragraph(vec![Span::Text(sentence.to_owned())]),
            Block::Paragraph(vec![
                Span::Text(texts::USAGE.to_owned()),
                Span::Code(command_line(&description.name, &description.usage)),
            ]),
        ],
    }
}

fn line(description: &Description) -> Vec<Span> {
    vec![
        Span::Code(command_line(&description.name, &description.usage)),
        Span::Text(format!(" {}", description.summary)),
    ]
}

fn own_line(usage: &str, summary: &str) -> Vec<Span> {
    vec![Span::Code(format!("/maro {usage}")), Span::Text(format!(" {summary}"))]
}

fn command_line(name: &str, usage: &str) -> String {
    format!("/maro {name} {usage}").trim_end().to_owned()
}
