//! `/maro help`, made from what the loaded plugins say of themselves.

use crate::{
    commands::unknown,
    domain::reply::{Block, Reply, Span, Visibility},
    plugin::{loaded::Description, registry::Plugins},
    texts,
};

/// Everything that can be typed.
pub(super) fn all(plugins: &Plugins) -> Reply {
    let mut items: Vec<_> = plugins.all().map(|plugin| line(&plugin.description)).collect();
    if items.is_empty() {
        return Reply::sentence(texts::NO_PLUGINS);
    }
    items.push(own_line("help [subcommand]", texts::HELP_SUMMARY));
    items.push(own_line("plugins", texts::PLUGINS_SUMMARY));
    Reply {
        visibility: Visibility::Caller,
        blocks: vec![Block::Paragraph(vec![Span::Text(texts::HELP_HEADING.to_owned())]), Block::Items(items)],
    }
}

/// One subcommand.
pub(super) fn one(plugins: &Plugins, arguments: &str) -> Reply {
    let name = arguments.trim().trim_start_matches("/maro ").to_lowercase();
    let line = match name.as_str() {
        "help" => own_line("help [subcommand]", texts::HELP_SUMMARY),
        "plugins" => own_line("plugins", texts::PLUGINS_SUMMARY),
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
