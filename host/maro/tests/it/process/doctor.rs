//! `maro doctor`.

use std::process::Command;

use crate::{
    built_components,
    process::{Process, World},
};

/// Whether `maro doctor` is satisfied, and what it says.
pub(super) async fn doctor(mut command: Command) -> (bool, String) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_doctor_tries_every_setting_and_says_what_to_fix() {
    let world = World::start().await;
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
    let acts = "can browse, create, link, comment on, transition and assign issues in SCRUM";
    assert!(said.contains(acts), "{said}");

    // What only plugins do that may change issues is not asked for without them.
    let mut command = world.command("doctor");
    command.env("MARO_PLUGINS_DIR", built_components::shipped());
    let (is_well, said) = doctor(command).await;
    assert!(is_well, "{said}");
    assert!(said.contains("can browse, create and link issues in SCRUM"), "{said}");

    let mut command = world.command("doctor");
    command.env("SLACK_BOT_TOKEN", "xoxb-wrong").env("JIRA_API_TOKEN", "wrong");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("into SLACK_BOT_TOKEN"), "{said}");
    assert!(said.contains("Check JIRA_EMAIL and JIRA_API_TOKEN"), "{said}");

    let mut command = world.command("doctor");
    command.env("DATABASE_URL", "postgres://127.0.0.1:1/maro");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(
        said.contains("MARO can't reach PostgreSQL")
            && said.contains("Connection refused")
            && !said.contains(".:"),
        "{said}"
    );

    let mut command = world.command("doctor");
    command.env("DATABASE_URL", "postgres://127.0.0.1:1/maro?sslmode=verify-full");
    command.env("SSL_CERT_FILE", "/no/such/roots.pem");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("SSL_CERT_FILE names the file /no/such/roots.pem, which can't be read"), "{said}");

    let mut command = world.command("doctor");
    command.env("JIRA_DEFAULT_PROJECT", "AUDIT");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("is missing these permissions in AUDIT: Create issues"), "{said}");
}

#[tokio::test]
async fn what_others_could_read_is_warned_of_at_the_start_and_by_the_doctor() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let world = World::new().await;
    let file = world.folder.path().join("maro.toml");
    fs::write(&file, "MARO_SYNC_INTERVAL_SECS = 300\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    let warning = "Anyone on this machine can read maro.toml and the secrets in it.";
    assert!(!said.contains(warning), "there are none in it: {said}");
    fs::write(&file, "JIRA_WEBHOOK_SECRET = \"a webhook secret\"\n").unwrap();
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    assert!(said.contains(&format!("WARN  {warning}\n      Run `chmod o= maro.toml`.")), "{said}");

    let process = Process::start(world.command("serve"));
    assert_eq!(process.logged(warning).await["level"], "WARN");
    process.address().await;
    assert_eq!(process.stop(), Some(0));

    let mut command = world.command("serve");
    command
        .env("JIRA_BASE_URL", "http://jira.corp.example")
        .env("SLACK_API_URL", "http://slack.corp.example/api");
    let process = Process::start(command);
    for (key, service) in [("JIRA_BASE_URL", "Jira"), ("SLACK_API_URL", "Slack")] {
        let warning = format!(
            "{key} starts with http://: anyone on the network path to {service} can read MARO's token."
        );
        assert_eq!(process.logged(&warning).await["level"], "WARN");
    }
    process.address().await;
    assert_eq!(process.stop(), Some(0));
}

#[tokio::test]
async fn lists_at_odds_with_the_access_policy_are_named_and_what_cannot_be_known() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let world = World::start().await;
    world.say("/maro track SCRUM-123 SCRUM-124").await;
    let file = world.folder.path().join("maro.toml");
    fs::write(&file, "[access]\nprojects = [\"OPS\"]\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    world.slack.grant_scopes(&["chat:write", "commands"]);
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    let warning =
        "WARN  The list of C0GENERAL01 has issues that may not be shown there: SCRUM-123, SCRUM-124.";
    assert!(said.contains(warning), "{said}");
    assert!(
        said.contains("WARN  MARO can't tell which channels are shared with other organizations"),
        "{said}"
    );
}

