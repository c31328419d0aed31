//! What `maro doctor` says of the collector of traces.

use reqwest::{StatusCode, header::CONTENT_TYPE};
use url::Url;

use crate::doctor::{finding::Finding, network};
use maro_bot::config::Config;
use maro_process::{
    http::client::{self, ClientOptions, Trust},
    telemetry::error_chain,
    traces,
};

/// Sends the collector a request without traces. MARO works without one, so nothing that is wrong is ill.
pub(super) async fn finding(config: &Config) -> Option<Finding> {
    let endpoint = config.traces.as_ref()?;
    let url: Url = traces::address(endpoint).parse().ok()?;
    let options = ClientOptions {
        network: config.network().clone(),
        timeout: Some(network::PATIENCE),
        ..ClientOptions::new(Trust::for_url(&url))
    };
    let answer = match client::build(&options) {
        Ok(client) => client.post(url.clone()).header(CONTENT_TYPE, "application/x-protobuf").send().await,
        Err(error) => Err(error),
    };
    let host = url.host_str().unwrap_or_default();
    Some(match answer.map(|answer| answer.status()) {
        Ok(status) if status.is_success() => {
            let way = config.network().way_to(&url);
            Finding::Fine(format!("The collector of traces, at {host}, is reached {way}."))
        }
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Finding::Fine(format!(
            "The collector of traces, at {host}, answers. Whether it takes OTEL_EXPORTER_OTLP_HEADERS wasn't tried."
        )),
        Ok(status) => Finding::Risky {
            what: format!("The collector of traces, at {host}, answers with status {}.", status.as_u16()),
            fix: "Check that OTEL_EXPORTER_OTLP_ENDPOINT is its address for OTLP over HTTP, mostly with port 4318; MARO sends \
                  to /v1/traces below it."
                .to_owned(),
        },
        Err(error) => {
            let error = error.without_url();
            let otherwise = "Check OTEL_EXPORTER_OTLP_ENDPOINT, and that the collector takes OTLP over HTTP.";
            Finding::Risky {
                what: format!("The collector of traces, at {host}, can't be reached: {}.", error_chain(&error)),
                fix: network::fix_at(config.network(), &url, &error, otherwise),
            }
        }
    })
}
