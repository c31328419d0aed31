//! The plugins as the page shows them.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    commands::help,
    metrics::Usage,
    plugin::{loaded::LoadedPlugin, registry::Plugins},
    sandbox::builds::BuildState,
};

/// Everything that can be typed, which plugins serve, and why others do not.
pub(super) fn plugins(plugins: &Plugins) -> Value {
    let refused =
        plugins.refused.iter().map(|it| json!({ "file": it.file, "reason": it.reason.to_string() }));
    let own = help::OWN.iter().map(|(name, usage, summary)| {
        let usage = usage.strip_prefix(name).unwrap_or_default().trim_start();
        json!({ "name": name, "usage": usage, "summary": summary })
    });
    json!({
        "serving": plugins.all().map(|plugin| serving(plugin)).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "own": own.collect::<Vec<_>>(),
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

fn serving(plugin: &LoadedPlugin) -> Value {
    let description = &plugin.description;
    let Usage { outcomes, measured, latency } = plugin.metrics.usage();
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
        "file": plugin.file,
        "digest": plugin.digest,
        "grants": plugin.manifest.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "calls": calls,
        "average_micros": {
            "instantiate": average(latency.instantiate),
            "guest": average(latency.guest),
            "host": average(latency.host),
        },
        "last_fault": plugin.last_fault().map(|last| format!("{} (incident {})", last.fault, last.incident)),
    })
}
