//! The spans of a trace: a command, and within it the phases of a plugin, its calls of the host, and calls of the
//! database and of other services.
//!
//! Where nobody collects traces, each costs a look at a flag. None carries what people typed, issues' words, addresses
//! or secrets.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use reqwest::{Client, Request, RequestBuilder, Response, Result};
use tracing::{Instrument as _, Span, field::Empty, info_span};

/// What all spans of traces have as their target, and no event.
pub(crate) const TARGET: &str = "maro::trace";

static ARE_COLLECTED: AtomicBool = AtomicBool::new(false);

/// Makes spans from now on.
pub(crate) fn collect() {
    ARE_COLLECTED.store(true, Ordering::Relaxed);
}

/// A span, if somebody collects spans. A subscriber that is there for log lines would keep it otherwise.
fn collected(make: impl FnOnce() -> Span) -> Span {
    if ARE_COLLECTED.load(Ordering::Relaxed) { make() } else { Span::none() }
}

/// Something that a person or another service wants of MARO: the beginning of a trace. `kind` is a word for what it
/// is, such as `command`.
pub fn request(kind: &'static str, team: &str, channel: &str, user: &str) -> Span {
    collected(|| {
        info_span!(
            target: TARGET,
            "request",
            otel.name = kind,
            otel.kind = "server",
            otel.status_code = Empty,
            maro.subcommand = Empty,
            maro.incident = Empty,
            slack.team = team,
            slack.channel = channel,
            slack.user = user,
        )
    })
}

/// Names the subcommand that the current request runs.
pub fn note_subcommand(name: &str) {
    let span = Span::current();
    if !span.is_none() {
        span.record("maro.subcommand", name);
        span.record("otel.name", ["/maro ", name].concat());
    }
}

/// Has the id that a person is told of a failure lead to the current request.
pub fn note_incident(incident: impl fmt::Display) {
    let span = Span::current();
    if !span.is_none() {
        span.record("maro.incident", tracing::field::display(incident));
    }
}

/// Says that the current span's work failed.
pub fn note_failure() {
    Span::current().record("otel.status_code", "ERROR");
}

/// A step of a plugin's command: waiting for a place, making the instance, running.
pub fn phase(name: &'static str, plugin: &str) -> Span {
    collected(
        || info_span!(target: TARGET, "phase", otel.name = name, otel.status_code = Empty, maro.plugin = plugin),
    )
}

/// A call of a guest to the host, by the names of its interface and function in Rust.
pub fn host_call(interface: &'static str, function: &'static str) -> Span {
    collected(|| info_span!(target: TARGET, "host call", otel.name = %HostCall(interface, function)))
}

/// `tracker-edit.track`
struct HostCall(&'static str, &'static str);

impl fmt::Display for HostCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0.replace('_', "-"), self.1.replace('_', "-"))
    }
}

/// A call of the database within a request, by the name of the operation. What works in the background is no trace.
pub fn database(operation: &'static str) -> Span {
    if !is_within_a_request() {
        return Span::none();
    }
    info_span!(
        target: TARGET,
        "database",
        otel.name = operation,
        otel.kind = "client",
        otel.status_code = Empty,
        db.operation.name = operation,
    )
}

/// Sends a request of HTTP, as a span where it is within a request of MARO's. `what` names the service, as addresses
/// may hold secrets.
///
/// # Errors
/// As the client.
pub async fn execute(client: &Client, what: &str, request: Request) -> Result<Response> {
    if !is_within_a_request() {
        return client.execute(request).await;
    }
    let span = info_span!(
        target: TARGET,
        "http",
        otel.name = what,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = request.method().as_str(),
        http.response.status_code = Empty,
        server.address = request.url().host_str(),
        server.port = request.url().port_or_known_default(),
    );
    let exchange = async {
        let answer = client.execute(request).await;
        match &answer {
            Ok(response) => {
                let status = response.status();
                Span::current().record("http.response.status_code", status.as_u16());
                if status.is_client_error() || status.is_server_error() {
                    note_failure();
                }
            }
            Err(_) => note_failure(),
        }
        answer
    };
    exchange.instrument(span).await
}

/// As [`execute`].
///
/// # Errors
/// As the client.
pub async fn send(what: &str, request: RequestBuilder) -> Result<Response> {
    let (client, request) = request.build_split();
    execute(&client, what, request?).await
}

/// Asking the subscriber (`span_enabled!`) would cost it the next event of this thread: filters of single layers keep
/// what they answered for the event that they expect to follow.
fn is_within_a_request() -> bool {
    ARE_COLLECTED.load(Ordering::Relaxed) && !Span::current().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_span_unless_somebody_collects_spans() {
        // Log lines alone are taken.
        let log = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(log, || {
            assert!(tracing::info_span!("one of others").id().is_some());
            for span in
                [request("command", "T1", "C1", "U1"), phase("run", "tracked"), host_call("jira", "site")]
            {
                assert!(span.id().is_none(), "{span:?}");
            }
        });
    }
}
