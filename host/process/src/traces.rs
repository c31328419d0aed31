//! Traces by OpenTelemetry: what took how long within a command, sent to a collector that the operator names.
//!
//! The library's own variables (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`) hold as everywhere. Spans wait in a bounded queue; what finds no room is
//! lost, and no command ever waits for the collector.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use opentelemetry::{Key, KeyValue, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing_subscriber::{Layer as _, filter::filter_fn};
use url::Url;

use crate::{
    http::{
        body,
        client::{ClientOptions, LazyClient, Trust},
        network::Network,
    },
    outage_log::Outage,
    spans,
    telemetry::{self, LogFilter, SpanLayer, error_chain},
};

/// How long the collector may take over one batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of the process waits for the last batch.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// Where a collector takes traces, below its address.
const PLACE: &str = "/v1/traces";

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Where traces go.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The base of its addresses for OTLP over HTTP, such as `http://collector:4318`.
    pub endpoint: Url,
    pub network: Network,
}

pub struct Traces(SdkTracerProvider);

/// Starts logging as [`telemetry::start`] does, and sends traces to the collector if there is one. Has to be called
/// within a runtime.
pub fn start(filter: &str, collector: Option<&Collector>) -> (LogFilter, Option<Traces>) {
    let Some(started) = collector.map(Traces::start) else { return (telemetry::start(filter), None) };
    match started {
        Ok(traces) => {
            spans::collect();
            (telemetry::start_beside(filter, Some(traces.layer())), Some(traces))
        }
        Err(error) => {
            let log = telemetry::start(filter);
            tracing::warn!(
                error = error_chain(&error),
                "traces can't be sent to OTEL_EXPORTER_OTLP_ENDPOINT"
            );
            (log, None)
        }
    }
}

impl Traces {
    /// Asks the collector nothing yet.
    fn start(collector: &Collector) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(address(&collector.endpoint))
            .with_timeout(PATIENCE)
            .with_http_client(CollectorClient::new(collector))
            .build()?;
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build()))
    }

    /// Takes the spans of traces, and no events.
    fn layer(&self) -> SpanLayer {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("maro"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == spans::TARGET))
            .boxed()
    }

    /// Sends what is left, within some seconds.
    pub async fn end(self) {
        let end = move || self.0.shutdown_with_timeout(LAST_PATIENCE);
        // What can't be sent has been told of by the client.
        let _ = tokio::task::spawn_blocking(end).await;
    }
}

/// Where the collector takes traces.
pub fn address(endpoint: &Url) -> String {
    let base = endpoint.as_str().trim_end_matches('/');
    // Some people copy the whole address.
    format!("{}{PLACE}", base.strip_suffix(PLACE).unwrap_or(base))
}

/// What the operator calls this process, and `maro` if they don't.
fn resource() -> Resource {
    let detected =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let resource = detected.build();
    match resource.get(&Key::from_static_str("service.name")) {
        Some(name) if !name.as_str().starts_with("unknown_service") => resource,
        _ => {
            let attributes = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
            Resource::builder_empty().with_attributes(attributes).with_service_name("maro").build()
        }
    }
}

/// Sends to the collector as everything else is sent, from the process's own runtime: the library calls from a thread
/// that has none.
struct CollectorClient {
    client: Arc<LazyClient>,
    runtime: Handle,
    outage: Outage,
}

impl CollectorClient {
    fn new(collector: &Collector) -> Self {
        let options = ClientOptions {
            timeout: Some(PATIENCE),
            network: collector.network.clone(),
            ..ClientOptions::new(Trust::for_url(&collector.endpoint))
        };
        Self {
            client: Arc::new(LazyClient::new(options)),
            runtime: Handle::current(),
            outage: Outage::default(),
        }
    }

    fn note(&self, problem: Option<&str>) {
        match problem {
            Some(problem) if self.outage.failed() => {
                tracing::warn!(problem, "traces can't be sent to OTEL_EXPORTER_OTLP_ENDPOINT, and are lost");
            }
            Some(_) => {}
            None => {
                if let Some(over) = self.outage.answered() {
                    tracing::info!(lasted_secs = over.lasted.as_secs(), "traces can be sent again");
                }
            }
        }
    }
}

impl fmt::Debug for CollectorClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CollectorClient").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        let exchange = self.runtime.spawn(async move { exchange(&client, request).await });
        let answer = exchange.await.unwrap_or_else(|_| Err("the process ends".to_owned()));
        let refusal = answer.as_ref().ok().filter(|response| !response.status().is_success());
        let refusal = refusal.map(|response| format!("status {}", response.status().as_u16()));
        self.note(refusal.as_deref().or(answer.as_ref().err().map(String::as_str)));
        answer.map_err(Into::into)
    }
}

async fn exchange(client: &LazyClient, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let told = |error: reqwest::Error| error_chain(&error.without_url());
    let client = client.get().await.map_err(told)?;
    let request = reqwest::Request::try_from(request).map_err(told)?;
    let response = client.execute(request).await.map_err(told)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = body::read(response, MAX_ANSWER_BYTES).await.map_err(|_| "no whole answer".to_owned())?;
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_collectors_or_the_whole_one() {
        for endpoint in ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"]
        {
            assert_eq!(address(&endpoint.parse().unwrap()), "http://collector:4318/v1/traces");
        }
    }
}
