//! `/maro plugins`: what is installed, how it does, and for administrators loading it anew and switching it
//! off and on.

use std::time::Duration;

use crate::commands::{Commands, RESERVED_NAMES, unknown};
use maro_domain::{
    caller::Caller,
    issue::one_line,
    reply::{Block, Reply, Span, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_runtime::{
    registry::snapshot::{Disabled, Plugins},
    running::{breaker::BreakerStatus, loaded::LoadedPlugin},
};
use maro_tickets::texts;

/// How much of a digest is shown, in characters: enough to tell two builds apart.
const DIGEST_LENGTH: usize = 12;

/// How much of a fault is shown, in characters. The log has the rest.
const FAULT_LENGTH: usize = 200;

/// How much of a name is shown, in characters.
const NAME_LENGTH: usize = 60;

impl Commands {
    /// `is_pressed`: behind a button. A plugin makes its buttons, and writes on them what it likes: what only
    /// administrators may do is not done by pressing one.
    pub(super) async fn plugins(&self, caller: &Caller, arguments: &str, is_pressed: bool) -> Reply {
        let words: Vec<_> = arguments.split_whitespace().map(str::to_lowercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words[..] {
            [] => self.list(),
            ["reload"] | ["disable" | "enable", _] if !self.admins.contains(&caller.user) => {
                Reply::sentence(texts::ADMINS_ONLY)
            }
            ["reload"] | ["disable" | "enable", _] if is_pressed => {
                let command = one_line(&words.join(" "), NAME_LENGTH);
                Reply::sentence(texts::only_typed(&format!("/maro plugins {command}")))
            }
            ["reload"] => self.reload_plugins(caller).await,
            ["disable" | "enable", name] if RESERVED_NAMES.contains(&name) => {
                Reply::sentence(texts::not_a_plugin(name))
            }
            [switch @ ("disable" | "enable"), name] => self.switch(caller, name, switch == "enable").await,
            _ => Reply::sentence(texts::PLUGINS_USAGE),
        }
    }

    async fn reload_plugins(&self, caller: &Caller) -> Reply {
        tracing::info!(user = caller.user.as_str(), "plugins are loaded anew on request");
        match self.registry.load().await {
            Ok(_) => self.list(),
            Err(error) => {
                tracing::error!(%error, "the plugins folder cannot be read");
                Reply::sentence(texts::PLUGINS_UNREADABLE)
            }
        }
    }

    /// Switches a plugin on or off, for all replicas and after every restart.
    async fn switch(&self, caller: &Caller, name: &str, on: bool) -> Reply {
        let plugins = self.registry.plugins();
        if plugins.get(name).is_none() && plugins.disabled(name).is_none() {
            return unknown::plugin(&plugins, name);
        }
        let (records, now) = (&self.plugin_records, self.capabilities.clock.now());
        let written = match on {
            true => records.enable(name, &caller.user, now).await,
            false => records.disable(name, &caller.user, now).await,
        };
        let read = match written {
            Ok(changed) => records.disabled().await.map(|switches| (changed, switches)),
            Err(error) => Err(error),
        };
        let (changed, switches) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(plugin = name, error = error_chain(&error), "a plugin was not switched");
                return Reply::sentence(texts::NOTHING_WRITTEN);
            }
        };
        tracing::warn!(
            plugin = name,
            user = caller.user.as_str(),
            channel = caller.channel.as_str(),
            on,
            changed,
            "a plugin was switched by an administrator"
        );
        self.registry.set_switches(switches);
        Reply::sentence(match (on, changed) {
            (true, true) => texts::plugin_enabled(name),
            (true, false) => texts::plugin_not_disabled(name),
            (false, _) => texts::plugin_disabled(name),
        })
    }

    fn list(&self) -> Reply {
        let plugins = self.registry.plugins();
        let serving = plugins.all().map(|plugin| self.serving_line(&plugins, plugin));
        let disabled = plugins.all_disabled().map(disabled_line);
        let refused = plugins.without_version().map(|refusal| {
            let reason = one_line(&refusal.reason.to_string(), FAULT_LENGTH);
            vec![
                Span::Code(one_line(&refusal.file, NAME_LENGTH)),
                Span::Text(format!(" {}", texts::plugin_file_refused(&reason, false))),
            ]
        });
        let loading = plugins.loading_first().map(|file| {
            vec![Span::Code(one_line(file, NAME_LENGTH)), Span::Text(format!(" {}", texts::BEING_LOADED))]
        });
        let items: Vec<_> = serving.chain(disabled).chain(refused).chain(loading).collect();
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

    fn serving_line(&self, plugins: &Plugins, plugin: &LoadedPlugin) -> Vec<Span> {
        let grants = plugin.manifest.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(", ");
        let mut said =
            vec![if grants.is_empty() { texts::NOTHING_GRANTED.to_owned() } else { texts::granted(&grants) }];
        said.extend(self.breaker_state(plugin));
        said.extend(
            plugin
                .last_fault()
                .map(|last| texts::last_fault(&one_line(&last.fault, FAULT_LENGTH), &last.incident)),
        );
        if said.len() == 1 {
            said.push(texts::HEALTHY.to_owned());
        }
        said.extend(
            plugin.warnings.iter().map(|warning| texts::plugin_warning(&one_line(warning, FAULT_LENGTH))),
        );
        said.extend(
            plugins.newer_refusal(plugin).map(|refusal| {
                texts::newer_file_refused(&one_line(&refusal.reason.to_string(), FAULT_LENGTH))
            }),
        );
        said.extend(plugins.is_loading(plugin).then(|| texts::NEWER_BEING_LOADED.to_owned()));
        let mut spans = version(plugin);
        spans.push(Span::Text(format!(": {}", said.join("; "))));
        spans
    }

    fn breaker_state(&self, plugin: &LoadedPlugin) -> Option<String> {
        match plugin.breaker() {
            BreakerStatus::Closed => None,
            BreakerStatus::HalfOpen => Some(texts::BEING_TRIED.to_owned()),
            BreakerStatus::Open { until } => {
                let rest = until.duration_since(self.capabilities.clock.now());
                Some(texts::plugin_resting_for(Duration::try_from(rest).unwrap_or_default()))
            }
        }
    }
}

fn disabled_line(disabled: &Disabled) -> Vec<Span> {
    let mut spans = match &disabled.plugin {
        Some(plugin) => version(plugin),
        None => vec![
            Span::Strong(one_line(&disabled.switch.plugin, NAME_LENGTH)),
            Span::Text(format!(" {}", texts::NOT_INSTALLED)),
        ],
    };
    spans.push(Span::Text(texts::SWITCHED_OFF_BY.to_owned()));
    spans.push(Span::User(disabled.switch.disabled_by.clone()));
    spans
}

/// Name, version and digest.
fn version(plugin: &LoadedPlugin) -> Vec<Span> {
    vec![
        Span::Strong(plugin.description.name.to_string()),
        Span::Text(format!(" {} ", plugin.description.version)),
        Span::Code(plugin.digest.chars().take(DIGEST_LENGTH).collect()),
    ]
}
