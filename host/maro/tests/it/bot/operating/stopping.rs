//! The bot is stopped in the middle of things.

use std::time::{Duration, Instant};

use maro_process::secret::Secret;
use maro_simulation::{jira::faults::JiraFault, slack::shown::terminal};

use crate::{
    bot::{TestBot, tickets::create},
    built_components::PluginsFolder,
};

/// More than an orderly stop takes on a busy machine, and less than the bot's patience with background work.
const SOON: Duration = Duration::from_secs(15);

/// Waits until it is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap();
}

async fn stop(bot: &mut TestBot) -> Duration {
    let began = Instant::now();
    bot.bot.take().unwrap().stop().await;
    began.elapsed()
}

/// What everybody in #general or the caller alone was shown so far.
fn shown(bot: &TestBot) -> Vec<String> {
    let names = bot.slack.workspace().names();
    bot.slack.messages().iter().map(|message| terminal::plain(&message.text, &names)).collect()
}

#[tokio::test]
async fn a_form_that_was_submitted_has_done_its_work() {
    let mut bot = create::bot().await;
    create::open_create(&bot, "Zeppelin hangar roof").await;
    // The search for duplicates and the creation take longer than Slack waits.
    bot.jira.set_fault(JiraFault::Slow(Duration::from_millis(1_200)));
    bot.slack.submit("ada").await.unwrap();
    stop(&mut bot).await;
    assert_eq!(create::told(&bot), ["Created SCRUM-151: Zeppelin hangar roof"]);
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_change_that_outlives_its_command_is_made() {
    let manifest = "grants = [\"jira\", \"jira-edit\", \"tracker-edit\"]\nlimits.wall-ms = 2000";
    let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", manifest);
    let mut bot = TestBot::with_plugins(plugins).await;
    // Its types are asked for first.
    bot.jira.set_next_faults([None, Some(JiraFault::Slow(Duration::from_secs(5)))]);
    let answer = bot.say("/maro jira-calls create SCRUM/- Zeppelin mooring mast").await;
    assert!(answer.contains("took too long and was stopped"), "{answer}");
    stop(&mut bot).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
    bot.restart().await;
    let list = bot.say("/maro tracked").await;
    assert!(list.contains("SCRUM-151: Zeppelin mooring mast"), "{list}");
}

#[tokio::test]
async fn a_command_over_a_socket_is_answered() {
    let mut bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
    })
    .await;
    assert!(bot.slack.wait_for_sockets(2).await);
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(2)));
    bot.slack.send_command("general", "ada", "/maro track SCRUM-123").await.unwrap();
    stop(&mut bot).await;
    assert_eq!(shown(&bot), ["Now tracking SCRUM-123: User authentication flow (Open)"]);
}

#[tokio::test]
async fn a_command_on_a_socket_is_acknowledged_before_the_socket_is_closed() {
    let mut bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
    })
    .await;
    assert!(bot.slack.wait_for_sockets(2).await);
    bot.say("/maro tracked").await;
    bot.jira.take_requests();
    bot.jira.set_fault(JiraFault::Slow(Duration::from_millis(350)));
    let stopped = bot.bot.take().unwrap();
    let stopping = async {
        until(|| !bot.jira.requests().is_empty()).await;
        stopped.stop().await;
    };
    let typed = bot.slack.run_command("general", "ada", "/maro track SCRUM-123", SOON);
    let (messages, ()) = tokio::join!(typed, stopping);
    let names = bot.slack.workspace().names();
    let texts: Vec<_> =
        messages.unwrap().iter().map(|message| terminal::message_text(message, &names)).collect();
    assert_eq!(texts, ["Now tracking SCRUM-123: User authentication flow (Open)"]);
}

#[tokio::test]
async fn statuses_that_jira_does_not_tell_are_not_waited_for() {
    let mut bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.take_requests();
    bot.jira.set_fault(JiraFault::Hang);
    until(|| !bot.jira.requests().is_empty()).await;
    let took = stop(&mut bot).await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn idle_connections_hold_up_no_stop() {
    let mut bot = TestBot::start().await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(tokio::net::TcpStream::connect(bot.bot().address()).await.unwrap());
    }
    bot.say("/maro tracked").await;
    let took = stop(&mut bot).await;
    assert!(took < SOON, "{took:?}");
    drop(idle);
}

#[tokio::test]
async fn a_plugin_that_waits_holds_up_a_stop_no_longer_than_its_limit() {
    let manifest = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]\nlimits.wall-ms = 3000";
    let mut bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("hostile", "hostile", manifest)).await;
    bot.slack.send_command("general", "ada", "/maro hostile sleep").await.unwrap();
    let took = stop(&mut bot).await;
    assert!(took < SOON, "{took:?}");
    let shown = shown(&bot);
    assert!(shown.len() == 1 && shown[0].contains("took too long and was stopped"), "{shown:?}");
}
