//! The settings of Jira's side.

use std::path::Path;

use crate::config::parse::Settings;
use maro_jira::config::{ExtraHeaders, JiraConfig, JiraCredentials};
use maro_process::{
    http::network::{self, Network},
    secret::Secret,
};

/// The credentials as they are set: each pair or single one of them stands for a kind.
struct Given {
    email: Option<String>,
    api_token: Option<Secret>,
    token: Option<Secret>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    user: Option<String>,
    password: Option<Secret>,
}

impl Settings {
    /// `network` is `None` if its settings are wrong.
    pub(super) fn jira(&mut self, network: Option<Network>) -> Option<JiraConfig> {
        let base_url = self.web_address(
            "JIRA_BASE_URL",
            None,
            "set it to the address of your Jira site, such as https://example.atlassian.net",
        );
        // Jira Cloud is at the root of its site: what follows is of a page whose address somebody has copied.
        let base_url = base_url.map(|mut url| {
            if url.host_str().is_some_and(|host| host.ends_with(".atlassian.net")) {
                url.set_path("");
            }
            url
        });
        let api_url = match self.get("JIRA_API_URL") {
            None => Some(None),
            Some(_) => self.web_address("JIRA_API_URL", None, "").map(Some),
        };
        let credentials = self.jira_credentials();
        let headers = self.jira_headers();
        let client_certificate = match self.get("JIRA_CLIENT_CERT_FILE").map(str::to_owned) {
            None => Some(None),
            Some(file) => match network::read_identity(Path::new(&file)) {
                Ok(identity) => Some(Some(identity)),
                Err(problem) => {
                    self.problem(format!("JIRA_CLIENT_CERT_FILE names the file {file}, which {problem}."))
                }
            },
        };
        let default_project = match self.get("JIRA_DEFAULT_PROJECT").map(str::to_owned) {
            None => Some(None),
            Some(key) if is_project_key(&key) => Some(Some(key)),
            Some(key) => self
                .problem(format!("JIRA_DEFAULT_PROJECT must be a project key, such as SCRUM, not {key:?}.")),
        };
        let webhook_secret = self.get("JIRA_WEBHOOK_SECRET").map(Secret::new);
        Some(JiraConfig {
            base_url: base_url?,
            api_url: api_url?,
            credentials: credentials?,
            headers: headers?,
            client_certificate: client_certificate?,
            default_project: default_project?,
            webhook_secret,
            network: network?,
        })
    }

    fn jira_credentials(&mut self) -> Option<JiraCredentials> {
        let given = Given {
            email: self.get("JIRA_EMAIL").map(str::to_owned),
            api_token: self.header_safe("JIRA_API_TOKEN")?,
            token: self.header_safe("JIRA_PAT")?,
            client_id: self.get("JIRA_CLIENT_ID").map(str::to_owned),
            client_secret: self.get("JIRA_CLIENT_SECRET").map(Secret::new),
            user: self.get("JIRA_USER").map(str::to_owned),
            password: self.get("JIRA_PASSWORD").map(Secret::new),
        };
        let secrets = ["JIRA_API_TOKEN", "JIRA_PAT", "JIRA_CLIENT_SECRET", "JIRA_PASSWORD"];
        let is_unread = secrets.iter().any(|key| self.has_unread_file(key));
        match given.into_credentials() {
            Ok(credentials) => Some(credentials),
            Err(_) if is_unread => None,
            Err(problem) => self.problem(problem),
        }
    }

    fn jira_headers(&mut self) -> Option<ExtraHeaders> {
        let Some(text) = self.get("JIRA_HEADERS") else { return Some(ExtraHeaders::default()) };
        // The values may be secrets, so no message repeats them.
        match ExtraHeaders::parse(text) {
            Ok(headers) => Some(headers),
            Err(line) => self.problem(format!(
                "JIRA_HEADERS must be `Name: value` on each line, with none of the headers that MARO sends itself; \
                 line {line} isn't."
            )),
        }
    }
}

impl Given {
    /// # Errors
    /// What is wrong, in a sentence.
    fn into_credentials(self) -> Result<JiraCredentials, &'static str> {
        let cloud = self.email.is_some() || self.api_token.is_some();
        let service = self.client_id.is_some() || self.client_secret.is_some();
        let account = self.user.is_some() || self.password.is_some();
        match (cloud, self.token, service, account) {
            (true, None, false, false) => match (self.email, self.api_token) {
                (Some(email), Some(api_token)) if email.contains('@') => {
                    Ok(JiraCredentials::Cloud { email, api_token })
                }
                (Some(_), Some(_)) => Err("JIRA_EMAIL must be an email address."),
                (_, None) => {
                    Err("JIRA_API_TOKEN is missing: set it to the API token of the account in JIRA_EMAIL.")
                }
                (None, _) => Err(
                    "JIRA_EMAIL is missing: set it to the email address of the account that JIRA_API_TOKEN belongs to.",
                ),
            },
            (false, Some(token), false, false) => Ok(JiraCredentials::DataCenter { token }),
            (false, None, true, false) => match (self.client_id, self.client_secret) {
                (Some(client_id), Some(client_secret)) => {
                    Ok(JiraCredentials::ServiceAccount { client_id, client_secret })
                }
                (_, None) => Err(
                    "JIRA_CLIENT_SECRET is missing: set it to the secret of the client in JIRA_CLIENT_ID.",
                ),
                (None, _) => {
                    Err("JIRA_CLIENT_ID is missing: set it to the client that JIRA_CLIENT_SECRET belongs to.")
                }
            },
            (false, None, false, true) => match (self.user, self.password) {
                // A colon ends the name.
                (Some(user), Some(_)) if user.contains(':') => Err("JIRA_USER must not contain a colon."),
                (Some(user), Some(password)) => Ok(JiraCredentials::Password { user, password }),
                (_, None) => {
                    Err("JIRA_PASSWORD is missing: set it to the password of the account in JIRA_USER.")
                }
                (None, _) => {
                    Err("JIRA_USER is missing: set it to the account that JIRA_PASSWORD belongs to.")
                }
            },
            (false, None, false, false) => Err(
                "JIRA_EMAIL and JIRA_API_TOKEN are missing: set both for Jira Cloud, or set JIRA_PAT for Jira Data Center.",
            ),
            (true, Some(_), false, false) => Err(
                "JIRA_PAT is for Jira Data Center, but JIRA_EMAIL and JIRA_API_TOKEN are for Jira Cloud: set only one or the other.",
            ),
            _ => Err(
                "More than one kind of credentials for Jira is set: JIRA_EMAIL with JIRA_API_TOKEN, JIRA_PAT, JIRA_CLIENT_ID \
                 with JIRA_CLIENT_SECRET, and JIRA_USER with JIRA_PASSWORD exclude one another.",
            ),
        }
    }
}

fn is_project_key(key: &str) -> bool {
    key.len() <= 50
        && key.starts_with(|first: char| first.is_ascii_uppercase())
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
