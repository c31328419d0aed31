//! Which edition of Jira answers at an address, as it says to anybody.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{client::JiraClient, config::JiraConfig, error::JiraError, wire::parse::parse};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    Cloud,
    DataCenter,
}

#[derive(Deserialize)]
struct ServerInfo {
    #[serde(rename = "deploymentType")]
    deployment_type: String,
}

impl JiraClient {
    /// Which edition of Jira the site says it is, to anybody.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_edition(&self, deadline: Instant) -> Result<Edition, JiraError> {
        // Both editions have this version of the address.
        let answer = self.site.ask_openly("rest/api/2/serverInfo", deadline).await?.found()?;
        let info: ServerInfo = parse(&answer, "what the site says of itself")?;
        // "Server" is what Data Center says.
        Ok(if info.deployment_type == "Cloud" { Edition::Cloud } else { Edition::DataCenter })
    }
}

impl Edition {
    /// What is wrong if a site of this edition is used with credentials for the other, and what to do about it.
    pub fn mix_up(self, config: &JiraConfig) -> Option<(String, &'static str)> {
        let (this, other, instead) = match (self, config.is_cloud()) {
            (Self::DataCenter, true) => (
                "Jira Data Center",
                "Jira Cloud",
                "Set JIRA_PAT to a personal access token, and remove the credentials for Jira Cloud.",
            ),
            (Self::Cloud, false) => (
                "Jira Cloud",
                "Jira Data Center",
                "Set JIRA_EMAIL and JIRA_API_TOKEN, and remove the credentials for Jira Data Center.",
            ),
            _ => return None,
        };
        Some((
            format!("this is {this}, but the credentials in {} are for {other}", config.credential_keys()),
            instead,
        ))
    }
}
