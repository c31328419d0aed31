//! Logs: for people on a terminal, JSON otherwise. Ids are fields; secrets and message bodies never appear.

use std::{error::Error, io::IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error, once for the process.
///
/// `filter` has the syntax of [`EnvFilter`] and was checked when the settings were read.
pub fn start(filter: &str) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init().map_err(drop)
    } else {
        builder.json().flatten_event(true).with_current_span(false).try_init().map_err(drop)
    };
}

/// An error with all its causes, for the operator.
pub fn error_chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Wrappers often repeat what they wrap.
        if !chain.ends_with(&text) {
            chain.push_str(": ");
            chain.push_str(&text);
        }
        source = cause.source();
    }
    chain
}
