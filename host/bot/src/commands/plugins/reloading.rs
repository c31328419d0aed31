//! `/maro plugins reload`, of all plugins or of one.

use crate::commands::{Commands, choosing::unknown};
use maro_domain::{author::Author, caller::Caller, reply::Reply};
use maro_process::telemetry::error_chain;
use maro_runtime::loading::loader::is_subcommand_name;
use maro_store::database::error::DatabaseError;
use maro_texts::{self as texts, plugins::plugin_details as details};

impl Commands {
    pub(super) async fn reload_plugins(&self, caller: &Caller) -> Reply {
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
    async fn note_reload(&self, caller: &Caller, subject: &str) -> Result<(), Reply> {
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

    /// Loads the file of one plugin, in place of the version to which it was rolled back.
    pub(crate) async fn reload_plugin(&self, caller: &Caller, name: &str) -> Reply {
        if !is_subcommand_name(name) {
            return unknown::plugin(&self.registry.plugins(), name);
        }
        let (author, now) = (Author::from(caller), self.capabilities.clock.now());
        let was_rolled_back = match self.plugin_switches.run_file(name, &author, now).await {
            Ok(true) => true,
            Ok(false) => match self.note_reload(caller, name).await {
                Ok(()) => false,
                Err(reply) => return reply,
            },
            Err(error) => return Reply::line(texts::failures::database::switch_failed(&error)),
        };
        tracing::info!(plugin = name, user = caller.user.as_str(), was_rolled_back, "reloading a plugin");
        let reading = self.registry.begin_reading();
        match self.plugin_switches.rolled_back().await {
            Ok(rows) => {
                for file in self.registry.set_roll_backs(reading, rows) {
                    self.registry.load_again(&file).await;
                }
            }
            Err(_) if was_rolled_back => {
                return Reply::line(texts::failures::database::switch_unconfirmed());
            }
            Err(_) => {}
        }
        if self.registry.load_plugin(name).await.is_err() {
            return Reply::sentence(texts::plugins::overview::FOLDER_UNREADABLE);
        }
        match self.installed(name) {
            Err(reply) => reply,
            Ok(Some(plugin))
                if was_rolled_back && self.registry.plugins().newer_refusal(&plugin).is_none() =>
            {
                Reply::line(details::no_longer_rolled_back(
                    name,
                    &plugin.description().version,
                    plugin.digest(),
                ))
            }
            Ok(_) => self.plugin_details(caller, name),
        }
    }
}
