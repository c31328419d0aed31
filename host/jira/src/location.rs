//! Where Jira's API is: at the site, where `JIRA_API_URL` says, or at Atlassian's gateway.
//!
//! Credentials never go to a host that an answer names: only the cloud id is taken from one, and the gateway's
//! address is fixed.

use std::{
    sync::{Mutex, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{Client, header::ACCEPT};
use serde::Deserialize;
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

use crate::config::{GATEWAY, GATEWAY_PATH, JiraConfig, JiraCredentials};
use maro_process::{http::body, spans, telemetry::error_chain};

/// How many bytes of a site's word on itself are read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// How long the site may take over it, and how long it isn't asked again after a failure.
const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(30);

/// Where requests for one site go.
#[derive(Debug)]
pub(super) struct Location {
    site: Url,
    current: RwLock<Url>,
    /// The gateway's address for this site, where there can be one, once it is known.
    gateway: Option<OnceCell<Url>>,
    failed_at: Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
struct TenantInfo {
    #[serde(rename = "cloudId")]
    cloud_id: String,
}

impl Location {
    pub(super) fn new(config: &JiraConfig) -> Self {
        let is_known = config.api_url.is_some();
        let may_be_at_gateway = !is_known
            && config.is_atlassians()
            && matches!(
                config.credentials,
                JiraCredentials::Cloud { .. } | JiraCredentials::ServiceAccount { .. }
            );
        Self {
            site: config.base_url.clone(),
            current: RwLock::new(config.api_url.clone().unwrap_or_else(|| config.base_url.clone())),
            gateway: may_be_at_gateway.then(OnceCell::new),
            failed_at: Mutex::new(None),
        }
    }

    /// Where a request for an address below the site's goes.
    pub(super) fn place(&self, url: &Url) -> Url {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        if *current == self.site { url.clone() } else { below(&self.site, url, &current) }
    }

    /// Sends every request to the site again, until it refuses one.
    pub(super) fn start_again(&self) {
        if self.gateway.is_some() {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = self.site.clone();
        }
    }

    /// The same request's address at the gateway, if it may be there and isn't sent there yet. Asks the site for its
    /// cloud id, without credentials.
    pub(super) async fn at_gateway(&self, http: &Client, url: &Url) -> Option<(Url, Gateway<'_>)> {
        let found = self.gateway.as_ref()?;
        let gateway = match found.get() {
            Some(gateway) => gateway,
            None if self.has_failed_lately() => return None,
            None => found.get_or_try_init(|| self.find_gateway(http)).await.ok()?,
        };
        let is_there = *self.current.read().unwrap_or_else(PoisonError::into_inner) == *gateway;
        (!is_there).then(|| (below(&self.site, url, gateway), Gateway { location: self, address: gateway }))
    }

    /// Errors are logged here.
    async fn find_gateway(&self, http: &Client) -> Result<Url, ()> {
        let result = self.ask_for_gateway(http).await;
        let failed_at = result.as_ref().err().map(|problem| {
            tracing::warn!(problem, "the site's cloud id can't be read; set JIRA_API_URL");
            Instant::now()
        });
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = failed_at;
        result.map_err(drop)
    }

    async fn ask_for_gateway(&self, http: &Client) -> Result<Url, String> {
        let mut url = self.site.clone();
        url.set_path("/_edge/tenant_info");
        let request = http.get(url).header(ACCEPT, "application/json").timeout(TIMEOUT);
        let response = spans::send("jira tenant_info", request)
            .await
            .map_err(|error| error_chain(&error.without_url()))?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let answer =
            body::read(response, MAX_ANSWER_BYTES).await.map_err(|_| "no whole answer".to_owned())?;
        let info: TenantInfo =
            serde_json::from_slice(&answer).map_err(|_| "it isn't the documented JSON".to_owned())?;
        gateway(&info.cloud_id).ok_or_else(|| "the cloud id isn't one".to_owned())
    }

    fn has_failed_lately(&self) -> bool {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        failed_at.is_some_and(|failed_at| failed_at.elapsed() < PAUSE)
    }
}

/// The gateway as a place that requests may go to from now on.
pub(super) struct Gateway<'a> {
    location: &'a Location,
    address: &'a Url,
}

impl Gateway<'_> {
    /// Sends every request there from now on.
    pub(super) fn settle(self) {
        let mut current = self.location.current.write().unwrap_or_else(PoisonError::into_inner);
        if *current != *self.address {
            tracing::info!("the site refuses the credentials, and Atlassian's gateway takes them: using it");
            *current = self.address.clone();
        }
    }
}

/// The gateway's address for a site.
fn gateway(cloud_id: &str) -> Option<Url> {
    let is_id = (1..=64).contains(&cloud_id.len())
        && cloud_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_id.then(|| format!("{GATEWAY}{GATEWAY_PATH}{cloud_id}").parse().ok())?
}

/// What is at `url`, below `site`, as it is below `place`.
fn below(site: &Url, url: &Url, place: &Url) -> Url {
    let site_path = site.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(site_path).unwrap_or(url.path());
    let mut placed = place.clone();
    placed.set_path(&format!("{}{rest}", place.path().trim_end_matches('/')));
    placed.set_query(url.query());
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_site_is_below_the_api_in_the_same_way() {
        for (site, url, place, expected) in [
            (
                "https://harbor.atlassian.net",
                "https://harbor.atlassian.net/rest/api/3/issue/A%2FB?fields=a%20b",
                "https://api.atlassian.com/ex/jira/7c1f",
                "https://api.atlassian.com/ex/jira/7c1f/rest/api/3/issue/A%2FB?fields=a%20b",
            ),
            (
                "https://harbor.example/jira",
                "https://harbor.example/jira/rest/api/2/myself",
                "http://127.0.0.1:8080/",
                "http://127.0.0.1:8080/rest/api/2/myself",
            ),
        ] {
            let [site, url, place] = [site, url, place].map(|text| text.parse::<Url>().unwrap());
            assert_eq!(below(&site, &url, &place).as_str(), expected);
        }
    }

    #[test]
    fn a_cloud_id_leads_nowhere_else() {
        assert!(gateway("7c1f90d2-3b64-4e0a-8a7e-51d2c6b0e9f4").is_some());
        for bad in ["", "..", "a/../../b", "a?b", "a#b", "@evil.example", "%2e", "ü"] {
            assert_eq!(gateway(bad), None, "{bad}");
        }
        assert_eq!(gateway(&"a".repeat(65)), None);
    }
}
