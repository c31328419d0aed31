//! `log`: lines in the operator's log.

use crate::{
    domain::issue::one_line,
    plugin::{
        bindings::maro::plugin::log::{Host, Level},
        instance::Invocation,
        limits::MAX_LOG_LINE_BYTES,
    },
};

impl Host for Invocation {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.log_lines += 1;
        if self.log_lines > self.limits().log_lines {
            return Ok(());
        }
        // One line: a guest must not be able to forge entries of others.
        let message = one_line(&message, MAX_LOG_LINE_BYTES / 4);
        let plugin = &*self.plugin;
        match level {
            Level::Debug => tracing::debug!(plugin, "{message}"),
            Level::Info => tracing::info!(plugin, "{message}"),
            Level::Warn => tracing::warn!(plugin, "{message}"),
            Level::Error => tracing::error!(plugin, "{message}"),
        }
        Ok(())
    }
}
