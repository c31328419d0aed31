//! `/maro plugins`: what is installed, how it does, and for administrators loading it anew.

use crate::{
    commands::Commands,
    domain::{
        issue::one_line,
        reply::{Block, Reply, Span, Visibility},
    },
    plugin::{instance::Caller, loaded::LoadedPlugin, registry::Plugins},
    texts,
};

/// How much of a digest is shown, in characters: enough to tell two builds apart.
const DIGEST_LENGTH: usize = 12;

/// How much of a fault is shown, in characters. The log has the rest.
const FAULT_LENGTH: usize = 200;

impl Commands {
    pub(super) async fn plugins(&self, caller: &Caller, arguments: &str) -> Reply {
        match arguments.trim() {
            "" => list(&self.registry.plugins()),
            "reload" if !self.admins.contains(&caller.user) => Reply::sentence(texts::ADMINS_ONLY),
            "reload" => self.reload_plugins(caller).await,
            _ => Reply::sentence(texts::PLUGINS_USAGE),
        }
    }

    async fn reload_plugins(&self, caller: &Caller) -> Reply {
        tracing::info!(user = caller.user.as_str(), "plugins are loaded anew on request");
        match self.registry.load().await {
            Ok(plugins) => list(&plugins),
            Err(error) => {
                tracing::error!(%error, "the plugins folder cannot be read");
                Reply::sentence(texts::PLUGINS_UNREADABLE)
            }
        }
    }
}

fn list(plugins: &Plugins) -> Reply {
    let serving = plugins.all().map(|plugin| serving_line(plugin));
    let refused = plugins.refused.iter().map(|refusal| {
        vec![
            Span::Code(format!("{}.wasm", one_line(&refusal.file, 60))),
            Span::Text(format!(" does not serve: {}", one_line(&refusal.reason.to_string(), FAULT_LENGTH))),
        ]
    });
    let items: Vec<_> = serving.chain(refused).collect();
    if items.is_empty() {
        return Reply::sentence(texts::NO_PLUGINS);
    }
    Reply {
        visibility: Visibility::Caller,
        blocks: vec![
            Block::Paragraph(vec![Span::Text(texts::PLUGINS_HEADING.to_owned())]),
            Block::items(items),
        ],
    }
}

fn serving_line(plugin: &LoadedPlugin) -> Vec<Span> {
    let grants = plugin.manifest.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(", ");
    let grants = if grants.is_empty() { "nothing granted".to_owned() } else { format!("granted {grants}") };
    let health = match plugin.last_fault() {
        Some(fault) => format!("last fault: {}", one_line(&fault, FAULT_LENGTH)),
        None => "healthy".to_owned(),
    };
    vec![
        Span::Strong(plugin.description.name.to_string()),
        Span::Text(format!(" {} ", plugin.description.version)),
        Span::Code(plugin.digest.chars().take(DIGEST_LENGTH).collect()),
        Span::Text(format!(": {grants}; {health}")),
    ]
}
