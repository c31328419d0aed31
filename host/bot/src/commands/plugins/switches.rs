//! `/maro plugins disable NAME` and `enable NAME`.

use crate::commands::{Commands, choosing::unknown};
use maro_domain::{author::Author, caller::Caller, reply::Reply};
use maro_process::telemetry::error_chain;
use maro_texts as texts;

impl Commands {
    /// Switches a plugin on or off, for all replicas and after every restart.
    pub(super) async fn switch(&self, caller: &Caller, name: &str, on: bool) -> Reply {
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
        let reading = self.registry.begin_reading();
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
        self.registry.set_switches(reading, switches);
        Reply::line(match (on, changed) {
            (true, true) => texts::plugins::overview::back_on(name),
            (true, false) => texts::plugins::overview::already_on(name),
            (false, true) => texts::plugins::overview::now_off(name),
            (false, false) => texts::plugins::overview::already_off(name),
        })
    }
}
