//! `/maro plugins NAME`: all there is to know about one plugin.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::commands::{Commands, choosing::unknown};
use maro_access::named_channel::NamedChannel;
use maro_domain::{
    caller::Caller,
    issue::one_line,
    reply::{Block, Reply, Span},
};
use maro_process::breaker::BreakerStatus;
use maro_runtime::{
    policy::{
        grants::{Grant, ProjectKey},
        scopes::{GrantPlace, GrantScope, Scope},
    },
    registry::snapshot::{Absence, Plugins, RefusedFile},
    running::{plugin::LoadedPlugin, plugin_health::LastFault},
};
use maro_texts::{
    self as texts,
    plugins::{
        loading::{LongWait, newer_loading},
        overview::{Build, Health},
        plugin_details::{self as details, Permission},
    },
};

/// How much of a digest the list shows, in characters: enough to tell two builds apart.
const DIGEST_LENGTH: usize = 12;

/// How much of a reason or a fault is shown, in characters: as much as fits into a line of Slack's.
const MAX_REASON: usize = 2_000;

/// For how long a fault says something about a plugin.
const FAULTS_COUNT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// As a plugin is shown in the list and in its details.
pub(crate) fn build(plugin: &LoadedPlugin) -> Build<'_> {
    Build {
        name: plugin.name(),
        version: &plugin.description().version,
        digest: plugin.digest().get(..DIGEST_LENGTH).unwrap_or(plugin.digest()),
    }
}

pub(crate) fn health(plugin: &LoadedPlugin, now: Timestamp) -> Health {
    match plugin.breaker() {
        BreakerStatus::Closed => Health::Running,
        BreakerStatus::HalfOpen => Health::Retrying,
        BreakerStatus::Open { until } => {
            Health::Paused(Duration::try_from(until.duration_since(now)).unwrap_or_default())
        }
    }
}

/// The latest fault, if it was lately.
pub(crate) fn recent_fault(plugin: &LoadedPlugin, now: Timestamp) -> Option<LastFault> {
    plugin.last_fault().filter(|last| now.duration_since(last.at) < FAULTS_COUNT_FOR)
}

/// Whether this is one of a plugin's owners, who are in the bot's own workspace.
pub(crate) fn owns(caller: &Caller, plugin: &LoadedPlugin) -> bool {
    caller.foreign_team.is_none() && plugin.manifest().owners.contains(&caller.user)
}

pub(crate) fn reason(refusal: &RefusedFile, reads_faults: bool) -> String {
    if reads_faults { refusal.reason.to_string() } else { refusal.reason.in_public() }
}

impl Commands {
    pub(crate) fn plugin_details(&self, caller: &Caller, name: &str) -> Reply {
        let plugins = self.registry.plugins();
        let disabled = plugins.disabled(name);
        let plugin = plugins.get(name).or_else(|| disabled?.plugin.as_ref());
        let is_off = disabled.map(|disabled| details::is_off(&disabled.switch.disabled_by));
        let Some(plugin) = plugin else { return self.without_version(caller, &plugins, name, is_off) };
        let reads_faults = caller.is_among(&self.admins.get()) || owns(caller, plugin);
        let now = self.capabilities.clock.now();
        let has_failed = recent_fault(plugin, now).is_some();
        let heading = details::heading(build(plugin), &health(plugin, now).sentence(has_failed));
        let mut items: Vec<_> = is_off.into_iter().collect();
        items.extend(facts(plugin));
        items.extend(plugin.last_fault().map(|last| {
            let age = Duration::try_from(now.duration_since(last.at)).unwrap_or_default();
            let fault = reads_faults.then(|| one_line(&last.fault, MAX_REASON));
            details::last_fault(&last.incident, age, fault.as_deref())
        }));
        items
            .extend(plugin.warnings().iter().map(|warning| details::warning(&one_line(warning, MAX_REASON))));
        items.extend(
            plugins.newer_refusal(plugin).map(|refusal| {
                details::newer_rejected(&one_line(&reason(refusal, reads_faults), MAX_REASON))
            }),
        );
        items.extend(self.newer_loading(&plugins, plugin).map(|newer| vec![Span::Text(newer)]));
        let mut reply = Reply::line(heading);
        reply.blocks.push(Block::items(items));
        reply
    }

    /// A sentence about a newer version that isn't loaded yet.
    pub(super) fn newer_loading(&self, plugins: &Plugins, plugin: &LoadedPlugin) -> Option<String> {
        let wait = self.long_wait(&format!("{}.wasm", plugin.name()));
        (wait.is_some() || plugins.is_loading(plugin)).then(|| newer_loading(wait))
    }

