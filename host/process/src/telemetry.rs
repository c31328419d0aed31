//! Logs: for people on a terminal, JSON otherwise. Ids are fields; secrets and message bodies never appear.

use std::{error::Error, io::IsTerminal as _};

use tracing::Level;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt as _, Targets, filter_fn},
    fmt,
    layer::{Layered, SubscriberExt as _},
    reload,
    util::SubscriberInitExt as _,
};

use crate::spans;

/// What takes spans, for traces.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What is logged, which may change while the process runs.
pub struct LogFilter(reload::Handle<Targets, Layered<Option<SpanLayer>, Registry>>);

impl LogFilter {
    /// Logs what this list says from now on, as [`start`] does.
    pub fn replace(&self, filter: &str) {
        // It fails after the process's end.
        let _ = self.0.reload(parse(filter));
    }
}

/// A list as [`Targets`] reads it, which was checked when the settings were read.
fn parse(filter: &str) -> Targets {
    filter.parse().unwrap_or_else(|_| Targets::new().with_default(Level::INFO))
}

/// Starts logging to standard error, once for the process.
pub fn start(filter: &str) -> LogFilter {
    start_beside(filter, None)
}

/// As [`start`], with spans for somebody else.
pub(crate) fn start_beside(filter: &str, spans: Option<SpanLayer>) -> LogFilter {
    let (filter, handle) = reload::Layer::new(parse(filter));
    let log = fmt::layer()
        .with_writer(std::io::stderr)
        // Where logs can no longer be written, complaining about it there would panic in the middle of
        // a command.
        .log_internal_errors(false);
    let log = if std::io::stderr().is_terminal() {
        log.with_target(false).boxed()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    // Spans that nobody collects cost nothing then.
    let log = log.with_filter(filter.and(filter_fn(|metadata| metadata.target() != spans::TARGET)));
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(spans).with(log).try_init();
    LogFilter(handle)
}

/// An error with all its causes, for the operator. What follows a whole sentence stands in brackets.
pub fn error_chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut in_brackets = false;
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Wrappers often repeat what they wrap.
        if !chain.contains(&text) {
            let after_sentence = !in_brackets && chain.ends_with('.');
            chain.push_str(if after_sentence { " (" } else { ": " });
            chain.push_str(&text);
            in_brackets |= after_sentence;
        }
        source = cause.source();
    }
    if in_brackets {
        chain.push(')');
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_joined_without_repeats_and_set_apart_from_sentences() {
        let chain = |texts: &[&'static str]| {
            let (inmost, outer) = texts.split_last().unwrap();
            let error = anyhow::Error::msg(*inmost);
            error_chain(outer.iter().rev().fold(error, |error, text| error.context(*text)).as_ref())
        };
        assert_eq!(chain(&["it broke"]), "it broke");
        assert_eq!(chain(&["no start", "port taken", "os error 98"]), "no start: port taken: os error 98");
        assert_eq!(
            chain(&["no start", "wrapped: os error 98", "os error 98"]),
            "no start: wrapped: os error 98"
        );
        assert_eq!(
            chain(&["no start", "It is locked: ask X.", "code 5: locked", "locked"]),
            "no start: It is locked: ask X. (code 5: locked)"
        );
    }
}
