//! The hosts to which requests may go.

use url::Url;

use crate::{
    config::{GATEWAY, JiraConfig, JiraCredentials},
    connection::{location::Location, service_account_tokens::token_address},
};

impl JiraConfig {
    /// Where requests may go, each with what is there. Atlassian's gateway is asked if the site refuses the
    /// credentials.
    pub fn places(&self) -> Vec<(&'static str, Url)> {
        let api = self.api_url.as_ref().unwrap_or(&self.base_url).clone();
        let mut places = vec![("Jira", api)];
        if Location::may_be_at_gateway(self) {
            places.push(("Jira's gateway", GATEWAY.parse().expect("it is an address")));
        }
        if matches!(self.credentials, JiraCredentials::ServiceAccount { .. }) {
            places.push(("Jira's token server", token_address(self)));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_process::secret::Secret;

    #[test]
    fn the_gateway_and_the_token_server_are_places_where_they_may_be_asked() {
        let account =
            JiraCredentials::ServiceAccount { client_id: "id".to_owned(), client_secret: Secret::new("s") };
        let token = JiraCredentials::DataCenter { token: Secret::new("s") };
        for (site, credentials, expected) in [
            (
                "https://harbor.atlassian.net",
                &account,
                &["harbor.atlassian.net", "api.atlassian.com", "auth.atlassian.com"][..],
            ),
            ("https://jira.harbor.example", &account, &["jira.harbor.example", "jira.harbor.example"]),
            ("https://jira.harbor.example", &token, &["jira.harbor.example"]),
        ] {
            let config = JiraConfig::new(site.parse().unwrap(), credentials.clone());
            let places = config.places();
            let hosts: Vec<_> = places.iter().filter_map(|(_, url)| url.host_str()).collect();
            assert_eq!(hosts, expected, "{site}");
        }
    }
}
