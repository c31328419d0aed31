//! What `maro doctor` says of Jira.

use tokio::time::Instant;
use url::Url;

use crate::doctor::{
    access,
    finding::Finding,
    network::{self, PATIENCE},
    rules,
};
use maro_access::JiraAs;
use maro_bot::config::Config;
use maro_jira::{
    accounts::permissions::Permission,
    client::JiraClient,
    config::JiraCredentials,
    connection::token_scopes::MissingScope,
    error::{JiraError, JiraOutage},
};
use maro_process::{http::connection_failure::Trouble, telemetry::error_chain};

/// How many projects Jira is asked about.
const MAX_PROJECTS: usize = 20;

/// Without these scopes, all works that MARO's own commands do.
const OPTIONAL_SCOPES: [&str; 3] =
    [PEOPLE_SCOPE, "read:board-scope:jira-software", "read:sprint:jira-software"];
const PEOPLE_SCOPE: &str = "read:jira-user";

/// `is_granted_changes`: whether any plugin may change issues.
pub(super) async fn findings(config: &Config, is_granted_changes: bool) -> Vec<Finding> {
    let client = match JiraClient::new(&config.jira) {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::ill(
                format!("{}.", error_chain(&error)),
                "Install root certificates on this machine.",
            )];
        }
    };
    let mut findings = Vec::new();
    if let Ok(edition) = client.get_edition(Instant::now() + PATIENCE).await
        && let Some((what, fix)) = edition.mix_up(&config.jira)
    {
        findings.push(Finding::ill(format!("Jira: {what}."), fix));
        return findings;
    }
    findings.push(match client.probe(Instant::now() + PATIENCE).await {
        Ok(account) => Finding::Fine(format!("Connected to Jira as {}.", account.display_name)),
        Err(JiraError::MissingScope { .. }) => Finding::Fine("Connected to Jira.".to_owned()),
        Err(error) => {
            findings.push(refusal(config, &client, &error));
            return findings;
        }
    });
    findings.extend(scopes(config, &client).await);
    findings.extend(headers_in_one(config));
    if let Some(project) = &config.jira.default_project {
        findings.extend(project_finding(&client, project, is_granted_changes).await);
    }
    findings.extend(unknown_projects(config, &client).await);
    findings.extend(access::rights_of_people(config, &client).await);
    findings
}

/// What `[access]` names and Jira doesn't show.
async fn unknown_projects(config: &Config, client: &JiraClient) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in rules::named_projects(&config.access).into_iter().take(MAX_PROJECTS) {
        if let Ok(None) = client.get_project(key, Instant::now() + PATIENCE).await {
            findings.push(Finding::Risky {
                what: format!(
                    "[access] in maro.toml names the project {key}, which MARO's Jira account can't see."
                ),
                fix: "Correct the key, or give the account access to the project.".to_owned(),
            });
        }
    }
    findings
}

/// Jira can't be asked who the account is.
fn refusal(config: &Config, client: &JiraClient, error: &JiraError) -> Finding {
    let keys = config.jira.credential_keys();
    let fix = match error {
        JiraError::Unauthorized if client.wants_captcha() => {
            return Finding::ill(
                "Jira: it wants MARO's account to solve a CAPTCHA, because sign-ins failed.",
                format!("Check {keys}. Then sign in to Jira once in a browser, as that account."),
            );
        }
        JiraError::Unauthorized => return unauthorized(config, client.location().problem()),
        JiraError::Forbidden { .. } => "Ask a Jira admin whether that account may use Jira.".to_owned(),
        JiraError::Unreachable { source: JiraOutage::NoToken { .. } } => {
            format!("The token server is having trouble, or isn't one. Try again later, or check {keys}.")
        }
        JiraError::Unreachable { source: JiraOutage::Status(_) } => {
            "Jira, or something in front of it, is having trouble. If it persists, ask its admins.".to_owned()
        }
        JiraError::RateLimited { .. } => "Try again later.".to_owned(),
        JiraError::InvalidResponse { .. } if config.jira.api_url.is_some() => {
            "Check JIRA_API_URL: requests go to that address with /rest/api after it. If a gate stands there, set \
             JIRA_HEADERS or JIRA_CLIENT_CERT_FILE."
                .to_owned()
        }
        JiraError::InvalidResponse { .. } => {
            "Check JIRA_BASE_URL. If a gate or a company's sign-in stands in front of \
             Jira, set JIRA_HEADERS or JIRA_CLIENT_CERT_FILE, or JIRA_API_URL to an address behind it."
                .to_owned()
        }
        _ => no_connection(config, error),
    };
    Finding::ill(format!("Jira: {}.", error_chain(error)), fix)
}

