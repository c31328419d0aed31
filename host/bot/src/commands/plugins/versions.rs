//! `/maro plugins history NAME` and `rollback NAME`: earlier versions of a plugin, for admins.

use std::{io, sync::Arc};

use crate::commands::{Commands, choosing::unknown};
use maro_domain::{
    author::Author,
    caller::Caller,
    reply::{Block, Reply},
};
use maro_process::telemetry::error_chain;
use maro_runtime::{registry::snapshot::Absence, running::plugin::LoadedPlugin};
use maro_store::plugin_switches::RollBack;
use maro_texts::{self as texts, plugins::plugin_details as details};

impl Commands {
    pub(crate) async fn plugin_history(&self, name: &str) -> Reply {
        let installed = self.installed(name);
        let kept = self.registry.kept_versions(name).await;
        let plugin = match (installed, &kept) {
            (Ok(plugin), _) => plugin,
            // What its file was is kept also where the file is gone.
            (Err(_), Some(kept)) if !kept.is_empty() => None,
            (Err(reply), _) => return reply,
        };
        let Some(kept) = kept else { return Reply::sentence(details::NONE_KEPT) };
        let is_off = self.registry.plugins().disabled(name).is_some();
        let running = |content: &str| match plugin.as_ref().is_some_and(|plugin| plugin.runs(content)) {
            true if is_off => details::TURNED_OFF,
            true => details::RUNNING,
            false => "",
        };
        let items = kept.iter().enumerate().map(|(newer, version)| {
            let since = version.since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
            let twins = || kept[..newer].iter().filter(|twin| twin.digest == version.digest);
            let note = match twins().next() {
                None => "",
                Some(_) if twins().any(|twin| twin.manifest == version.manifest) => details::SAME_MANIFEST,
                Some(_) => details::OTHER_MANIFEST,
            };
            details::kept_version(&version.version, &version.digest, &since, note, running(&version.content))
        });
        let mut reply = Reply::line(details::history(name));
        reply.blocks.push(Block::items(items));
        reply
    }

    /// Rolls a plugin back, for all replicas and after every restart.
    pub(crate) async fn roll_back(&self, caller: &Caller, name: &str) -> Reply {
        let plugin = match self.installed(name) {
            Ok(plugin) => plugin,
            Err(reply) => {
                let kept = self.registry.kept_versions(name).await.unwrap_or_default();
                return if kept.is_empty() { reply } else { Reply::line(details::no_file(name)) };
            }
        };
        let (before, content) = tokio::join!(
            self.registry.version_before(name, plugin.as_deref()),
            self.registry.file_content(name)
        );
        let (before, file_content) = match (before, content) {
            (Some(before), Ok(file_content)) => (before, file_content),
            (Some(_), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Reply::line(details::no_file(name));
            }
            _ => return Reply::line(details::no_earlier(name)),
        };
        let kept_content = before.content.clone();
        self.registry.forget_lifted(name);
        let row = RollBack { plugin: name.to_owned(), file_content, kept_content };
        let now = self.capabilities.clock.now();
        if let Err(error) = self.plugin_switches.roll_back(&row, &Author::from(caller), now).await {
            tracing::info!(plugin = name, error = error_chain(&error), "couldn't roll a plugin back");
            return Reply::line(texts::failures::database::switch_failed(&error));
        }
        tracing::warn!(
            plugin = name,
            user = caller.user.as_str(),
            digest = before.digest,
            "a plugin was rolled back by an administrator"
        );
        let reading = self.registry.begin_reading();
        let Ok(rows) = self.plugin_switches.rolled_back().await else {
            return Reply::line(texts::failures::database::switch_unconfirmed());
        };
        let mut changed = self.registry.set_roll_backs(reading, rows);
        // Even if somebody else has read of it: what runs then is to be told.
        changed.insert(format!("{name}.wasm"));
        for file in changed {
            self.registry.load_again(&file).await;
        }
        match self.installed(name) {
            Ok(Some(now)) if now.runs(&before.content) => {
                let same_component = plugin.is_some_and(|plugin| plugin.digest() == before.digest);
                Reply::line(details::rolled_back(name, &before.version, &before.digest, same_component))
            }
            _ => Reply::line(details::roll_back_failed(name)),
        }
    }

    /// The version of a plugin that runs, or would if it weren't switched off. `None` if its file was refused.
    pub(super) fn installed(&self, name: &str) -> Result<Option<Arc<LoadedPlugin>>, Reply> {
        let plugins = self.registry.plugins();
        let disabled = plugins.disabled(name).and_then(|disabled| disabled.plugin.as_ref());
        match plugins.get(name).or(disabled) {
            None if plugins.absence(name) == Absence::Unknown => Err(unknown::plugin(&plugins, name)),
            plugin => Ok(plugin.cloned()),
        }
    }
}
