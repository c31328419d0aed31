//! `maro doctor`: checks every setting against the real services, and says how to fix those that fail.

mod access;
mod finding;
mod machine;

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::doctor::finding::Finding;
use maro_bot::{
    commands::own::RESERVED_NAMES,
    config::{Config, ConfigError, exposure::Exposure, load},
};
use maro_jira::{client::JiraClient, error::JiraError, permissions::Permission};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_runtime::{
    loading::loader::PluginLoader,
    policy::grants::Grant,
    registry::{Registry, snapshot::Plugins},
    running::plugin::LoadedPlugin,
};
use maro_slack::{
    config::SlackConfig,
    web_api::{Identity, SlackWebApi, error::ApiError},
};
use maro_store::{
    config::DatabaseConfig,
    database::{Database, inspection::Condition},
};

/// How long to wait for one service.
const PATIENCE: Duration = Duration::from_secs(15);

/// The scopes that the bot can't work without, as in `manifest.yaml`.
const SCOPES: [&str; 2] = ["chat:write", "commands"];

/// Exits with 0 if everything works, even if others could read it, and with 1 otherwise.
pub(super) async fn run() -> anyhow::Result<ExitCode> {
    let config = match Config::load() {
        Ok(config) => config,
        Err(ConfigError(problems)) => {
            problems.iter().for_each(|problem| print(&Finding::ill("Settings", problem.as_str())));
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut findings = vec![Finding::Fine("The settings are complete.".to_owned())];
    findings.extend(ignored_variables());
    findings.extend(exposures(&config));
    findings.extend(machine::findings(&config).await);
    findings.extend(database(&config).await);
    let plugins = plugins(&config).await;
    let is_granted_changes =
        plugins.as_ref().is_ok_and(|plugins| plugins.all().any(|plugin| may_change_issues(plugin)));
    findings
        .extend(plugins.map_or_else(|finding| vec![finding], |plugins| plugin_findings(&config, &plugins)));
    let (found, identity) = slack(&config.slack).await;
    findings.extend(found);
    if let Some(identity) = identity {
        findings.extend(access::findings(&config, &identity).await);
    }
    findings.extend(jira(&config, is_granted_changes).await);
    findings.iter().for_each(print);
    let is_well = !findings.iter().any(|finding| matches!(finding, Finding::Ill { .. }));
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "this is the command line's own output")]
fn print(finding: &Finding) {
    match finding {
        Finding::Fine(text) => println!("ok    {text}"),
        Finding::Ill { what, fix } => println!("FAIL  {what}\n      {fix}"),
        Finding::Risky { what, fix } => println!("WARN  {what}\n      {fix}"),
    }
}

fn ignored_variables() -> impl Iterator<Item = Finding> {
    load::ignored_variables().into_iter().map(|variable| Finding::Risky {
        what: format!("{variable} in the environment isn't a MARO setting, so it has no effect."),
        fix: "Remove it, unless another program needs it.".to_owned(),
    })
}

fn exposures(config: &Config) -> impl Iterator<Item = Finding> {
    config.exposures().into_iter().map(|Exposure { what, fix }| Finding::Risky { what, fix: fix.to_owned() })
}

/// Changes nothing: `maro serve` creates and updates the tables.
async fn database(config: &Config) -> Vec<Finding> {
    let condition = match Database::inspect(&config.database).await {
        Ok(condition) => condition,
        Err(error) => {
            let fix = match config.database {
                DatabaseConfig::Sqlite { .. } => {
                    "Check the path in DATABASE_URL, the disk, and who owns the file and its folder."
                }
                DatabaseConfig::Postgres(_) => {
                    "Check that it is running, that the address is right, and that the account may create tables."
                }
            };
            let what = format!("MARO can't use the database in DATABASE_URL: {}", error_chain(&*error));
            return vec![Finding::ill(what, fix)];
        }
    };
    vec![Finding::Fine(match condition {
        Condition::Absent => "There's no database yet; `maro serve` will create it.".to_owned(),
        Condition::Present { missing_migrations: 0 } => {
            "The database is working, and its tables are up to date.".to_owned()
        }
        Condition::Present { missing_migrations: 1 } => {
            "The database is working; `maro serve` will apply the one migration that it's missing.".to_owned()
        }
        Condition::Present { missing_migrations } => format!(
            "The database is working; `maro serve` will apply the {missing_migrations} migrations that it's missing."
        ),
    })]
}

async fn plugins(config: &Config) -> Result<Arc<Plugins>, Finding> {
    let loader = match PluginLoader::new(config.plugins.cache_dir.as_deref(), config.plugins.memory_mib) {
        Ok(loader) => Arc::new(loader),
        Err(error) => {
            return Err(Finding::ill(format!("{error:#}."), "This is a bug in MARO; please report it."));
        }
    };
    let registry = Registry::new(
        loader,
        config.plugins.dir.clone(),
        &RESERVED_NAMES,
        Arc::new(Metrics::new()),
        Clock::system(),
    );
    registry.load().await.map_err(|error| {
        Finding::ill(
            format!("The plugins folder {} can't be read: {error}.", config.plugins.dir.display()),
            "Set MARO_PLUGINS_DIR to your plugins folder, or build plugins with `maro plugin build`.",
        )
    })
}

/// Whether a plugin is granted changing issues in Jira.
fn may_change_issues(plugin: &LoadedPlugin) -> bool {
    plugin.manifest().allows(Grant::JiraEdit)
}

fn plugin_findings(config: &Config, plugins: &Plugins) -> Vec<Finding> {
    let names: Vec<_> = plugins.all().map(|plugin| plugin.name()).collect();
    let mut findings = vec![match names.is_empty() {
        true => Finding::ill(
            format!("There are no plugins in {}.", config.plugins.dir.display()),
            "Copy each plugin's NAME.wasm and NAME.toml there; `maro plugin build` creates them.",
        ),
        false => Finding::Fine(format!("Plugins loaded: {}.", names.join(", "))),
    }];
    findings.extend(plugins.refused.iter().map(|refusal| {
        Finding::ill(
            format!("The plugin file {} couldn't be loaded.", refusal.file),
            format!("{}.", refusal.reason),
        )
    }));
    findings
}

/// Also returns whose the bot is, if Slack says so.
async fn slack(config: &SlackConfig) -> (Vec<Finding>, Option<Identity>) {
    let identity = match SlackWebApi::new(config).auth_test().await {
        Ok(identity) => identity,
        Err(error) => {
            let fix = match &error {
                ApiError::InvalidAuth => {
                    "Copy the bot token from OAuth & Permissions in your Slack app into SLACK_BOT_TOKEN."
                }
                _ => "Check SLACK_API_URL and this machine's connection to Slack.",
            };
            return (vec![Finding::ill(format!("Slack: {}.", error_chain(&error)), fix)], None);
        }
    };
    let mut findings = vec![Finding::Fine(format!("Connected to Slack workspace {}.", identity.team))];
    if let Some(app_token) = &config.app_token
        && let Err(error) = SlackWebApi::new(config).check_app_token(app_token).await
    {
        findings.push(Finding::ill(
            format!("Socket Mode: {}.", error_chain(&error)),
            "Turn on Socket Mode in your Slack app, and copy an app token with connections:write into SLACK_APP_TOKEN.",
        ));
    }
    let missing: Vec<_> = SCOPES
        .into_iter()
        .filter(|scope| !identity.scopes.is_empty() && !identity.scopes.iter().any(|other| other == scope))
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::ill(
            format!("The Slack app is missing these scopes: {}.", missing.join(", ")),
            "Add them under OAuth & Permissions, and reinstall the app.",
        ));
    }
    (findings, Some(identity))
}

/// `is_granted_changes`: whether any plugin may change issues.
async fn jira(config: &Config, is_granted_changes: bool) -> Vec<Finding> {
    let client = match JiraClient::new(&config.jira) {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::ill(
                format!("{}.", error_chain(&error)),
                "Install root certificates on this machine.",
            )];
        }
    };
    match client.probe(Instant::now() + PATIENCE).await {
        Ok(account) => {
            let mut findings = vec![Finding::Fine(format!("Connected to Jira as {}.", account.display_name))];
            if let Some(project) = &config.jira.default_project {
                findings.push(project_finding(&client, project, is_granted_changes).await);
            }
            findings.extend(access::rights_of_people(config, &client).await);
            findings
        }
        Err(error) => {
            let fix = match error {
                JiraError::Unauthorized => "Check JIRA_EMAIL and JIRA_API_TOKEN, or JIRA_PAT.",
                _ => "Check JIRA_BASE_URL and this machine's connection to Jira.",
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
