//! `maro doctor`: checks every setting against the real services, and says how to fix those that fail.

mod access;
mod finding;
mod jira;
mod machine;
mod network;
mod rules;
mod slack;
mod slack_names;
mod slack_token_kinds;
mod traces;

use std::{process::ExitCode, sync::Arc};

use crate::doctor::{finding::Finding, network::Reached};
use maro_bot::{
    commands::choosing::host_commands::RESERVED_NAMES,
    config::{Config, ConfigError, load, risky_settings::Exposure, sources::IgnoredVariable},
};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_runtime::{
    loading::{self, error::LoadError, loader::PluginLoader},
    policy::{grants::Grant, secrets::UnreadableSecret},
    registry::{Registry, snapshot::Plugins},
    running::plugin::LoadedPlugin,
};
use maro_store::{
    config::DatabaseConfig,
    database::{Database, inspection::Condition},
};

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
    if !load::has_file() {
        findings.push(Finding::Fine(
            "There's no maro.toml in the working folder; all settings come from the environment.".to_owned(),
        ));
    }
    findings.extend(config.placeholders().into_iter().map(|key| {
        Finding::ill(
            format!("{key} is still the placeholder of MARO's example."),
            "Put the real secret there; the README says where to find it.",
        )
    }));
    findings.extend(ignored_variables());
    let overridden = load::overridden().into_iter();
    findings.extend(overridden.map(|key| {
        Finding::Fine(format!("The environment sets what {key} in maro.toml sets, too, and wins."))
    }));
    findings.extend(exposures(&config));
    findings.extend(machine::findings(&config).await);
    findings.extend(database(&config).await);
    let plugins = plugins(&config).await;
    let is_granted_changes =
        plugins.as_ref().is_ok_and(|plugins| plugins.all().any(|plugin| may_change_issues(plugin)));
    findings
        .extend(plugins.map_or_else(|finding| vec![finding], |plugins| plugin_findings(&config, &plugins)));
    let (mut of_slack, identity) = slack::findings(&config.slack).await;
    if let Some(identity) = &identity {
        of_slack.extend(access::findings(&config, identity).await);
        of_slack.extend(slack_names::findings(&config, identity).await);
    }
    let of_jira = jira::findings(&config, is_granted_changes).await;
    let reached = Reached {
        slack: identity.is_some(),
        jira: !of_jira.iter().any(|finding| matches!(finding, Finding::Ill { .. })),
    };
    let scopes = identity.as_ref().map(|identity| identity.scopes.as_slice()).unwrap_or_default();
    findings.extend(rules::findings(&config, scopes));
    findings.extend(network::findings(&config, reached));
    findings.extend(of_slack);
    findings.extend(of_jira);
    findings.extend(traces::finding(&config).await);
    findings.iter().for_each(print);
    let is_well = !findings.iter().any(|finding| matches!(finding, Finding::Ill { .. }));
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "this is the command line's own output")]
fn print(finding: &Finding) {
    match finding {
        Finding::Fine(text) => println!("ok    {text}"),
        Finding::Ill { what, fix } if fix.is_empty() => println!("FAIL  {what}"),
        Finding::Ill { what, fix } => println!("FAIL  {what}\n      {fix}"),
        Finding::Risky { what, fix } => println!("WARN  {what}\n      {fix}"),
    }
}

fn ignored_variables() -> impl Iterator<Item = Finding> {
    load::ignored_variables().into_iter().map(|IgnoredVariable { name, fix }| Finding::Risky {
        what: format!("{name} in the environment isn't a MARO setting, so it has no effect."),
        fix,
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
                DatabaseConfig::Postgres(_) => postgres_fix(&error_chain(&*error)),
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

/// What to do about PostgreSQL, beside what the sentence about it says: nothing where it says so itself.
fn postgres_fix(problem: &str) -> &'static str {
    let says = |parts: &[&str]| parts.iter().any(|part| problem.contains(part));
    if says(&["certificate", "sslrootcert", "sslmode"]) {
        "Check sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL, which stand for PostgreSQL alone: MARO_CA_FILE isn't \
         for it."
    } else if says(&["password"]) {
        "Check the account and its password in DATABASE_URL."
    } else if says(&["can't reach", "didn't respond", "isn't ready"]) {
        "Check that it is running, and that the address is right."
    } else if says(&["unrecognized configuration parameter", "parameter \""]) {
        "Check the options in DATABASE_URL."
    } else {
        ""
    }
}

async fn plugins(config: &Config) -> Result<Arc<Plugins>, Finding> {
    // What another user's doctor put into the bot's cache, the bot couldn't use.
    let cache = config.plugins.cache_dir.as_deref().filter(|dir| loading::is_own_cache(dir));
    let loader = match PluginLoader::new(cache, config.plugins.memory_mib) {
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
    if let Some((what, cure)) = plugins.machine_problem().and_then(LoadError::of_the_machine) {
        // However many plugins there are, and whatever else is wrong with one.
        return vec![Finding::ill(what, format!("{cure}."))];
    }
    let names: Vec<_> = plugins.all().map(|plugin| plugin.name()).collect();
    let mut findings = Vec::new();
    if !names.is_empty() {
        findings.push(Finding::Fine(format!("Plugins loaded: {}.", names.join(", "))));
    } else if plugins.refused.is_empty() {
        findings.push(Finding::ill(
            format!("There are no plugins in {}.", config.plugins.dir.display()),
            "Copy each plugin's NAME.wasm and NAME.toml there; `maro plugin build` creates them.",
        ));
    }
    findings.extend(plugins.refused.iter().map(|refusal| {
        Finding::ill(
            format!("The plugin file {} couldn't be loaded.", refusal.file),
            format!("{}.", refusal.reason),
        )
    }));
    findings.extend(plugins.all().flat_map(|plugin| {
        let name = plugin.name().to_owned();
        plugin.manifest().secrets.unreadable().into_iter().map(move |secret| {
            let UnreadableSecret { name: held, file, problem } = secret;
            Finding::ill(
                format!(
                    "The secret {held} in {name}.toml names the file {}, which {problem}.",
                    file.display()
                ),
                "Write the secret into that file, and let MARO's user read it.",
            )
        })
    }));
    findings
}
