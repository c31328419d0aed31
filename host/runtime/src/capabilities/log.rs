//! `log`: lines in the operator's log.

use crate::{
    interface::bindings::maro::plugin::log::{Host, Level},
    invocation::Invocation,
    policy::limits::MAX_LOG_LINE_BYTES,
};
use maro_domain::issue::one_line;

impl Host for Invocation {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        if !self.budget.takes_log_line() {
            return Ok(());
        }
        let message = &message[..message.floor_char_boundary(MAX_LOG_LINE_BYTES)];
        // One line: a guest must not be able to forge entries of others.
        let message = one_line(message, MAX_LOG_LINE_BYTES);
        let plugin = &*self.authority.plugin;
        let incident = self.authority.incident().map(tracing::field::display);
        let channel = self.authority.caller().map(|caller| caller.channel.as_str());
        match level {
            Level::Debug => tracing::debug!(plugin, incident, channel, "{message}"),
            Level::Info => tracing::info!(plugin, incident, channel, "{message}"),
            Level::Warn => tracing::warn!(plugin, incident, channel, "{message}"),
            Level::Error => tracing::error!(plugin, incident, channel, "{message}"),
        }
        Ok(())
    }
}
