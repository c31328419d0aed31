//! Where Jira's API is: at the site, where `JIRA_API_URL` says, or at Atlassian's gateway.
//!
//! Credentials never go to a host that an answer names: only the cloud id is taken from one, and the gateway's
//! address is fixed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, header::ACCEPT};
use serde::Deserialize;
use tokio::{sync::watch, time::Instant};
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
pub struct Location {
    site: Url,
    /// Where the API is, if a setting says so or the site has it.
    api: Url,
    /// The gateway's address for this site, where there can be one. Held while the site is asked for it.
    gateway: Option<tokio::sync::Mutex<Option<Known>>>,
    /// The cloud id if requests go to the gateway.
    used: watch::Sender<Option<Known>>,
    /// When and why the gateway's address couldn't be found out.
    failed: Mutex<Option<(Instant, String)>>,
}

/// A site's place at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    cloud_id: String,
    address: Url,
    /// Known from an earlier start, so that it may not be right any more.
    is_remembered: bool,
}

#[derive(Deserialize)]
struct TenantInfo {
    #[serde(rename = "cloudId")]
    cloud_id: String,
}

impl Location {
    pub(crate) fn new(config: &JiraConfig) -> Self {
        Self {
            site: config.base_url.clone(),
            api: config.api_url.clone().unwrap_or_else(|| config.base_url.clone()),
            gateway: Self::may_be_at_gateway(config).then(tokio::sync::Mutex::default),
            used: watch::Sender::new(None),
            failed: Mutex::new(None),
        }
    }

    /// Whether credentials that the site refuses may be taken at the gateway.
    pub(crate) fn may_be_at_gateway(config: &JiraConfig) -> bool {
        config.api_url.is_none()
            && config.is_atlassians()
            && matches!(
                config.credentials,
                JiraCredentials::Cloud { .. } | JiraCredentials::ServiceAccount { .. }
            )
    }

    /// Sends requests to the gateway from the start, as an earlier start had to. What it refuses is asked of the site.
    /// Does nothing for a site that isn't Atlassian's.
    pub async fn recall(&self, cloud_id: &str) {
        let Some((gateway, address)) = self.gateway.as_ref().zip(gateway(cloud_id)) else { return };
        let known = Known { cloud_id: cloud_id.to_owned(), address, is_remembered: true };
        *gateway.lock().await = Some(known.clone());
        self.used.send_replace(Some(known));
    }

    /// Tells when requests go elsewhere than they did. `None` if they always go to the same place.
    pub fn moves(&self) -> Option<Moves> {
        self.gateway.is_some().then(|| Moves(self.used.subscribe()))
    }

    /// Where a request for an address below the site's goes.
    pub(crate) fn place(&self, url: &Url) -> Url {
        match &*self.used.borrow() {
            Some(known) => below(&self.site, url, &known.address),
            None if self.api == self.site => url.clone(),
            None => below(&self.site, url, &self.api),
        }
    }

    /// Sends every request to the site again, until it refuses one.
    pub(crate) fn start_again(&self) {
        self.used.send_if_modified(|used| used.take().is_some());
    }

    /// A request isn't taken where requests go. If that is only remembered, sends every request to the site again, which
    /// is asked for its cloud id if it refuses one, too.
    pub(crate) async fn doubt(&self) {
        let Some(gateway) = &self.gateway else { return };
        let mut known = gateway.lock().await;
        if known.as_ref().is_some_and(|known| known.is_remembered) {
            *known = None;
            tracing::info!("Atlassian's gateway no longer accepts the credentials: asking the site again");
            self.start_again();
        }
    }

    /// The same request's address at the gateway, if it may be there and isn't where it was refused. Asks the site for
    /// its cloud id, without credentials.
    pub(crate) async fn at_gateway(
        &self,
        http: &Client,
        url: &Url,
        refused_at: &Url,
    ) -> Option<(Url, Gateway<'_>)> {
        let mut known = self.gateway.as_ref()?.lock().await;
        if known.is_none() {
            if self.has_failed_lately() {
                return None;
            }
            *known = self.find_gateway(http).await.ok();
        }
        let known = known.clone()?;
        let there = below(&self.site, url, &known.address);
        (there != *refused_at).then_some((there, Gateway { location: self, known }))
    }

    /// Errors are logged here.
    async fn find_gateway(&self, http: &Client) -> Result<Known, ()> {
        let result = self.ask_for_gateway(http).await;
        let failed = result.as_ref().err().map(|problem| {
            tracing::warn!(problem, "the site's cloud id can't be read; set JIRA_API_URL");
            (Instant::now(), format!("the site's cloud id can't be read ({problem})"))
        });
        self.note(failed);
        result.map_err(drop)
    }

    fn note(&self, failed: Option<(Instant, String)>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    /// The gateway knows no site with the cloud id that the site says is its own.
    pub(crate) fn not_at_gateway(&self) {
        self.note(Some((Instant::now(), "it has no Jira with the site's cloud id".to_owned())));
    }

    /// Why the gateway, which takes credentials that the site refuses, isn't asked. `None` if it can be, or there is none.
    pub fn problem(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().map(|(_, problem)| problem.clone())
    }

    async fn ask_for_gateway(&self, http: &Client) -> Result<Known, String> {
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
        let address = gateway(&info.cloud_id).ok_or_else(|| "the cloud id isn't one".to_owned())?;
        Ok(Known { cloud_id: info.cloud_id, address, is_remembered: false })
    }

    fn has_failed_lately(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().is_some_and(|(at, _)| at.elapsed() < PAUSE)
    }
}

/// The gateway as a place that requests may go to from now on.
pub(crate) struct Gateway<'a> {
    location: &'a Location,
    known: Known,
}

impl Gateway<'_> {
    /// Sends every request there from now on.
    pub(crate) fn settle(self) {
        let Self { location, known } = self;
        let is_news =
            location.used.send_if_modified(|used| used.replace(known.clone()).as_ref() != Some(&known));
        if is_news {
            tracing::info!(
                "the site rejects the credentials, but Atlassian's gateway accepts them: using the gateway"
            );
        }
    }
}

/// Tells when requests go elsewhere than they did.
pub struct Moves(watch::Receiver<Option<Known>>);

impl Moves {
    /// Waits for the next move: the cloud id if requests go to the gateway now. `None` inside if they go to the site;
    /// outside, if there will be no more.
    pub async fn next(&mut self) -> Option<Option<String>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().as_ref().map(|known| known.cloud_id.clone()))
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
