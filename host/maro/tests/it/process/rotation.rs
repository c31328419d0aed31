//! Secrets in files and settings in `maro.toml` that change while the bot runs.

use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt as _, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maro_jira::config::JiraCredentials;
use maro_simulation::jira::server::SimulatedJira;
use tokio_util::sync::CancellationToken;

use crate::{
    bot::until,
    process::{Process, World, doctor::doctor},
};

/// A file as a secret store replaces it: whole, under the same name.
fn write(world: &World, name: &str, text: &str) -> PathBuf {
    let (path, fresh) = (world.folder.path().join(name), world.folder.path().join(format!("{name}.new")));
    fs::write(&fresh, text).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&fresh, &path).unwrap();
    path
}

#[tokio::test]
async fn secrets_in_files_are_replaced_without_a_restart() {
    let mut world = World::new().await;
    let mut command = world.command("serve");
    for (key, text) in [
        ("SLACK_SIGNING_SECRET", "not yet"),
        ("SLACK_BOT_TOKEN", "xoxb-not-yet"),
        ("JIRA_API_TOKEN", "not-yet"),
        ("JIRA_WEBHOOK_SECRET", "a webhook secret"),
    ] {
        command.env_remove(key).env(format!("{key}_FILE"), write(&world, key, &format!("{text}\n")));
    }
    let process = Process::start(command);
    process.logged("ready").await;
    world.serve(process).await;
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(!shown.contains("Now tracking"), "{shown}");

    // What is half done changes nothing, and is told.
    write(&world, "SLACK_SIGNING_SECRET", "");
    let path = world.folder.path().join("SLACK_SIGNING_SECRET");
    let problem = format!(
        "ignoring changed settings: SLACK_SIGNING_SECRET_FILE names the file {}, which is empty.",
        path.display()
    );
    world.process.as_ref().unwrap().logged(&problem).await;

    // Without its token, MARO can't find out who is in a channel.
    write(&world, "SLACK_BOT_TOKEN", "xoxb-test");
    write(&world, "SLACK_SIGNING_SECRET", "a signing secret");
    until("Slack's requests are believed", async || {
        world.say("/maro track SCRUM-123").await.contains("Jira rejected MARO's credentials")
    })
    .await;
    let JiraCredentials::Cloud { api_token, .. } = world.jira.cloud_config().credentials else { panic!() };
    write(&world, "JIRA_API_TOKEN", api_token.expose());
    until("Jira takes the token", async || {
        world.say("/maro track SCRUM-123").await.starts_with("Now tracking SCRUM-123")
    })
    .await;
    // What is replaced is still accepted, if the operator says so.
    write(&world, "SLACK_SIGNING_SECRET", "its successor");
    until("the old secret is refused", async || !world.say("/maro tracked").await.contains("SCRUM-123"))
        .await;
}

#[tokio::test]
async fn the_previous_signing_secret_is_accepted_while_it_is_named() {
    let mut world = World::new().await;
    let mut command = world.command("serve");
    command
        .env("SLACK_SIGNING_SECRET", "its successor")
        .env("SLACK_SIGNING_SECRET_PREVIOUS", "a signing secret");
    let process = Process::start(command);
    process.logged("ready").await;
    world.serve(process).await;
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
}

#[tokio::test]
async fn what_changes_in_the_file_takes_effect_or_is_said_to_need_a_restart() {
    let mut world = World::new().await;
    write(&world, "maro.toml", "MARO_ADMINS = []\n");
    world.run().await;
    world.say("/maro track SCRUM-123").await;
    assert!(world.say("/maro plugins disable track").await.contains("admin"));
    let ada = world.slack.workspace().people[0].id.to_string();
    let settings = format!(
        "MARO_ADMINS = [\"{ada}\"]\nMARO_LOG = \"debug\"\nMARO_AUDIT_DAYS = 7\n[access]\nprojects = [\"OPS\"]\n"
    );
    write(&world, "maro.toml", &settings);
    let process = world.process.as_ref().unwrap();
    let entry = process.logged("a changed setting needs a restart").await;
    assert_eq!(entry["key"], "MARO_AUDIT_DAYS");
    let entry = process.logged("changed settings are in effect").await;
    assert_eq!(entry["settings"], "MARO_ADMINS, MARO_LOG, [access]");
    let shown = world.say("/maro tracked").await;
    assert!(!shown.contains("User authentication flow"), "{shown}");
    let shown = world.say("/maro plugins disable track").await;
    assert!(!shown.contains("Only"), "{shown}");

    write(&world, "maro.toml", "MARO_ADMINS = \"nobody\"\n");
    let problem = "ignoring changed settings: MARO_ADMINS must be a list of Slack user ids, such as U024BE7LH; \
                   \"nobody\" isn't one.";
    process.logged(problem).await;
    let shown = world.say("/maro plugins enable track").await;
    assert!(!shown.contains("Only"), "{shown}");
}

#[tokio::test]
async fn new_credentials_wait_for_the_restart_that_brings_their_site() {
    let mut world = World::new().await;
    let JiraCredentials::Cloud { email, api_token } = world.jira.cloud_config().credentials else { panic!() };
    let settings = |site: &str, token: &str, more: &str| {
        format!("JIRA_BASE_URL = \"{site}\"\nJIRA_EMAIL = \"{email}\"\nJIRA_API_TOKEN = \"{token}\"\n{more}")
    };
    let old_site = world.jira.base_url().to_string();
    write(&world, "maro.toml", &settings(&old_site, api_token.expose(), ""));
    let mut command = world.command("serve");
    for key in ["JIRA_BASE_URL", "JIRA_EMAIL", "JIRA_API_TOKEN"] {
        command.env_remove(key);
    }
    let process = Process::start(command);
    process.logged("ready").await;
    world.serve(process).await;

    let new_site =
        SimulatedJira::start((Ipv4Addr::LOCALHOST, 0).into(), &CancellationToken::new()).await.unwrap();
    let new_address = new_site.base_url().to_string();
    write(&world, "maro.toml", &settings(&new_address, "the-new-token", "MARO_ADMINS = []\n"));
    let process = world.process.as_ref().unwrap();
    let entry = process.logged("a changed setting needs a restart").await;
    assert_eq!(entry["key"], "JIRA_API_TOKEN");
    let entry = process.logged("changed settings are in effect").await;
    assert_eq!(entry["settings"], "MARO_ADMINS");
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
    let pair = |token: &str| STANDARD.encode(format!("{email}:{token}"));
    let sent = format!("{:?}", world.jira.requests());
    assert!(sent.contains(&pair(api_token.expose())) && !sent.contains(&pair("the-new-token")));
    assert!(new_site.requests().is_empty());
}

#[tokio::test]
async fn a_secret_is_set_in_one_place() {
    let world = World::new().await;
    let mut command = world.command("doctor");
    command.env("JIRA_API_TOKEN_FILE", "/run/secrets/none");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well && said.contains("JIRA_API_TOKEN and JIRA_API_TOKEN_FILE are both set"), "{said}");
    let mut command = world.command("doctor");
    command.env_remove("JIRA_API_TOKEN").env("JIRA_API_TOKEN_FILE", "/run/secrets/none");
    let (is_well, said) = doctor(command).await;
    assert!(
        !is_well
            && said.contains("JIRA_API_TOKEN_FILE names the file /run/secrets/none, which can't be read"),
        "{said}"
    );
}
