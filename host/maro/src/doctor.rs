//! `maro doctor`: every setting tried on the real services, and what to do about each that fails.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::time::Instant;

use maro_bot::{
    commands::RESERVED_NAMES,
    config::{Config, ConfigError},
};
use maro_jira::{client::JiraClient, error::JiraError, permissions::Permission};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_runtime::{
    policy::grants::Grant,
    registry::{Registry, snapshot::Plugins},
    running::{engine::PluginEngine, loaded::LoadedPlugin},
};
use maro_slack::{
    config::SlackConfig,
    web_api::{SlackWebApi, error::ApiError},
};
use maro_store::database::Database;

/// How long one service may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The scopes without which the bot cannot do its work, as in `manifest.yaml`.
const SCOPES: [&str; 2] = ["chat:write", "commands"];

/// What was found of one thing: it works, or what to do.
#[derive(Debug)]
enum Finding {
    Fine(String),
    Ill { what: String, fix: String },
}

impl Finding {
    fn ill(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Ill { what: what.into(), fix: fix.into() }
    }
}

/// Ends with 0 if everything works, 1 if something does not.
pub(super) async fn run() -> anyhow::Result<ExitCode> {
    let config = match Config::load() {
        Ok(config) => config,
        Err(ConfigError(problems)) => {
            problems.iter().for_each(|problem| print(&Finding::ill("settings", problem.as_str())));
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut findings = vec![Finding::Fine("The settings are complete.".to_owned())];
    findings.extend(database(&config).await);
    let plugins = plugins(&config).await;
    let is_granted_changes =
        plugins.as_ref().is_ok_and(|plugins| plugins.all().any(|plugin| may_change_issues(plugin)));
    findings
        .extend(plugins.map_or_else(|finding| vec![finding], |plugins| plugin_findings(&config, &plugins)));
    findings.extend(slack(&config.slack).await);
    findings.extend(jira(&config, is_granted_changes).await);
    findings.iter().for_each(print);
    let is_well = findings.iter().all(|finding| matches!(finding, Finding::Fine(_)));
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "this is the command line's own output")]
fn print(finding: &Finding) {
    match finding {
        Finding::Fine(text) => println!("ok    {text}"),
        Finding::Ill { what, fix } => println!("FAIL  {what}\n      {fix}"),
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    match Database::open(&config.database).await {
        Ok(database) => {
            database.close().await;
            vec![Finding::Fine("The database opens, and its tables are up to date.".to_owned())]
        }
        Err(error) => vec![Finding::ill(
            format!("The database that DATABASE_URL names cannot be used: {}", error_chain(&*error)),
            "Check that it runs, that the address is right, and that the account may make tables.",
        )],
    }
}

async fn plugins(config: &Config) -> Result<Arc<Plugins>, Finding> {
    let engine = match PluginEngine::new(config.plugins.cache_dir.as_deref()) {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            return Err(Finding::ill(format!("{error:#}."), "Report this: it is a fault of MARO."));
        }
    };
    let registry = Registry::new(
        engine,
        config.plugins.dir.clone(),
        &RESERVED_NAMES,
        Arc::new(Metrics::new()),
        Clock::system(),
    );
    registry.load().await.map_err(|error| {
        Finding::ill(
            format!("The plugins folder {} cannot be read: {error}.", config.plugins.dir.display()),
            "Set MARO_PLUGINS_DIR, or fill a folder with `maro plugin build`.",
        )
    })
}

/// Whether a plugin has the grant to change issues in Jira.
fn may_change_issues(plugin: &LoadedPlugin) -> bool {
    plugin.manifest.allows(Grant::JiraEdit)
}

fn plugin_findings(config: &Config, plugins: &Plugins) -> Vec<Finding> {
    let names: Vec<_> = plugins.all().map(|plugin| &*plugin.description.name).collect();
    let mut findings = vec![match names.is_empty() {
        true => Finding::ill(
            format!("There are no plugins in {}.", config.plugins.dir.display()),
            "Copy NAME.wasm and NAME.toml of each plugin there; `maro plugin build` makes them.",
        ),
        false => Finding::Fine(format!("The plugins {} serve.", names.join(", "))),
    }];
    findings.extend(plugins.refused.iter().map(|refusal| {
        Finding::ill(
            format!("The plugin file {} does not serve.", refusal.file),
            format!("{}.", refusal.reason),
        )
    }));
    findings
}

async fn slack(config: &SlackConfig) -> Vec<Finding> {
    let identity = match SlackWebApi::new(config).auth_test().await {
        Ok(identity) => identity,
        Err(error) => {
            let fix = match &error {
                ApiError::InvalidAuth => {
                    "Copy the token from your Slack app under OAuth & Permissions into SLACK_BOT_TOKEN."
                }
                _ => "Check SLACK_API_URL and this machine's way to Slack.",
            };
            return vec![Finding::ill(format!("Slack: {}.", error_chain(&error)), fix)];
        }
    };
    let mut findings =
        vec![Finding::Fine(format!("Slack knows the bot in the workspace {}.", identity.team))];
    if let Some(app_token) = &config.app_token
        && let Err(error) = SlackWebApi::new(config).check_app_token(app_token).await
    {
        findings.push(Finding::ill(
            format!("Socket Mode: {}.", error_chain(&error)),
            "Switch Socket Mode on in the app, and copy a token with connections:write into SLACK_APP_TOKEN.",
        ));
    }
    let missing: Vec<_> = SCOPES
        .into_iter()
        .filter(|scope| !identity.scopes.is_empty() && !identity.scopes.iter().any(|other| other == scope))
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::ill(
            format!("The Slack app lacks the scopes {}.", missing.join(", ")),
            "Add them under OAuth & Permissions, and install the app anew.",
        ));
    }
    findings
}

/// `is_granted_changes`: whether a plugin may change issues.
async fn jira(config: &Config, is_granted_changes: bool) -> Vec<Finding> {
    let client = match JiraClient::new(&config.jira) {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::ill(format!("{}.", error_chain(&error)), "Install root certificates.")];
        }
    };
    match client.probe(Instant::now() + PATIENCE).await {
        Ok(account) => {
            let mut findings =
                vec![Finding::Fine(format!("Jira knows the account {}.", account.display_name))];
            if let Some(project) = &config.jira.default_project {
                findings.push(project_finding(&client, project, is_granted_changes).await);
            }
            findings
        }
        Err(error) => {
            let fix = match error {
                JiraError::Unauthorized => "Check JIRA_EMAIL and JIRA_API_TOKEN, or JIRA_PAT.",
                _ => "Check JIRA_BASE_URL and this machine's way to Jira.",
            };
            vec![Finding::ill(format!("Jira: {}.", error_chain(&error)), fix)]
        }
    }
}

async fn project_finding(client: &JiraClient, project: &str, is_granted_changes: bool) -> Finding {
    let deadline = Instant::now() + PATIENCE;
    match client.get_project(project, deadline).await {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Finding::ill(
                format!("Jira does not show the project {project} to the account."),
                "Check JIRA_DEFAULT_PROJECT, or give the account the permission Browse projects.",
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
        Ok(missing) if missing.is_empty() => Finding::Fine(format!("The account may {acts} in {project}.")),
        Ok(missing) => {
            let names: Vec<_> = missing.into_iter().map(|permission| permission.name()).collect();
            Finding::ill(
                format!("The account lacks permissions in {project}: {}.", names.join(", ")),
                "Ask a Jira administrator to grant them in the project's permission scheme.",
            )
        }
        Err(error) => Finding::ill(format!("Jira: {}.", error_chain(&error)), "Try again."),
    }
}