    pub(super) fn long_wait(&self, file: &str) -> Option<LongWait> {
        self.registry.wait(file).map(|wait| (wait.time, wait.stage.reason()))
    }

    fn without_version(
        &self,
        caller: &Caller,
        plugins: &Plugins,
        name: &str,
        is_off: Option<Vec<Span>>,
    ) -> Reply {
        let is_admin = caller.is_among(&self.admins.get());
        let refusal = plugins.without_version().find(|refusal| is_of(&refusal.file, name));
        if let Some(refusal) = refusal {
            let reason = one_line(&reason(refusal, is_admin), MAX_REASON);
            let mut reply =
                Reply::line(texts::plugins::overview::file_rejected(&refusal.file, &reason, false));
            reply.blocks.extend(is_off.map(Block::Paragraph));
            return reply;
        }
        match (is_off, plugins.absence(name)) {
            (Some(is_off), _) => Reply::line(is_off),
            (None, Absence::Loading) => Reply::line(texts::commands::still_loading(name)),
            (None, _) => unknown::plugin(plugins, name),
        }
    }
}

fn ids(channels: &[NamedChannel]) -> Vec<&str> {
    channels.iter().map(NamedChannel::as_str).collect()
}

/// The plugin that a word names. In the list, one that can't be loaded is shown by its file.
pub(super) fn plugin_named(word: &str) -> &str {
    let file = word.rsplit('/').next().unwrap_or(word);
    let name = file.split_once(".wasm").map(|(name, _)| name).or_else(|| file.strip_suffix(".toml"));
    name.filter(|name| !name.is_empty() && !word.contains("..")).unwrap_or(word)
}

/// Whether a file is or would be that of a plugin.
fn is_of(file: &str, name: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    plugin_named(&file) == name
}

fn facts(plugin: &LoadedPlugin) -> Vec<Vec<Span>> {
    let (manifest, tenure) = (plugin.manifest(), plugin.tenure());
    let before = tenure.before.as_ref().map(|before| (&*before.version, &*before.digest));
    let none = GrantScope::default();
    let scopes = |grant: &Grant| manifest.scope.get(grant).unwrap_or(&none).all(*grant).map(permission);
    let permissions: Vec<_> = manifest.grants.iter().flat_map(scopes).collect();
    let usage = plugin.metrics().usage().outcomes;
    let outcomes: Vec<_> = usage.iter().map(|(outcome, count)| (outcome.as_str(), *count)).collect();
    let since = tenure.since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let mut facts = vec![
        details::file(&format!("{}.wasm", plugin.name()), plugin.size(), &since),
        details::digest(plugin.digest()),
        details::before(before),
        details::permissions(&permissions),
    ];
    if manifest.allows(Grant::Http) {
        let hosts = manifest.hosts.iter().map(ToString::to_string).collect();
        let private_hosts = manifest.private_hosts.iter().map(ToString::to_string).collect();
        facts.extend(details::hosts(hosts, private_hosts));
    }
    let secrets: Vec<_> = manifest.secrets.described().collect();
    facts.extend(details::secrets(&secrets));
    facts.extend(details::buttons(&manifest.buttons));
    facts.extend([
        details::limits(&manifest.limits.named()),
        details::pin(&format!("{}.toml", plugin.name()), manifest.sha256.is_some()),
        details::calls(&outcomes),
    ]);
    facts
}

/// A permission or a part of it.
fn permission((place, scope): (GrantPlace, &Scope)) -> Permission<'_> {
    Permission {
        name: place.to_string(),
        projects: scope.projects.as_ref().map(|projects| projects.iter().map(ProjectKey::as_str).collect()),
        only_in_channels: scope.only_in_channels.as_deref().map(ids),
        not_in_channels: ids(&scope.not_in_channels),
        admins_only: scope.admins_only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_by_its_file_too() {
        for (word, expected) in [
            ("digest", "digest"),
            ("digest.wasm", "digest"),
            ("digest.toml", "digest"),
            ("digest.wasm.gz", "digest"),
            ("old/digest.wasm", "digest"),
            ("digest.v2", "digest.v2"),
            (".wasm", ".wasm"),
            ("../digest", "../digest"),
            ("../digest.wasm", "../digest.wasm"),
        ] {
            assert_eq!(plugin_named(word), expected);
        }
    }
}
