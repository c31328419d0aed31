//! `/maro plugins`: what is installed, and how it does.

use crate::commands::{
    Commands,
    plugins::details::{build, health, owns, reason, recent_fault},
};
use maro_domain::{
    caller::Caller,
    issue::one_line,
    reply::{Block, Reply, Span},
};
use maro_runtime::{
    registry::snapshot::{Disabled, Plugins},
    running::plugin::LoadedPlugin,
};
use maro_texts::{
    self as texts,
    plugins::{overview::Listed, plugin_details as details},
};

/// How much of a fault is shown to those who may read it, and of each other reason, in characters. The log has
/// the rest.
const FAULT_LENGTH: usize = 500;
const REASON_LENGTH: usize = 400;

/// How much of a name is shown, in characters.
const NAME_LENGTH: usize = 60;

impl Commands {
    /// What plugins printed, which may be what somebody typed elsewhere, is for admins and owners.
    pub(super) fn list(&self, caller: &Caller) -> Reply {
        let plugins = self.registry.plugins();
        let is_admin = caller.is_among(&self.admins.get());
        let running = plugins.all().map(|plugin| {
            let reads_faults = is_admin || owns(caller, plugin);
            self.listed(&plugins, plugin, reads_faults).line()
        });
        let disabled = plugins.all_disabled().map(disabled_line);
        let machine = plugins.machine_problem().map(|problem| problem.to_string());
        let others = plugins.without_version().filter(|refusal| !refusal.reason.is_of_the_machine());
        let refused = others.map(|refusal| {
            let (reason, is_short) = shown(&reason(refusal, is_admin));
            let file = one_line(&refusal.file, NAME_LENGTH);
            let mut line = texts::plugins::overview::file_rejected(&file, &reason, false);
            let name = file.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or(&file);
            line.extend(is_short.then(|| details::more_in_details(name)).into_iter().flatten());
            line
        });
        let loading = plugins.loading_first().map(|file| {
            texts::plugins::loading::file_loading(&one_line(file, NAME_LENGTH), self.long_wait(file))
        });
        let items: Vec<_> = running.chain(disabled).chain(refused).chain(loading).collect();
        let mut reply = match (&machine, items.is_empty()) {
            (None, true) => return Reply::sentence(texts::commands::NONE_INSTALLED),
            (None, false) => Reply::sentence(texts::plugins::overview::HEADING),
            (Some(problem), _) => Reply::line(texts::reason_with_code(problem)),
        };
        if !items.is_empty() {
            reply.blocks.push(Block::items(items));
        }
        reply
    }

    fn listed<'a>(&self, plugins: &Plugins, plugin: &'a LoadedPlugin, reads_faults: bool) -> Listed<'a> {
        let shown = |text: &str| shown(text).0;
        let now = self.capabilities.clock.now();
        Listed {
            build: build(plugin),
            health: health(plugin, now),
            last_fault: recent_fault(plugin, now)
                .map(|last| (last.incident, reads_faults.then(|| one_line(&last.fault, FAULT_LENGTH)))),
            permissions: plugin.manifest().grants.iter().map(|grant| grant.as_str()).collect(),
            warnings: plugin.warnings().iter().map(|warning| shown(warning)).collect(),
            newer_rejected: plugins
                .newer_refusal(plugin)
                .map(|refusal| shown(&reason(refusal, reads_faults))),
            newer_loading: self.newer_loading(plugins, plugin),
        }
    }
}

/// A reason as the list shows it, and whether that is not all of it.
fn shown(reason: &str) -> (String, bool) {
    let reason = one_line(reason, 10 * REASON_LENGTH);
    match details::shortened(&reason, REASON_LENGTH) {
        Some(short) => (short, true),
        None => (reason, false),
    }
}

fn disabled_line(disabled: &Disabled) -> Vec<Span> {
    let Disabled { switch, plugin } = disabled;
    let name = one_line(&switch.plugin, NAME_LENGTH);
    texts::plugins::overview::turned_off(&name, plugin.as_deref().map(build), &switch.disabled_by)
}
