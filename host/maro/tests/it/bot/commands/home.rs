//! The Home tab: each person's own view of the lists of their channels.

use maro_simulation::slack::shown::terminal;

use crate::{
    bot::{TestBot, key, until},
    built_components::PluginsFolder,
    raw::execute,
};

/// What a person reads in the tab, once the bot has drawn it.
async fn home(bot: &TestBot, user: &str) -> String {
    let before = bot.slack.home(user);
    bot.slack.open_home(user).await.unwrap();
    until("the tab is drawn", async || bot.slack.home(user).is_some() && bot.slack.home(user) != before)
        .await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    let view = bot.slack.home(user).unwrap();
    let names = bot.slack.workspace().names();
    let blocks = view["blocks"].as_array().unwrap();
    blocks.iter().flat_map(|block| terminal::block_lines(block, &names)).collect::<Vec<_>>().join("\n")
}

async fn the_tab_is_drawn(mut bot: TestBot) {
    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    let empty = home(&bot, "ada").await;
    assert!(
        empty.starts_with("Your channels' lists\nNone of your channels tracks any issues yet."),
        "{empty}"
    );
    assert!(empty.contains("What you can type\n") && empty.contains("/maro track KEY"), "{empty}");

    bot.say_as("grace", "general", "/maro track SCRUM-124 SCRUM-125").await;
    // Grace and ada are in #launch, and linus isn't.
    bot.say_as("grace", "launch", "/maro track SCRUM-130").await;
    bot.say_as("ada", "dm", "/maro track SCRUM-123").await;
    let ada = home(&bot, "ada").await;
    assert!(
        ada.starts_with(
            "Your channels' lists\n\
             Your own list: 1 issue, 1 open\n• SCRUM-123: User authentication flow (Open)\n\
             #launch: 1 issue, 1 open\n• SCRUM-130: "
        ),
        "{ada}"
    );
    assert!(
        ada.contains("#general: 2 issues, 1 open\n• SCRUM-124: Database migration (In Progress)\n"),
        "{ada}"
    );
    assert!(
        ada.contains("What you asked for\n• SCRUM-123: User authentication flow (Open)\nWhat you can type"),
        "{ada}"
    );
    let grace = home(&bot, "grace").await;
    assert!(!grace.contains("SCRUM-123"), "{grace}");
    assert!(grace.contains("• SCRUM-124: Database migration (In Progress) in #general"), "{grace}");
    let linus = home(&bot, "linus").await;
    assert!(!linus.contains("SCRUM-130") && linus.contains("#general: 2 issues"), "{linus}");
}

#[tokio::test]
async fn of_each_list_the_newest_open_issues_are_shown_and_what_was_asked_for_last_comes_first() {
    let mut bot = TestBot::start().await;
    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    for number in 201..=205 {
        bot.jira.add_issue(&key(&format!("SCRUM-{number}")), &format!("Row {number}"), "Open");
    }
    // Those of one command were asked for at the same moment.
    bot.say("/maro track SCRUM-201 SCRUM-202 SCRUM-203").await;
    bot.say_as("ada", "random", "/maro track SCRUM-205").await;
    bot.say("/maro track SCRUM-204").await;
    let ada = home(&bot, "ada").await;
    let list = "#general: 4 issues, 4 open\n• SCRUM-202: Row 202 (Open)\n• SCRUM-203: Row 203 (Open)\n\
                • SCRUM-204: Row 204 (Open)\n";
    assert!(ada.contains(list), "{ada}");
    let asked_for = "What you asked for\n• SCRUM-204: Row 204 (Open) in #general\n\
                     • SCRUM-205: Row 205 (Open) in #random\n• SCRUM-201: Row 201 (Open) in #general\n\
                     • SCRUM-202: Row 202 (Open) in #general\n• SCRUM-203: Row 203 (Open) in #general\n";
    assert!(ada.contains(asked_for), "{ada}");
}

#[tokio::test]
async fn the_home_tab_has_the_lists_of_ones_own_channels() {
    the_tab_is_drawn(TestBot::start().await).await;
}

#[tokio::test]
async fn the_home_tab_has_the_lists_on_postgresql() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    the_tab_is_drawn(bot).await;
}

#[tokio::test]
async fn without_scopes_the_home_tab_has_ones_own_list_alone() {
    let mut bot = TestBot::start().await;
    bot.slack.grant_scopes(&["chat:write", "commands"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    bot.say_as("ada", "general", "/maro track SCRUM-124").await;
    bot.say_as("ada", "dm", "/maro track SCRUM-123").await;
    let ada = home(&bot, "ada").await;
    assert!(ada.contains("Your own list: 1 issue, 1 open\n") && !ada.contains("SCRUM-124"), "{ada}");
    assert!(ada.contains("so it only shows your own list"), "{ada}");
}

#[tokio::test]
async fn what_may_not_be_shown_in_a_channel_is_not_in_the_tab_either() {
    let mut bot = TestBot::start().await;
    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
    bot.jira.set_security_level(&key("SCRUM-123"), "Board only");
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.config.access = toml::from_str("security-levels = \"deny\"").unwrap();
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    let ada = home(&bot, "ada").await;
    assert!(ada.contains("• SCRUM-124: Database migration (In Progress)"), "{ada}");
    assert!(!ada.contains("User authentication flow"), "{ada}");
    // What she asked for is there as its key.
    assert!(ada.contains("• SCRUM-123 in #general"), "{ada}");
}

#[tokio::test]
async fn a_stranger_is_shown_no_tab() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(&["chat:write", "commands", "channels:read", "users:read"]);
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.say("/maro track SCRUM-124").await;
    bot.slack.set_team_of("U0GRACE0001", "T09QUARRY7");
    bot.slack.open_home("grace").await.unwrap();
    assert!(home(&bot, "ada").await.contains("SCRUM-124"));
    assert_eq!(bot.slack.home("grace"), None);
}

#[tokio::test]
async fn issues_that_were_moved_or_deleted_are_marked_in_the_tab() {
    let mut bot = TestBot::start().await;
    bot.config.sync_interval = std::time::Duration::from_secs(1);
    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    assert!(bot.jira.move_issue(&key("SCRUM-123"), &key("OPS-77")));
    assert!(bot.jira.delete_issue(&key("SCRUM-124")));
    let listed = async || bot.say("/maro tracked").await;
    until("the list follows", async || {
        let list = listed().await;
        list.contains("was SCRUM-123") && list.contains("SCRUM-124 (not found in Jira)")
    })
    .await;
    let ada = home(&bot, "ada").await;
    for marked in
        ["• OPS-77: User authentication flow (Open) · was SCRUM-123 in #general", "• SCRUM-124 (not found"]
    {
        assert!(ada.contains(marked), "{ada}");
    }
    let view = bot.slack.home("ada").unwrap().to_string();
    assert!(view.contains("/browse/OPS-77") && !view.contains("/browse/SCRUM-124"), "{view}");
}
