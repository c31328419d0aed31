//! Credentials that Jira takes no longer.

use maro_process::secret::Secret;
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{shown::terminal, web_api::faults::SlackFault},
};

use crate::{
    bot::{TestBot, key, server::http::client, tickets::create::open_create, until},
    built_components::PluginsFolder,
    log::Log,
};

fn told(bot: &TestBot) -> Vec<String> {
    let names = bot.slack.workspace().names();
    let posted = bot.slack.posted("engineering");
    posted.iter().map(|message| terminal::message_text(message, &names)).collect()
}

async fn bot() -> TestBot {
    TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        let channels = &slack.workspace().channels;
        config.plugins.channel =
            channels.iter().find(|channel| channel.name == "engineering").map(|channel| channel.id.clone());
    })
    .await
}

#[tokio::test]
async fn the_operators_channel_hears_once_that_jira_refuses_the_credentials() {
    let mut bot = bot().await;
    bot.say("/maro track SCRUM-123").await;
    let refusal = JiraFault::Status(401, None);
    // One refusal may be a mistake.
    bot.jira.set_next_faults([Some(refusal.clone())]);
    bot.say("/maro track SCRUM-124").await;
    let shown = bot.say("/maro track SCRUM-124").await;
    assert!(shown.starts_with("Now tracking SCRUM-124"), "{shown}");
    assert_eq!(told(&bot), [""; 0]);

    bot.jira.set_fault(refusal.clone());
    for _ in 0..5 {
        bot.say("/maro track SCRUM-125").await;
    }
    until("the channel is told", async || !told(&bot).is_empty()).await;
    // Neither a restart repeats it, nor another refusal soon after.
    bot.restart().await;
    bot.say("/maro track SCRUM-125").await;
    bot.jira.clear_fault();
    bot.say("/maro track SCRUM-125").await;
    let probes = bot.asked_for("/myself");
    bot.jira.set_fault(refusal);
    bot.say("/maro track SCRUM-126").await;
    until("MARO has made sure", async || bot.asked_for("/myself") > probes).await;
    bot.say("/maro track SCRUM-126").await;
    let told = told(&bot);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0],
        "Jira no longer accepts MARO's credentials, so nothing that needs Jira works. Renew them in \
        JIRA_EMAIL and JIRA_API_TOKEN, then check them with maro doctor."
    );
}

#[tokio::test]
async fn the_operators_channel_hears_once_that_slacks_token_ends() {
    let mut bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        let channels = &slack.workspace().channels;
        config.plugins.channel =
            channels.iter().find(|channel| channel.name == "engineering").map(|channel| channel.id.clone());
        slack.let_token_end_after(20 * 60);
    })
    .await;
    let expires = async || {
        let metrics = client().get(bot.url("metrics")).send().await.unwrap().text().await.unwrap();
        let line = r#"maro_credential_expires_seconds{credential="slack"} "#;
        metrics.lines().find_map(|metric| metric.strip_prefix(line)?.parse::<u64>().ok())
    };
    until("the token's end is measured", async || {
        expires().await.is_some_and(|seconds| (1_000..=1_200).contains(&seconds))
    })
    .await;
    bot.restart().await;
    until("the channel is told", async || !told(&bot).is_empty()).await;
    bot.restart().await;
    bot.say("/maro track SCRUM-123").await;
    let told = told(&bot);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("MARO's Slack token expires in "), "{told:?}");
    assert!(told[0].ends_with("Put a new one into SLACK_BOT_TOKEN before then."), "{told:?}");
}

#[tokio::test]
async fn a_token_that_slack_takes_no_longer_is_told_once_and_its_successor_is_asked_about_at_once() {
    let (log, _guard) = Log::start();
    let bot = bot().await;
    bot.say("/maro track SCRUM-123").await;
    bot.slack.set_fault("auth.test", SlackFault::Error("token_expired".to_owned()));
    bot.slack.set_fault("chat.postMessage", SlackFault::Error("token_expired".to_owned()));
    let mut config = bot.config.clone();
    config.slack.bot_token = Secret::new("xoxe.xoxb-ended");
    let asked = bot.slack.calls_of("auth.test").len();
    bot.bot().adjust(&config);
    until("Slack is asked whose the token is", async || bot.slack.calls_of("auth.test").len() > asked).await;
    let refused = "Slack no longer accepts MARO's token";
    until("the refusal is logged", async || log.text().contains(refused)).await;
    bot.slack.clear_faults();
    bot.bot().adjust(&bot.config);
    until("it is taken", async || log.text().contains("Slack accepts MARO's token again")).await;
    assert_eq!(log.text().matches(refused).count(), 1, "{}", log.text());
}

#[tokio::test]
async fn the_operators_channel_hears_that_slack_refuses_the_app_token() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        let channels = &slack.workspace().channels;
        config.plugins.channel =
            channels.iter().find(|channel| channel.name == "engineering").map(|channel| channel.id.clone());
        config.slack.app_token = Some(Secret::new("xapp-1-revoked"));
    })
    .await;
    until("the channel is told", async || !told(&bot).is_empty()).await;
    let told = told(&bot);
    assert_eq!(
        told,
        ["Slack no longer accepts MARO's app token, so commands and buttons don't reach MARO. Renew \
          SLACK_APP_TOKEN, then run maro doctor."]
    );
}

#[tokio::test]
async fn settings_that_change_take_effect_on_a_running_bot() {
    let bot = bot().await;
    bot.say("/maro track SCRUM-123").await;
    let mut config = bot.config.clone();
    config.admins = Vec::new();
    config.access = toml::from_str("projects = [\"OPS\"]").unwrap();
    bot.bot().adjust(&config);
    let shown = bot.say("/maro tracked").await;
    assert!(shown.contains("SCRUM-123") && !shown.contains("User authentication flow"), "{shown}");
    let shown = bot.say("/maro plugins reload").await;
    assert_eq!(shown, "Only MARO admins can do this.");
    bot.bot().adjust(&bot.config);
    let shown = bot.say("/maro plugins reload").await;
    assert!(!shown.contains("Only MARO admins"), "{shown}");

    // Roles.
    let mut config = bot.config.clone();
    config.roles = toml::from_str("track = []").unwrap();
    bot.bot().adjust(&config);
    let shown = bot.say("/maro track SCRUM-124").await;
    assert!(!shown.starts_with("Now tracking"), "{shown}");
    bot.bot().adjust(&bot.config);
    let shown = bot.say("/maro track SCRUM-124").await;
    assert!(shown.starts_with("Now tracking"), "{shown}");
}

#[tokio::test]
async fn a_form_that_is_open_outlives_the_signing_secret() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin mooring mast").await;
    let mut config = bot.config.clone();
    config.slack.previous_signing_secret = config.slack.signing_secret.replace(Secret::new("its successor"));
    bot.bot().adjust(&config);
    bot.slack.submit("ada").await.unwrap();
    until("the ticket", async || bot.jira.created_issues().len() == 1).await;
}

#[tokio::test]
async fn a_shorter_interval_takes_effect_on_a_running_bot() {
    // Longer than this test lasts.
    let interval = std::time::Duration::from_secs(100);
    let bot =
        TestBot::with_settings(PluginsFolder::shipped(), |config| config.sync_interval = interval).await;
    bot.say("/maro track SCRUM-123").await;
    // What is gone isn't among what has changed lately.
    bot.jira.delete_issue(&key("SCRUM-123"));
    let mut config = bot.config.clone();
    config.sync_interval = std::time::Duration::from_secs(1);
    bot.bot().adjust(&config);
    bot.until_tracked(&["SCRUM-123 (not found in Jira)"]).await;
}
