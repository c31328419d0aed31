//! The same bot over Socket Mode, with connections that break.

use maro_process::secret::Secret;
use maro_simulation::slack::people::act_error::SubmitOutcome;

use crate::{
    bot::{TestBot, server::http, tickets::create, until},
    built_components::PluginsFolder,
};

async fn bot() -> TestBot {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    assert!(bot.slack.wait_for_sockets(2).await);
    bot
}

/// Status and text of `/readyz`.
async fn readiness(bot: &TestBot) -> (u16, String) {
    let response = http::client().get(bot.url("readyz")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn without_a_connection_to_slack_the_bot_is_not_ready_and_says_so() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, _| {
        config.slack.app_token = Some(Secret::new("xapp-of-another-app"));
    })
    .await;
    let deaf = (503, "there is no connection to Slack\n".to_owned());
    assert_eq!(readiness(&bot).await, deaf);
    let metrics = http::text(&bot, "metrics").await;
    for line in [r#"maro_slack_sockets{state="connected"} 0"#, r#"maro_slack_sockets{state="wanted"} 2"#] {
        assert!(metrics.lines().any(|other| other == line), "{line} is missing in:\n{metrics}");
    }

    let mut settings = bot.config.clone();
    settings.slack.app_token = Some(Secret::new(bot.slack.app_token().expose()));
    bot.bot.as_ref().unwrap().adjust(&settings);
    assert!(bot.slack.wait_for_sockets(2).await);
    let ready = (200, "ready: 3 plugins serve, 0 refused\n".to_owned());
    until("it is ready", async || readiness(&bot).await == ready).await;
}

#[tokio::test]
async fn commands_and_modals_work_as_over_http() {
    let bot = bot().await;
    assert_eq!(
        bot.say("/maro track SCRUM-123").await,
        "Now tracking SCRUM-123: User authentication flow (Open)"
    );
    create::open_create(&bot, "Zeppelin mooring mast").await;
    match bot.slack.submit("ada").await.unwrap() {
        SubmitOutcome::Closed => {}
        SubmitOutcome::Updated(_) => {
            bot.slack.wait_for_modal("ada", |modal| modal.text().contains("Done")).await.unwrap();
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(create::told(&bot), ["Created SCRUM-151: Zeppelin mooring mast"]);
}

#[tokio::test]
async fn a_dropped_connection_loses_and_doubles_nothing() {
    let bot = bot().await;
    bot.slack.drop_socket_after_next_envelope();
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
    bot.slack.drop_sockets();
    assert!(bot.slack.wait_for_sockets(2).await, "the bot did not come back");
    assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123");
}

/// Where there's no signing secret, forms are sealed with the bot's token.
#[tokio::test]
async fn a_form_that_is_open_outlives_the_token() {
    let bot = bot().await;
    create::open_create(&bot, "Zeppelin mooring mast").await;
    let mut config = bot.config.clone();
    config.slack.bot_token = Secret::new("xoxb-its-successor");
    bot.bot().adjust(&config);
    bot.slack.submit("ada").await.unwrap();
    until("the ticket", async || bot.jira.created_issues().len() == 1).await;
}
