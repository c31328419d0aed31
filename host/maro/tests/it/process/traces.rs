//! Traces, as a collector gets them.

use std::{collections::HashMap, net::Ipv4Addr, process::Command};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::process::{PATIENCE, Process, World};

/// What the fixture wants.
const GRANTS: &str = r#"grants = ["jira", "tracker", "tracker-edit"]"#;

/// All that a collector was sent.
#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    resource: HashMap<String, String>,
    bytes: Vec<u8>,
}

struct Collector {
    address: String,
    received: watch::Receiver<Received>,
}

impl Collector {
    async fn start() -> Self {
        let (sender, received) = watch::channel(Received::default());
        let router = Router::new().route("/v1/traces", post(take)).with_state(sender);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { address, received }
    }

    /// Waits for a span, and returns it with all that have arrived.
    async fn span(&mut self, is_it: impl Fn(&Span) -> bool) -> (Span, Vec<Span>) {
        let wanted = self.received.wait_for(|received| received.spans.iter().any(&is_it));
        let received = timeout(PATIENCE, wanted).await.expect("the span hasn't come").unwrap();
        (received.spans.iter().find(|span| is_it(span)).unwrap().clone(), received.spans.clone())
    }
}

async fn take(State(received): State<watch::Sender<Received>>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["authorization"], "Basic of-the-collector");
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    received.send_modify(|received| {
        received.bytes.extend_from_slice(&body);
        for resource in request.resource_spans {
            received.resource.extend(texts(&resource.resource.unwrap().attributes));
            received.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    });
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

fn has_failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

/// `maro serve` that sends traces to this address.
fn traced(world: &World, endpoint: &str) -> Command {
    let mut command = world.command("serve");
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic of-the-collector")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    command
}

// The collector answers while the test waits for the process to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_a_trace_down_to_what_the_database_and_jira_took() {
    let (mut world, mut collector) = (World::new().await, Collector::start().await);
    let process = Process::start(traced(&world, &collector.address));
    process.logged("ready").await;
    world.serve(process).await;
    world.say("/maro track SCRUM-123").await;

    let (command, spans) = collector.span(|span| span.name == "/maro track").await;
    assert_eq!((command.kind(), &*command.parent_span_id), (SpanKind::Server, &[][..]));
    let about = texts(&command.attributes);
    assert_eq!(about["maro.subcommand"], "track");
    assert!(about["slack.channel"].starts_with('C') && about["slack.user"].starts_with('U'), "{about:?}");
    let of_it: Vec<&Span> = spans.iter().filter(|span| span.trace_id == command.trace_id).collect();
    let parent_of = |span: &Span| of_it.iter().find(|parent| parent.span_id == span.parent_span_id).unwrap();
    let named = |name: &str| {
        let found = of_it.iter().find(|span| span.name == name);
        *found.unwrap_or_else(|| {
            panic!("{name} in {:?}", of_it.iter().map(|span| &span.name).collect::<Vec<_>>())
        })
    };
    for phase in ["wait", "instantiate", "run"] {
        assert_eq!(parent_of(named(phase)).name, "/maro track");
    }
    let tracking = named("tracker-edit.track");
    assert_eq!(parent_of(tracking).name, "run");
    let database = of_it.iter().find(|span| texts(&span.attributes).contains_key("db.operation.name"));
    assert!(database.is_some_and(|span| span.kind() == SpanKind::Client));
    let http = of_it.iter().find(|span| texts(&span.attributes).contains_key("http.request.method"));
    let http = texts(&http.expect("Jira was asked").attributes);
    assert_eq!((&*http["http.request.method"], &*http["http.response.status_code"]), ("GET", "200"));
    assert!(of_it.iter().all(|span| !has_failed(span)));
    {
        let received = collector.received.borrow();
        assert_eq!(received.resource["service.name"], "maro");
        assert_eq!(received.resource["deployment.environment.name"], "staging");
        let sent = String::from_utf8_lossy(&received.bytes).into_owned();
        for secret in ["SCRUM", "authentication", "xoxb-test", "a signing secret", "/slack/commands"] {
            assert!(!sent.contains(secret), "{secret} was sent");
        }
    }

    // What the end of the process finds in the queue is sent, too.
    world.say("/maro help").await;
    assert_eq!(world.process.take().unwrap().stop(), Some(0));
    collector.span(|span| span.name == "/maro help").await;
}

#[tokio::test]
async fn the_id_that_a_person_is_told_leads_to_the_trace() {
    let (mut world, mut collector) = (World::new().await, Collector::start().await);
    world.plugins = world.plugins.with_fixture("hostile", "hostile", GRANTS);
    let process = Process::start(traced(&world, &collector.address));
    process.logged("ready").await;
    world.serve(process).await;
    let told = world.say("/maro hostile trap").await;
    let (command, spans) = collector.span(|span| span.name == "/maro hostile").await;
    let incident = &texts(&command.attributes)["maro.incident"];
    assert!(told.contains(incident) && incident.len() > 4, "{incident} in {told}");
    assert!(has_failed(&command));
    let run = spans.iter().find(|span| span.name == "run" && span.trace_id == command.trace_id).unwrap();
    assert!(has_failed(run));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_delays_nothing_and_is_told_of_once() {
    let mut world = World::new().await;
    // Nobody listens there.
    let process = Process::start(traced(&world, "http://127.0.0.1:9"));
    process.logged("ready").await;
    world.serve(process).await;
    for _ in 0..3 {
        assert!(world.say("/maro track SCRUM-123").await.contains("SCRUM-123"));
    }
    let process = world.process.take().unwrap();
    process.logged("traces can't be sent to OTEL_EXPORTER_OTLP_ENDPOINT, and are lost").await;
    let log = process.log.clone();
    assert_eq!(process.stop(), Some(0));
    let warnings =
        log.borrow().iter().filter(|entry| entry["message"].to_string().contains("traces")).count();
    assert_eq!(warnings, 1);
}
