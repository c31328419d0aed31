//! The same bot over Socket Mode, with connections that break.

use maro_process::secret::Secret;
use maro_simulation::slack::people::act_error::SubmitOutcome;

use crate::{
    bot::{TestBot, tickets::create},
    plugins::PluginsFolder,
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