#[tokio::test]
async fn the_doctor_says_whether_jira_tells_what_people_may_change() {
    let world = World::start().await;
    let mut command = world.command("doctor");
    command.env("MARO_JIRA_AS", "person");
    let (_, said) = doctor(command).await;
    assert!(said.contains("WARN  MARO's Jira account can't ask Jira what each person may create"), "{said}");
    world.jira.let_account_administer();
    let mut command = world.command("doctor");
    command.env("MARO_JIRA_AS", "person");
    let (_, said) = doctor(command).await;
    assert!(said.contains("ok    MARO's Jira account administers Jira"), "{said}");
}

#[tokio::test]
async fn the_doctor_tries_the_addresses_the_cache_and_the_kind_of_token() {
    let world = World::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = world.command("doctor");
    command.env("MARO_OPERATOR_LISTEN", &address).env("MARO_FLAVOUR", "sweet");
    let (is_well, said) = doctor(command).await;
    assert!(is_well, "a bot that is running is no problem: {said}");
    assert!(said.contains("ok    MARO can listen on 127.0.0.1:0 (MARO_LISTEN)."), "{said}");
    assert!(
        said.contains(&format!("WARN  Something is already listening on {address} (MARO_OPERATOR_LISTEN)")),
        "{said}"
    );
    assert!(said.contains("WARN  MARO_FLAVOUR in the environment isn't a MARO setting"), "{said}");

    let mut command = world.command("doctor");
    command
        .env("MARO_LISTEN", "192.0.2.1:3000")
        .env("MARO_CACHE_DIR", "/proc/nothing")
        .env("SLACK_BOT_TOKEN", "xoxe.xoxb-1-rotated");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    assert!(said.contains("FAIL  MARO can't listen on 192.0.2.1:3000 (MARO_LISTEN)"), "{said}");
    assert!(
        said.contains("WARN  Compiled plugins can't be kept in /proc/nothing (MARO_CACHE_DIR)"),
        "{said}"
    );
    assert!(said.contains("FAIL  SLACK_BOT_TOKEN is a token that Slack rotates"), "{said}");
}

#[tokio::test]
async fn the_doctor_leaves_no_cache_behind_and_names_rules_that_allow_nothing() {
    let world = World::new().await;
    let cache = world.folder.path().join("not/yet/there");
    let settings = "[roles]\ntrack = []\n[access]\nprojects = [\"SCRUM\", \"SCURM\"]\n";
    std::fs::write(world.folder.path().join("maro.toml"), settings).unwrap();
    let mut command = world.command("doctor");
    command.env("MARO_CACHE_DIR", &cache);
    let (is_well, said) = doctor(command).await;
    assert!(is_well && !said.contains("MARO_CACHE_DIR"), "{said}");
    assert!(!world.folder.path().join("not").exists());
    assert!(said.contains("WARN  Nobody has the role track"), "{said}");
    assert!(said.contains("names the project SCURM, which MARO's Jira account can't see"), "{said}");
    assert!(!said.contains("project SCRUM,"), "{said}");
}

#[tokio::test]
async fn the_doctor_tells_the_kinds_of_slacks_tokens_apart() {
    let world = World::new().await;
    for (token, said_to_be) in [
        ("xoxe-1-My0xLTE", "FAIL  SLACK_BOT_TOKEN is a refresh token, which can't be used for calls."),
        ("xapp-1-A1-2-3", "FAIL  SLACK_BOT_TOKEN is an app token, which only opens sockets."),
        ("xoxp-1-2-3", "FAIL  SLACK_BOT_TOKEN is a person's token: MARO would speak as that person."),
    ] {
        let mut command = world.command("doctor");
        command.env("SLACK_BOT_TOKEN", token).env("SLACK_APP_TOKEN", "xoxb-test");
        let (is_well, said) = doctor(command).await;
        assert!(!is_well && said.contains(said_to_be), "{token}: {said}");
        assert!(said.contains("FAIL  SLACK_APP_TOKEN isn't an app token."), "{said}");
    }
    // In a file, another program may renew it.
    let file = world.folder.path().join("token");
    std::fs::write(&file, "xoxe.xoxb-1-rotated\n").unwrap();
    let mut command = world.command("doctor");
    command.env_remove("SLACK_BOT_TOKEN").env("SLACK_BOT_TOKEN_FILE", file);
    let (_, said) = doctor(command).await;
    assert!(said.contains("WARN  SLACK_BOT_TOKEN is a token that Slack rotates"), "{said}");
    world.slack.let_token_end_after(7_200);
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    assert!(said.contains("WARN  Slack says that SLACK_BOT_TOKEN expires in 120 minutes."), "{said}");
}
