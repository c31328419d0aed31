//! `/maro plugins`: what is installed, how it does, and for admins, reloading it and turning it
//! off and on.

use crate::commands::{
    Commands,
    choosing::{host_commands::RESERVED_NAMES, unknown},
    plugins::details::{build, health, owns, reason, recent_fault},
};
use maro_access::roles::Role;
use maro_domain::{
    author::Author,
    caller::Caller,
    issue::one_line,
    reply::{Block, Reply, Span},
};
use maro_process::telemetry::error_chain;
use maro_runtime::{
    registry::snapshot::{Disabled, Plugins},
    running::plugin::LoadedPlugin,
};
use maro_store::database::error::DatabaseError;
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
    /// A plugin makes its buttons, and writes on them what it likes: what only administrators may do is not done
    /// by pressing one.
    pub(crate) async fn plugins(&self, caller: &Caller, arguments: &str) -> Reply {
        let words: Vec<_> = arguments.split_whitespace().map(str::to_lowercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words[..] {
            [] => self.list(caller),
            ["reload"] | ["reload" | "disable" | "enable" | "history" | "rollback", _]
                if let Some(sentence) = self.refusal(Role::Plugins, caller, &words.join(" ")).await =>
            {
                Reply::sentence(sentence)
            }
            ["reload"] | ["reload" | "disable" | "enable" | "rollback", _]
                if caller.pressed_command().is_some() =>
            {
                let command = one_line(&words.join(" "), NAME_LENGTH);
                Reply::line(texts::commands::only_typed(&format!("plugins {command}")))
            }
            ["reload"] => self.reload_plugins(caller).await,
            ["reload" | "disable" | "enable" | "history" | "rollback", name]
                if RESERVED_NAMES.contains(&name) =>
            {
                Reply::line(texts::plugins::overview::built_in(name))
            }
            [switch @ ("disable" | "enable"), name] => self.switch(caller, name, switch == "enable").await,
            ["history", name] => self.plugin_history(name).await,
            ["rollback", name] => self.roll_back(caller, name).await,
            ["reload", name] => self.reload_plugin(caller, name).await,
            [name] if !["disable", "enable", "history", "rollback"].contains(&name) => {
                self.plugin_details(caller, name)
            }
            _ => Reply::line(texts::plugins::overview::usage()),
        }
    }

    async fn reload_plugins(&self, caller: &Caller) -> Reply {
        if let Err(reply) = self.note_reload(caller, "all").await {
            return reply;
        }
        tracing::info!(user = caller.user.as_str(), "reloading plugins on request");
        match self.registry.load().await {
            Ok(_) => self.list(caller),
            Err(_) => Reply::sentence(texts::plugins::overview::FOLDER_UNREADABLE),
        }
    }

    /// Notes in the audit log who reloads plugins. An error is the reply to a replayed request.
    pub(super) async fn note_reload(&self, caller: &Caller, subject: &str) -> Result<(), Reply> {
        match self.capabilities.audit.begin(&Author::from(caller), "plugin reload", subject).await {
            Ok(()) => {}
            Err(error @ DatabaseError::Replayed) => {
                return Err(Reply::line(texts::failures::database::switch_failed(&error)));
            }
            // What is wrong with the folder may have to be mended while the database is away.
            Err(error) => tracing::warn!(
                user = caller.user.as_str(),
                error = error_chain(&error),
                "couldn't note a plugin reload in the audit log"
            ),
        }
        Ok(())
    }

    /// Switches a plugin on or off, for all replicas and after every restart.
    async fn switch(&self, caller: &Caller, name: &str, on: bool) -> Reply {
        let plugins = self.registry.plugins();
        if plugins.get(name).is_none() && plugins.disabled(name).is_none() {
            return unknown::plugin(&plugins, name);
        }
        let (stored, now) = (&self.plugin_switches, self.capabilities.clock.now());
        let written = match on {
            true => stored.enable(name, &Author::from(caller), now).await,
            false => stored.disable(name, &Author::from(caller), now).await,
        };
        let changed = match written {
            Ok(changed) => changed,
            Err(error) => {
                tracing::info!(
                    plugin = name,
                    error = error_chain(&error),
                    "couldn't turn a plugin on or off"
                );
                return Reply::line(texts::failures::database::switch_failed(&error));
            }
        };
        let switches = match stored.disabled().await {
            Ok(switches) => switches,
            // The change is in the database, and takes effect when it can be read again.
            Err(error) => {
                tracing::info!(
                    plugin = name,
                    error = error_chain(&error),
                    "couldn't read which plugins are off"
                );
                return Reply::line(texts::failures::database::switch_unconfirmed());
            }
        };
        tracing::warn!(
            plugin = name,
            user = caller.user.as_str(),
            channel = caller.channel.as_str(),
            on,
            changed,
            "an admin turned a plugin on or off"
        );
        self.registry.set_switches(switches);
        Reply::line(match (on, changed) {
            (true, true) => texts::plugins::overview::back_on(name),
            (true, false) => texts::plugins::overview::already_on(name),
            (false, _) => texts::plugins::overview::now_off(name),
        })
    }

    /// What plugins printed, which may be what somebody typed elsewhere, is for administrators and owners.
    fn list(&self, caller: &Caller) -> Reply {
        let plugins = self.registry.plugins();
        let is_admin = caller.is_among(&self.admins.get());
        let serving = plugins.all().map(|plugin| {
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
        let loading = plugins
            .loading_first()
            .map(|file| texts::plugins::overview::file_loading(&one_line(file, NAME_LENGTH)));
        let items: Vec<_> = serving.chain(disabled).chain(refused).chain(loading).collect();
        let mut reply = match (&machine, items.is_empty()) {
            (None, true) => return Reply::sentence(texts::commands::NONE_INSTALLED),
            (None, false) => Reply::sentence(texts::plugins::overview::HEADING),
            (Some(problem), _) => Reply::sentence(texts::with_full_stop(problem)),
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
            newer_is_loading: plugins.is_loading(plugin),
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
