//! What people type and read.

use insta::assert_snapshot;

use crate::{
    bot::{TestBot, key},
    built_components::PluginsFolder,
};

#[tokio::test]
async fn issues_are_tracked_listed_and_untracked() {
    let bot = TestBot::start().await;
    assert_snapshot!(bot.say("/maro tracked").await, @"
    No Jira issues are tracked in #general yet.
    To track one, type /maro track SCRUM-123
    ");
    assert_snapshot!(bot.say("/maro track SCRUM-123 SCRUM-124 scrum-125, SCRUM-999").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    Now tracking SCRUM-125: API documentation (Done)
    SCRUM-999 not found in Jira
    ");
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"SCRUM-123 is already tracked in this channel");
    assert_snapshot!(bot.say("/maro tracked").await, @"
    Tracked Jira issues in #general:
    • SCRUM-123: User authentication flow (Open)
    • SCRUM-124: Database migration (In Progress)
    • SCRUM-125: API documentation (Done)
    ");
    assert_snapshot!(bot.say("/maro untrack SCRUM-123 SCRUM-123 SCRUM-126 nonsense").await, @"
    Stopped tracking SCRUM-123
    SCRUM-126 is not tracked in this channel
    nonsense is not an issue key
    ");
    assert_snapshot!(bot.say("/maro tracked").await, @"
    Tracked Jira issues in #general:
    • SCRUM-124: Database migration (In Progress)
    • SCRUM-125: API documentation (Done)
    ");
}

#[tokio::test]
async fn a_change_is_shown_to_the_channel_and_everything_else_to_the_caller() {
    let bot = TestBot::start().await;
    for (typed, shown_to_all) in [
        ("/maro tracked", false),
        ("/maro track SCRUM-999", false),
        ("/maro track SCRUM-123", true),
        ("/maro track SCRUM-123", false),
        ("/maro tracked", false),
        ("/maro untrack SCRUM-124", false),
        ("/maro untrack SCRUM-123 SCRUM-124", true),
        ("/maro help", false),
        ("/maro nonsense", false),
    ] {
        let messages = bot.messages("grace", "engineering", typed).await;
        assert_eq!(messages.len(), 1, "{typed}");
        assert_eq!(messages[0].visible_to.is_none(), shown_to_all, "{typed}");
    }
}

#[tokio::test]
async fn each_channel_has_a_list_of_its_own() {
    let bot = TestBot::start().await;
    bot.say_as("ada", "general", "/maro track SCRUM-123").await;
    bot.say_as("grace", "random", "/maro track SCRUM-124").await;
    assert_snapshot!(bot.say_as("linus", "general", "/maro tracked").await, @"
    Tracked Jira issues in #general:
    • SCRUM-123: User authentication flow (Open)
    ");
    assert_snapshot!(bot.say_as("linus", "random", "/maro tracked").await, @"
    Tracked Jira issues in #random:
    • SCRUM-124: Database migration (In Progress)
    ");
    assert_snapshot!(bot.say_as("linus", "dm", "/maro tracked").await, @"
    No Jira issues are tracked in this conversation yet.
    To track one, type /maro track SCRUM-123
    ");
}

#[tokio::test]
async fn keys_are_taken_as_people_paste_them() {
    let bot = TestBot::start().await;
    let site = bot.config.jira.base_url.as_str().trim_end_matches('/');
    let typed =
        format!("/maro track <{site}/browse/scrum-123?x=1&amp;y=2|SCRUM-123>,\nSCRUM-124;scrum-123 what?");
    assert_snapshot!(bot.say(&typed).await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    what? is not an issue key
    ");
    let bare = format!("/maro track {site}/boards/1?view=a&selectedIssue=SCRUM-125 <b> R&D");
    assert_snapshot!(bot.say(&bare).await, @"
    Now tracking SCRUM-125: API documentation (Done)
    <b> is not an issue key
    R&D is not an issue key
    ");
    assert_snapshot!(bot.say("/maro untrack R&D").await, @"R&D is not an issue key");
    assert_snapshot!(bot.say("/maro tracked R&D").await, @"
    Enter a page number, starting from 1.
    Usage: /maro tracked [open | done | mine | find WORDS] [PAGE]
    ");
    let too_many = (1..=51).map(|number| format!("SCRUM-{number} ")).collect::<String>();
    assert_snapshot!(bot.say(&format!("/maro track {too_many}")).await, @"
    You can use up to 50 keys at a time; you entered 51.
    Usage: /maro track KEY [KEY …]
    ");
    assert_snapshot!(bot.say("/maro track").await, @"
    Include at least one issue key, such as SCRUM-123.
    Usage: /maro track KEY [KEY …]
    ");
}

#[tokio::test]
async fn all_keys_of_a_command_are_one_request_to_jira() {
    let bot = TestBot::start().await;
    // The probe at the start is a request too.
    bot.say("/maro track SCRUM-150").await;
    bot.jira.take_requests();
    bot.say("/maro track SCRUM-101 SCRUM-102 SCRUM-103 SCRUM-104 SCRUM-105").await;
    assert_eq!(bot.jira.take_requests().len(), 1);
    bot.say("/maro tracked").await;
    bot.say("/maro untrack SCRUM-101").await;
    assert_eq!(bot.jira.take_requests().len(), 0);
}

#[tokio::test]
async fn a_moved_issue_is_tracked_under_its_new_key() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.move_issue(&key("SCRUM-123"), &key("AUTH-7"));
    bot.jira.move_issue(&key("SCRUM-124"), &key("AUTH-8"));
    assert_snapshot!(bot.say("/maro track SCRUM-123 SCRUM-124").await, @"
    AUTH-7 is already tracked in this channel
    SCRUM-123 is now AUTH-7
    Now tracking AUTH-8: Database migration (In Progress)
    SCRUM-124 is now AUTH-8
    ");
    assert_snapshot!(bot.say("/maro tracked").await, @"
    Tracked Jira issues in #general:
    • AUTH-7: User authentication flow (Open) · was SCRUM-123
    • AUTH-8: Database migration (In Progress)
    ");
}

#[tokio::test]
async fn strangers_words_are_shown_and_never_obeyed() {
    let bot = TestBot::start().await;
    let summary = "<!channel> & <https://evil.example|click> \u{202e}*bold*\nsecond line &amp; `code`";
    bot.jira.add_issue(&key("SCRUM-900"), summary, "In <Review>");
    bot.jira.add_issue(&key("SCRUM-901"), &"long ".repeat(2_000), "Open");
    let messages = bot.messages("ada", "general", "/maro track SCRUM-900 SCRUM-901").await;
    assert!(!messages[0].text.contains("<!channel>"), "{}", messages[0].text);
    assert!(!messages[0].text.contains("<https://evil"), "{}", messages[0].text);
    let shown = bot.say("/maro tracked").await.replace('\u{200b}', "");
    assert_snapshot!(shown, @"
    Tracked Jira issues in #general:
    • SCRUM-900: <!channel> & <https://evil.example|click> *bold* second line &amp; `code` (In <Review>)
    • SCRUM-901: long long long long long long long long long long long long long long long long… (Open)
    ");
}

#[tokio::test]
async fn five_hundred_issues_are_paged() {
    let bot = TestBot::start().await;
    for number in 1_000..1_500 {
        bot.jira.add_issue(&key(&format!("SCRUM-{number}")), &"&<>".repeat(85), "In Progress");
    }
    for first in (1_000..1_500).step_by(50) {
        let keys = (first..first + 50).map(|number| format!("SCRUM-{number} ")).collect::<String>();
        bot.say(&format!("/maro track {keys}")).await;
    }
    let mut seen = Vec::new();
    for page in 1..=25 {
        let shown = bot.say(&format!("/maro tracked {page}")).await;
        seen.extend(
            shown.lines().filter_map(|line| Some(line.strip_prefix("• ")?.split(':').next()?.to_owned())),
        );
    }
    let expected: Vec<_> = (1_000..1_500).map(|number| format!("SCRUM-{number}")).collect();
    assert_eq!(seen, expected);
    let last = bot.say("/maro tracked 25").await;
    assert!(last.contains("\nPage 25 of 25"), "{last}");
    assert_snapshot!(bot.say("/maro tracked 26").await, @"There's no page 26; the list has 25 pages. Try /maro tracked 25");
    assert_snapshot!(bot.say("/maro tracked -1").await, @"
    Enter a page number, starting from 1.
    Usage: /maro tracked [open | done | mine | find WORDS] [PAGE]
    ");
}

const GRANTS: &str = r#"grants = ["jira", "tracker", "tracker-edit"]"#;

#[tokio::test]
async fn help_is_what_the_plugins_say_of_themselves() {
    let plugins = PluginsFolder::shipped().without("untrack.wasm").with_fixture("hostile", "hostile", GRANTS);
    let bot = TestBot::with_plugins(plugins).await;
    assert_snapshot!(bot.say("/maro help").await, @"
    MARO tracks Jira issues for this channel. You can type:
    • /maro hostile WHAT [TEXT] A fixture of the host's tests
    • /maro track KEY [KEY …] Track Jira issues in this channel
    • /maro tracked [open | done | mine | find WORDS] [PAGE] List the Jira issues tracked in this channel
    • /maro KEY Show an issue, with a button to track it
    • /maro create [summary] Create an issue, checking for duplicates first
    • /maro stories EPIC-KEY Create stories under an epic, one per line
    • /maro notify [status|all|done|off|digest] Choose which changes this channel is notified about
    • /maro where KEY Show which of your channels track an issue
    • /maro help [command] Show all commands, or how to use one
    • /maro plugins List installed plugins and their health
    ");
    assert_eq!(bot.say("/maro").await, bot.say("/maro help").await);
    assert_snapshot!(bot.say("/maro help track").await, @"/maro track KEY [KEY …] Track Jira issues in this channel");
    assert_snapshot!(bot.say("/maro help untrack").await, @"untrack isn't a MARO command. Did you mean /maro track? Type /maro help to see them all.");
}

#[tokio::test]
async fn an_unknown_subcommand_gets_a_suggestion() {
    let bot = TestBot::start().await;
    assert_snapshot!(bot.say("/maro trak SCRUM-1").await, @"trak isn't a MARO command. Did you mean /maro track? Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro frobnicate").await, @"frobnicate isn't a MARO command. Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro <!channel>").await, @"@channel isn't a MARO command. Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro r&d").await, @"r&d isn't a MARO command. Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro help <b>").await, @"<b> isn't a MARO command. Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro TRACKED").await, @"
    No Jira issues are tracked in #general yet.
    To track one, type /maro track SCRUM-123
    ");
}

#[tokio::test]
async fn everyone_sees_the_plugins_and_admins_load_them_again() {
    let bot = TestBot::start().await;
    let shown = bot.say_as("grace", "general", "/maro plugins").await;
    assert!(shown.contains("track 0.1.0 "), "{shown}");
    assert!(shown.contains(": healthy. Permissions: jira, tracker-edit."), "{shown}");
    assert_snapshot!(bot.say_as("grace", "general", "/maro plugins reload").await, @"Only MARO admins can do this.");

    std::fs::remove_file(bot.plugins_folder().join("untrack.wasm")).unwrap();
    let shown = bot.say_as("ada", "general", "/maro plugins reload").await;
    assert!(!shown.contains("untrack"), "{shown}");
    assert_snapshot!(bot.say("/maro untrack SCRUM-123").await, @"untrack isn't a MARO command. Did you mean /maro track? Type /maro help to see them all.");
}

#[tokio::test]
async fn lists_survive_a_restart() {
    let mut bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    let before = bot.say("/maro tracked").await;
    bot.restart().await;
    assert_eq!(bot.say("/maro tracked").await, before);
}
