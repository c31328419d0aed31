//! What `maro doctor` says of Jira.

use tokio::time::Instant;

use crate::doctor::{
    access,
    finding::Finding,
    ways::{self, PATIENCE},
};
use maro_access::JiraAs;
use maro_bot::config::Config;
use maro_jira::{
    accounts::permissions::Permission,
    client::JiraClient,
    connection::scope_check::MissingScope,
    error::{JiraError, JiraOutage},
};
use maro_process::telemetry::error_chain;

/// Without this scope, all works that MARO's own commands do.
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
    if config.jira.has_gateway_for_site() {
        findings.push(Finding::Risky {
            what: "JIRA_BASE_URL is the address of Atlassian's gateway, so MARO's links don't work."
                .to_owned(),
            fix: "Set JIRA_BASE_URL to the site, and JIRA_API_URL to that address.".to_owned(),
        });
    }
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
    if let Some(project) = &config.jira.default_project {
        findings.push(project_finding(&client, project, is_granted_changes).await);
    }
    findings.extend(access::rights_of_people(config, &client).await);
    findings
}

/// Jira can't be asked who the account is.
fn refusal(config: &Config, client: &JiraClient, error: &JiraError) -> Finding {
    let keys = config.jira.credential_keys();
    let fix = match error {
        JiraError::Unauthorized if client.wants_captcha() => {
            return Finding::ill(
                "Jira: it wants MARO's account to solve a CAPTCHA, since sign-ins failed.",
                format!("Check {keys}. Then sign in to Jira once in a browser, as that account."),
            );
        }
        JiraError::Unauthorized => format!("Check {keys}."),
        JiraError::Forbidden => "Ask a Jira admin whether that account may use Jira.".to_owned(),
        JiraError::Unreachable { source: JiraOutage::Status(_) } => {
            "Jira, or something in front of it, is having trouble. If it persists, ask its admins.".to_owned()
        }
        JiraError::RateLimited { .. } => "Try again later.".to_owned(),
        JiraError::InvalidResponse { .. } => {
            "Check JIRA_BASE_URL. If a gate or a company's sign-in stands in front of \
             Jira, set JIRA_HEADERS or JIRA_CLIENT_CERT_FILE, or JIRA_API_URL to an address behind it."
                .to_owned()
        }
        _ => ways::fix(error, "Check JIRA_BASE_URL and this machine's connection to Jira."),
    };
    Finding::ill(format!("Jira: {}.", error_chain(error)), fix)
}

async fn scopes(config: &Config, client: &JiraClient) -> Vec<Finding> {
    match client.get_missing_scopes(Instant::now() + PATIENCE).await {
        Ok(missing) => missing.iter().map(|missing| scope_finding(config, missing)).collect(),
        Err(error) => vec![Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again.")],
    }
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
    if missing.scope == PEOPLE_SCOPE && config.jira_as == JiraAs::Bot {
        Finding::Risky { what, fix }
    } else {
        Finding::Ill { what, fix }
    }
}

async fn project_finding(client: &JiraClient, project: &str, is_granted_changes: bool) -> Finding {
    let deadline = Instant::now() + PATIENCE;
    match client.get_project(project, deadline).await {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Finding::ill(
                format!("The account can't see the {project} project in Jira."),
                "Check JIRA_DEFAULT_PROJECT, or give the account the Browse projects permission.",
            );
        }
        Err(error) => return Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again."),
    }
    let (mut permissions, mut acts) = (Permission::BOT.to_vec(), "browse, create and link issues");
    if is_granted_changes {
        permissions.extend(Permission::PLUGINS);
        acts = "browse, create, link, comment on, transition and assign issues";
    }
    match client.get_missing_permissions(project, &permissions, deadline).await {
        Ok(missing) if missing.is_empty() => Finding::Fine(format!("The account can {acts} in {project}.")),
        Ok(missing) => {
            let names: Vec<_> = missing.into_iter().map(|permission| permission.name()).collect();
            Finding::ill(
                format!("The account is missing these permissions in {project}: {}.", names.join(", ")),
                "Ask a Jira admin to grant them in the project's permission scheme.",
            )
        }
        Err(error) => Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again."),
    }
}