fn no_connection(config: &Config, error: &JiraError) -> String {
    if config.jira.client_certificate.is_some() && Trouble::of(error) == Some(Trouble::OwnCertificate) {
        return "The other side doesn't accept the certificate in JIRA_CLIENT_CERT_FILE. Check that it's still valid, and \
                issued by an authority that the gate trusts."
            .to_owned();
    }
    let places: Vec<Url> = config.jira.places().into_iter().map(|(_, url)| url).collect();
    let host = match error {
        JiraError::Unreachable { source: JiraOutage::Connection { host, .. } } => Some(host.as_str()),
        _ => None,
    };
    let place = places.iter().find(|url| url.host_str() == host).or(places.first());
    let key = if config.jira.api_url.is_some() { "JIRA_API_URL" } else { "JIRA_BASE_URL" };
    let otherwise = match (place, host) {
        // Fixed addresses, which no setting has.
        (Some(place), Some(host)) if Some(place) != places.first() => {
            format!("Allow outgoing connections to {host}, which is Atlassian's, in the firewall or proxy.")
        }
        _ => format!("Check {key} and this machine's connection to Jira."),
    };
    match place {
        Some(place) => network::fix_at(&config.jira.network, place, error, &otherwise),
        None => network::fix(error, &otherwise),
    }
}

/// Jira refuses the credentials; `gateway_problem` is why Atlassian's gateway couldn't be asked, too.
fn unauthorized(config: &Config, gateway_problem: Option<String>) -> Finding {
    let keys = config.jira.credential_keys();
    let site = config.jira.base_url.as_str().trim_end_matches('/');
    let set = format!(
        "set JIRA_API_URL to https://api.atlassian.com/ex/jira/ and the site's cloud id, which {site}/_edge/tenant_info shows \
         in a browser"
    );
    let is_clouds = matches!(
        config.jira.credentials,
        JiraCredentials::Cloud { .. } | JiraCredentials::ServiceAccount { .. }
    );
    let may_lack_gateway = is_clouds && config.jira.api_url.is_none() && config.jira.places().len() == 1;
    match gateway_problem {
        Some(problem) => Finding::ill(
            format!(
                "Jira: the site rejected MARO's credentials, and Atlassian's gateway, which scoped tokens and service \
                 accounts need, couldn't be asked: {problem}."
            ),
            format!("If it's a scoped token or a service account, {set}. Otherwise check {keys}."),
        ),
        None if may_lack_gateway && matches!(config.jira.credentials, JiraCredentials::Cloud { .. }) => {
            Finding::ill(
                "Jira: Jira rejected MARO's credentials.",
                format!(
                    "Check {keys}. If the site is Jira Cloud with a domain of its own, and the token a scoped one, {set}."
                ),
            )
        }
        None => Finding::ill("Jira: Jira rejected MARO's credentials.", format!("Check {keys}.")),
    }
}

async fn scopes(config: &Config, client: &JiraClient) -> Vec<Finding> {
    match client.get_missing_scopes(Instant::now() + PATIENCE).await {
        Ok(missing) => missing.iter().map(|missing| scope_finding(config, missing)).collect(),
        Err(error) => vec![Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again.")],
    }
}

/// A header whose value seems to go on with another one. Headers stand in lines, and other lists have commas.
fn headers_in_one(config: &Config) -> Option<Finding> {
    let name = config.jira.headers.with_another_inside()?;
    Some(Finding::Risky {
        what: format!(
            "JIRA_HEADERS has what looks like another header behind a comma, in the value of {name}."
        ),
        fix: "Put each header on a line of its own, or write \\n between them.".to_owned(),
    })
}

fn scope_finding(config: &Config, missing: &MissingScope) -> Finding {
    let purposes = match missing.purposes.as_slice() {
        [single] => (*single).to_owned(),
        [others @ .., last] => format!("{} and to {last}", others.join(", to ")),
        [] => String::new(),
    };
    let what = format!(
        "MARO's token for Jira doesn't have the scope {}, which it needs to {purposes}.",
        missing.scope
    );
    let fix = "Create a token that also has this scope, and use it instead.".to_owned();
    let is_needed = missing.scope == PEOPLE_SCOPE && config.jira_as == JiraAs::Person;
    if OPTIONAL_SCOPES.contains(&missing.scope) && !is_needed {
        Finding::Risky { what, fix }
    } else {
        Finding::Ill { what, fix }
    }
}

async fn project_finding(client: &JiraClient, project: &str, is_granted_changes: bool) -> Option<Finding> {
    let deadline = Instant::now() + PATIENCE;
    let failed = |error: JiraError| match error {
        // It has been said what that is for.
        JiraError::MissingScope { .. } => None,
        error => Some(Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again.")),
    };
    match client.get_project(project, deadline).await {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Some(Finding::ill(
                format!("The account can't see the {project} project in Jira."),
                "Check JIRA_DEFAULT_PROJECT, or give the account the Browse projects permission.",
            ));
        }
        Err(error) => return failed(error),
    }
    let (mut permissions, mut acts) = (Permission::BOT.to_vec(), "browse, create and link issues");
    if is_granted_changes {
        permissions.extend(Permission::PLUGINS);
        acts = "browse, create, link, comment on, transition and assign issues";
    }
    match client.get_missing_permissions(project, &permissions, deadline).await {
        Ok(missing) if missing.is_empty() => {
            Some(Finding::Fine(format!("The account can {acts} in {project}.")))
        }
        Ok(missing) => {
            let names: Vec<_> = missing.into_iter().map(|permission| permission.name()).collect();
            Some(Finding::ill(
                format!("The account is missing these permissions in {project}: {}.", names.join(", ")),
                "Ask a Jira admin to grant them in the project's permission scheme.",
            ))
        }
        Err(error) => failed(error),
    }
}
