#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

//! The Jira client against the simulated Jira site, and both against Atlassian's own description.

mod changed;
mod choices;
mod create;
mod description;
mod each;
mod edit;
mod epics;
mod failures;
mod find;
mod hanging;
mod limits;
mod links;
mod look_up;
mod search;
mod site;
mod strictness;

use std::{net::SocketAddr, time::Duration};

use maro_domain::issue::{Issue, IssueKey};
use maro_jira::{client::JiraClient, config::JiraConfig, error::JiraError};
use maro_simulation::jira::{faults::JiraFault, server::SimulatedJira};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edition {
    Cloud,
    DataCenter,
}

const EDITIONS: [Edition; 2] = [Edition::Cloud, Edition::DataCenter];

/// A simulated site and a client for it. When dropped, every request is checked against the description.
struct World {
    site: SimulatedJira,
    client: JiraClient,
}

impl World {
    async fn start(edition: Edition) -> Self {
        let site = start_site().await;
        let client = JiraClient::new(&config(&site, edition)).unwrap();
        Self { site, client }
    }

    /// As [`World::start`], with an account that a probe has confirmed.
    async fn confirmed(edition: Edition) -> Self {
        let world = Self::start(edition).await;
        world.client.probe(within(PATIENCE)).await.unwrap();
        world.site.take_requests();
        world
    }

    /// As [`World::confirmed`], with a site that fails.
    async fn failing(edition: Edition, fault: JiraFault) -> Self {
        let world = Self::confirmed(edition).await;
        world.site.set_fault(fault);
        world
    }

    async fn get(&self, keys: &str) -> Result<Vec<Option<Issue>>, JiraError> {
        self.get_within(PATIENCE, keys).await
    }

    async fn get_within(&self, patience: Duration, keys: &str) -> Result<Vec<Option<Issue>>, JiraError> {
        let keys: Vec<IssueKey> = keys.split_whitespace().map(key).collect();
        self.client.get_issues(&keys, within(patience)).await
    }

    /// The keys of the issues found, `-` for a missing one.
    async fn keys_of(&self, keys: &str) -> String {
        let issues = self.get(keys).await.unwrap();
        let keys: Vec<_> =
            issues.iter().map(|issue| issue.as_ref().map_or("-", |issue| issue.key.as_str())).collect();
        keys.join(" ")
    }

    /// The paths of the requests so far, each with its method.
    fn paths(&self) -> Vec<String> {
        self.site.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.site.requests().iter().for_each(description::assert_request);
        }
    }
}

async fn start_site() -> SimulatedJira {
    SimulatedJira::start(SocketAddr::from(([127, 0, 0, 1], 0)), &CancellationToken::new()).await.unwrap()
}

fn config(site: &SimulatedJira, edition: Edition) -> JiraConfig {
    match edition {
        Edition::Cloud => site.cloud_config(),
        Edition::DataCenter => site.data_center_config(),
    }
}

fn key(text: &str) -> IssueKey {
    IssueKey::parse(text).unwrap()
}

fn within(patience: Duration) -> Instant {
    Instant::now() + patience
}
