//! Which Jira site to use, and as whom.

use url::Url;

use maro_process::secret::Secret;

#[derive(Debug, Clone)]
pub struct JiraConfig {
    /// `JIRA_BASE_URL`: the site, also used for browse links, without a trailing slash. Required.
    pub base_url: Url,
    pub credentials: JiraCredentials,
    /// `JIRA_DEFAULT_PROJECT`: the project that is preselected in the create modal.
    pub default_project: Option<String>,
    /// `JIRA_WEBHOOK_SECRET`: signs requests to `/jira/webhook`. Without it, that address answers 404.
    pub webhook_secret: Option<Secret>,
}

#[derive(Debug, Clone)]
pub enum JiraCredentials {
    /// `JIRA_EMAIL` and `JIRA_API_TOKEN`: Jira Cloud, REST API v3.
    Cloud { email: String, api_token: Secret },
    /// `JIRA_PAT`: Jira Data Center, REST API v2.
    DataCenter { token: Secret },
}
