//! What a plugin printed as it failed may be what somebody typed elsewhere: who reads it, and who is told.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use maro_domain::ids::TeamId;
use maro_process::clock::Clock;
use maro_simulation::slack::shown::terminal;

use crate::{
    bot::{TestBot, access::roles::say_from_elsewhere},
    built_components::PluginsFolder,
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]\n";

const PATIENCE: Duration = Duration::from_secs(60);

/// The fixture `hostile`, which panics with what was typed, and what else is in its manifest.
async fn bot(manifest: &str) -> (TestBot, Timestamp) {
    let now = "2026-01-31T09:30:00Z".parse().unwrap();
    let plugins = PluginsFolder::shipped().with_fixture("hostile", "hostile", &format!("{GRANTS}{manifest}"));
    (TestBot::in_surroundings(plugins, Clock::stopped(now).into(), |_, _| {}).await, now)
}

/// Has the plugin fail on words that are nobody else's business. Returns the id that the person is given.
async fn fail(bot: &TestBot) -> String {
    let shown = bot.say_as("linus", "random", "/maro hostile trap 3 nights, Hotel Bellevue, with Kim").await;
    assert!(shown.starts_with("/maro hostile crashed."), "{shown}");
    shown.rsplit(' ').next().unwrap().trim_end_matches('.').to_owned()
}

/// What the bot has sent to a person, once it has sent so much.
async fn told(bot: &TestBot, user: &str, count: usize) -> Vec<String> {
    let workspace = bot.slack.workspace();
    let direct = workspace.person(user).unwrap().direct_message.as_str();
    let posted = |messages: &[maro_simulation::slack::shown::history::ShownMessage]| {
        let names = workspace.names();
        let posted = messages.iter().filter(|message| message.is_posted && message.channel == direct);
        posted.map(|message| terminal::message_text(message, &names)).collect::<Vec<_>>()
    };
    let waiting = bot.slack.wait_for(PATIENCE, |messages| posted(messages).len() >= count);
    let messages = waiting.await.unwrap_or_else(|| panic!("{user} is not told {count} times"));
    posted(&messages)
}

#[tokio::test]
async fn only_admins_and_owners_read_what_a_plugin_printed() {
    let (bot, _) = bot("owners = [\"U0LINUS0001\"]").await;
    let incident = fail(&bot).await;
    let others = bot.say_as("grace", "general", "/maro plugins").await;
    assert!(others.contains(&format!("running. Last fault: ID {incident}. Permissions")), "{others}");
    let details = bot.say_as("grace", "general", "/maro plugins hostile").await;
    for shown in [others, details] {
        assert!(shown.contains(&incident), "{shown}");
        for word in ["nights", "Bellevue", "Kim", "printed"] {
            assert!(!shown.contains(word), "{word}: {shown}");
        }
    }
    for reader in ["ada", "linus"] {
        let list = bot.say_as(reader, "general", "/maro plugins").await;
        assert!(list.contains(&format!("Last fault ({incident}): it crashed: ")), "{list}");
        assert!(list.contains("3 nights, Hotel Bellevue, with Kim"), "{list}");
        let details = bot.say_as(reader, "general", "/maro plugins hostile").await;
        assert!(details.contains("3 nights, Hotel Bellevue, with Kim"), "{details}");
    }
}

#[tokio::test]
async fn a_namesake_of_an_owner_elsewhere_reads_nothing() {
    let manifest = format!("{GRANTS}owners = [\"U0LINUS0001\"]");
    let plugins = PluginsFolder::shipped().with_fixture("hostile", "hostile", &manifest);
    let allow = |config: &mut maro_bot::config::Config| {
        config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()];
    };
    let bot = TestBot::with_settings(plugins, allow).await;
    let incident = fail(&bot).await;
    for wish in ["plugins", "plugins hostile"] {
        let shown = say_from_elsewhere(&bot, "U0LINUS0001", wish).await;
        assert!(shown.contains(&incident) && !shown.contains("Bellevue"), "{shown}");
    }
}

#[tokio::test]
async fn what_a_version_printed_that_does_not_serve_is_for_admins() {
    let plugins = PluginsFolder::shipped().with_fixture("describe-traps", "traps", "");
    let bot = TestBot::with_plugins(plugins).await;
    let refused = "• traps.wasm couldn't be loaded: it couldn't describe itself: it crashed";
    let list = bot.say_as("grace", "general", "/maro plugins").await;
    assert!(list.contains(&format!("{refused}.")), "{list}");
    let list = bot.say("/maro plugins").await;
    assert!(list.contains(&format!("{refused}: ")) && list.contains("it printed:"), "{list}");
}

#[tokio::test]
async fn owners_are_told_once_a_day_and_kind() {
    let (mut bot, now) = bot("owners = [\"U0GRACE0001\", \"U0LINUS0001\"]\nlimits.cpu-ms = 50").await;
    let incident = fail(&bot).await;
    for owner in ["grace", "linus"] {
        let message = told(&bot, owner, 1).await.remove(0);
        assert!(
            message.starts_with(&format!("/maro hostile failed (ID {incident}): it crashed: ")),
            "{message}"
        );
        assert!(message.contains("Hotel Bellevue"), "{message}");
    }
    // Neither again nor after a restart; another kind of failure is news.
    fail(&bot).await;
    bot.restart().await;
    fail(&bot).await;
    bot.say("/maro hostile loop").await;
    let messages = told(&bot, "grace", 2).await;
    assert!(messages[1].contains("): it used more than its limit of 50 ms"), "{messages:?}");
    assert_eq!(messages.len(), 2, "{messages:?}");

    bot.clock.set(now + SignedDuration::from_hours(25));
    let incident = fail(&bot).await;
    let messages = told(&bot, "grace", 3).await;
    assert!(messages[2].contains(&incident), "{messages:?}");
    assert_eq!(told(&bot, "ada", 0).await.len(), 0);
}

#[tokio::test]
async fn owners_are_told_by_one_replica() {
    let manifest = format!("{GRANTS}owners = [\"U0GRACE0001\"]\nlimits.cpu-ms = 50");
    let plugins = PluginsFolder::shipped().with_fixture("hostile", "hostile", &manifest);
    let Some(bot) = TestBot::on_postgres(plugins).await else { return };
    fail(&bot).await;
    told(&bot, "grace", 1).await;
    let replica = bot.start_replica().await;
    fail(&bot).await;
    bot.say("/maro hostile loop").await;
    let messages = told(&bot, "grace", 2).await;
    assert!(messages[1].contains("processor time"), "{messages:?}");
    replica.stop().await;
}
