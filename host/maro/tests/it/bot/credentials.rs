//! Credentials that Jira takes no longer.

use maro_simulation::{jira::faults::JiraFault, slack::terminal};

use crate::{
    bot::{TestBot, until},
    plugins::PluginsFolder,
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
        "Jira no longer takes MARO's credentials, so nothing works that needs Jira. Renew them in JIRA_EMAIL and \
         JIRA_API_TOKEN; `maro doctor` tries them."
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
}
