//! The plugins in the form that the page shows.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::builds::BuildState;
use maro_bot::commands::choosing::host_commands::OwnCommand;
use maro_process::metrics::commands::Usage;
use maro_runtime::{
    plugin_changes::{PluginChange, PluginEvent},
    registry::snapshot::Plugins,
    running::plugin::LoadedPlugin,
};

/// All commands that can be typed, which plugins are loaded, and why others aren't.
pub(super) fn plugins(plugins: &Plugins) -> Value {
    let refused =
        plugins.without_version().map(|it| json!({ "file": it.file, "reason": it.reason.to_string() }));
    let serving = plugins.all().map(|plugin| serving(plugins, plugin));
    let disabled = plugins
        .all_disabled()
        .map(|it| json!({ "name": it.switch.plugin, "by": it.switch.disabled_by.as_str() }));
    let own = OwnCommand::ALL
        .map(|own| json!({ "name": own.name(), "usage": own.arguments(), "summary": own.summary() }));
    json!({
        "serving": serving.collect::<Vec<_>>(),
        "disabled": disabled.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "own": own,
    })
}

pub(super) fn builds(builds: &BTreeMap<String, BuildState>) -> Value {
    let shape = |state: &BuildState| match state {
        BuildState::Running => json!({ "state": "running" }),
        BuildState::Succeeded => json!({ "state": "succeeded" }),
        BuildState::Failed { output } => json!({ "state": "failed", "output": output }),
    };
    builds.iter().map(|(plugin, state)| (plugin.clone(), shape(state))).collect()
}

/// Recent plugin events, oldest first.
pub(super) fn events(events: &[PluginEvent]) -> Value {
    let shape = |event: &PluginEvent| {
        let mut shape = change(&event.what);
        shape["at"] = json!(event.at.as_millisecond());
        shape["plugin"] = json!(event.plugin);
        shape
    };
    events.iter().map(shape).collect()
}

fn change(what: &PluginChange) -> Value {
    match what {
        PluginChange::Loaded { digest } => json!({ "what": "loaded", "digest": digest }),
        PluginChange::Replaced { from, to } => json!({ "what": "replaced", "from": from, "to": to }),
        PluginChange::Removed => json!({ "what": "removed" }),
        PluginChange::Refused { reason, kept, .. } => {
            json!({ "what": "refused", "reason": reason, "kept": kept })
        }
        PluginChange::Disabled { by } => json!({ "what": "disabled", "by": by.as_str() }),
        PluginChange::Enabled => json!({ "what": "enabled" }),
        PluginChange::BreakerOpened { until } => {
            json!({ "what": "breaker_opened", "until": until.as_millisecond() })
        }
        PluginChange::BreakerClosed => json!({ "what": "breaker_closed" }),
    }
}

fn serving(plugins: &Plugins, plugin: &LoadedPlugin) -> Value {
    let description = plugin.description();
    let Usage { outcomes, measured, latency } = plugin.metrics().usage();
    let calls: Vec<_> = outcomes
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| json!({ "outcome": outcome.as_str(), "count": count }))
        .collect();
    let average = |total: Duration| total.as_micros() / u128::from(measured.max(1));
    json!({
        "name": &*description.name,
        "version": description.version,
        "summary": description.summary,
        "usage": description.usage,
        "digest": plugin.digest(),
        "grants": plugin.manifest().grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "calls": calls,
        "average_micros": {
            "instantiate": average(latency.instantiate),
            "guest": average(latency.guest),
            "host": average(latency.host),
        },
        "last_fault": plugin.last_fault().map(|last| format!("{} (incident {})", last.fault, last.incident)),
        "is_resting": plugin.breaker().is_open(),
        "newer_refused": plugins.newer_refusal(plugin).map(|refusal| refusal.reason.to_string()),
        "warnings": plugin.warnings(),
    })
}
