//! Which edition of Jira answers at an address, as it says to anybody.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    config::{JiraConfig, JiraCredentials},
    error::JiraError,
    wire::parse::parse,
};

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
        if self == Self::Cloud
            && !config.is_cloud()
            && matches!(config.credentials, JiraCredentials::ServiceAccount { .. })
        {
            return Some((
                "this is Jira Cloud under a domain of its own, whose service accounts work at Atlassian's gateway alone"
                    .to_owned(),
                "Set JIRA_API_URL to https://api.atlassian.com/ex/jira/CLOUD-ID; below the site, /_edge/tenant_info shows that \
                 id in a browser.",
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use maro_process::secret::Secret;

    #[test]
    fn a_service_account_of_cloud_under_another_domain_needs_the_gateway() {
        let credentials =
            JiraCredentials::ServiceAccount { client_id: "id".to_owned(), client_secret: Secret::new("s") };
        let config = JiraConfig::new("https://jira.harbor.example".parse().unwrap(), credentials);
        let (what, fix) = Edition::Cloud.mix_up(&config).unwrap();
        assert!(what.contains("a domain of its own") && fix.contains("JIRA_API_URL"), "{what} {fix}");
        assert_eq!(Edition::DataCenter.mix_up(&config), None);
    }
}
