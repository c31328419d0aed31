//! What people type first: keys, links, and the words of other programs.

use insta::assert_snapshot;
use jiff::SignedDuration;
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{
        modals::form,
        people::pressing::Press,
        shown::{history::ShownMessage, terminal},
    },
};

use crate::{
    bot::{
        HASTE, PATIENCE, TestBot, key,
        tickets::{create, stories::open_stories},
        until,
    },
    built_components::PluginsFolder,
    handwritten_components::Guest,
    raw::execute,
};

/// Links to the site of this bot, and to another's.
fn links(bot: &TestBot) -> (String, &'static str) {
    (
        bot.config.jira.base_url.as_str().trim_end_matches('/').to_owned(),
        "https://quarry-partner.atlassian.net",
    )
}

#[tokio::test]
async fn a_key_or_a_link_alone_shows_the_issue() {
    let bot = TestBot::start().await;
    let (own, other) = links(&bot);
    let shown = bot.say("/maro SCRUM-123").await;
    let mut lines = shown.lines();
    assert_eq!(lines.next(), Some("SCRUM-123: User authentication flow (Open)"));
    assert!(lines.next().unwrap().starts_with("Assigned to Edsger Dijkstra · updated "), "{shown}");
    assert_eq!(lines.collect::<Vec<_>>(), ["Not tracked in this channel", "[Track]"]);
    for typed in [
        "scrum-123".to_owned(),
        format!("<{own}/browse/scrum-123>"),
        format!("<{own}/browse/SCRUM-123?focusedCommentId=10881|SCRUM-123>"),
        format!("<{own}/jira/software/c/projects/SCRUM/boards/4?selectedIssue=SCRUM-123|see this>"),
        "status SCRUM-123".to_owned(),
        "show SCRUM-123".to_owned(),
        "view SCRUM-123".to_owned(),
        "get SCRUM-123".to_owned(),
        "see SCRUM-123".to_owned(),
        "Open SCRUM-123".to_owned(),
        "issue SCRUM-123".to_owned(),
        "info SCRUM-123".to_owned(),
        "\u{feff}SCRUM-123\u{200b}".to_owned(),
        "\u{200b}status SCRUM-123".to_owned(),
    ] {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, shown, "{typed}");
    }
    assert_eq!(bot.say("/maro SCRUM-404").await, "SCRUM-404 not found in Jira");
    let elsewhere = bot.say(&format!("/maro <{other}/browse/SCRUM-123|SCRUM-123>")).await;
    assert_eq!(elsewhere, "That link is to another Jira site.");

    bot.say_as("grace", "general", "/maro track SCRUM-123").await;
    let messages = bot.messages("ada", "general", "/maro SCRUM-123").await;
    assert!(messages[0].visible_to.is_some());
    let shown = bot.say("/maro SCRUM-123").await;
    let tracked = shown.lines().nth(2).unwrap();
    assert!(tracked.starts_with("Tracked in this channel since "), "{shown}");
    assert!(tracked.ends_with(", added by @grace"), "{shown}");
    assert!(shown.ends_with("[Stop tracking]"), "{shown}");
}

#[tokio::test]
async fn several_keys_each_have_their_lines_in_order() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.jira.move_issue(&key("SCRUM-124"), &key("AUTH-7"));
    let shown = bot.say("/maro SCRUM-124 SCRUM-404 what? SCRUM-125").await;
    let told: Vec<_> =
        shown.lines().filter(|line| !line.contains(" · ") && !line.contains(" since ")).collect();
    assert_eq!(
        told,
        [
            "• AUTH-7: Database migration (In Progress)",
            "SCRUM-124 is now AUTH-7",
            "SCRUM-404 not found in Jira",
            "what? isn't an issue key",
            "• SCRUM-125: API documentation (Done)",
            "Not tracked in this channel",
        ]
    );
    assert_eq!(shown.matches("Tracked in this channel since").count(), 1);
}

#[tokio::test]
async fn an_outage_of_jira_shows_what_the_list_knows() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.set_fault(JiraFault::Status(503, None));
    let shown = bot.say("/maro SCRUM-123").await;
    let mut lines = shown.lines();
    assert_eq!(lines.next(), Some("SCRUM-123: User authentication flow (Open)"));
    let freshness = lines.next().unwrap();
    assert!(
        freshness.starts_with("Status as of ") && freshness.ends_with("; Jira can't be reached"),
        "{shown}"
    );
    let refused = bot.say("/maro SCRUM-125").await;
    assert_eq!(
        refused,
        "Jira is having problems right now. Nothing was changed. Try again in a few minutes."
    );
}

#[tokio::test]
async fn a_list_says_how_old_it_is_only_while_jira_is_silent() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    let list = "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)";
    assert_eq!(bot.say("/maro tracked").await, list);
    bot.jira.set_fault(JiraFault::Status(503, None));
    bot.say("/maro track SCRUM-124").await;
    let old = bot.say("/maro tracked").await;
    let freshness = old.strip_prefix(list).unwrap_or_else(|| panic!("{old}"));
    assert!(freshness.starts_with("\nStatuses as of "), "{old}");
    assert!(freshness.ends_with("; Jira can't be reached"), "{old}");
    bot.jira.clear_fault();
    bot.say("/maro track SCRUM-404").await;
    assert_eq!(bot.say("/maro tracked").await, list);
}

#[tokio::test]
async fn what_other_programs_call_it_is_understood() {
    let bot = TestBot::start().await;
    assert_snapshot!(bot.say("/maro add SCRUM-123").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    MARO calls this /maro track
    ");
    assert_snapshot!(bot.say("/maro ls").await, @"
    Tracked Jira issues in #general:
    • SCRUM-123: User authentication flow (Open)
    MARO calls this /maro tracked
    ");
    assert_snapshot!(bot.say("/maro rm SCRUM-123").await, @"
    Stopped tracking SCRUM-123
    MARO calls this /maro untrack
    ");
    assert_snapshot!(bot.say("/maro list two").await, @"
    Enter a page number, starting from 1.
    Usage: /maro tracked [open | done | mine | find WORDS] [PAGE]
    MARO calls this /maro tracked
    ");
    assert_snapshot!(bot.say("/maro help remove").await, @"/maro untrack KEY [KEY …] | all | done Stop tracking Jira issues in this channel");
}

#[tokio::test]
async fn a_refused_plugin_of_that_name_comes_before_the_alias() {
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_file("ls.wasm", b"none")).await;
    let said = bot.say("/maro ls").await;
    assert!(said.starts_with("/maro ls is installed but isn't running right now."), "{said}");
}

#[tokio::test]
async fn a_plugin_of_that_name_comes_before_the_alias_even_if_it_is_turned_off() {
    // It calls itself "ls": these two letters stand among its texts.
    let guest = Guest { items: r#"(data (i32.const 600) "ls")"#, name: (600, 2), ..Guest::default() };
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_file("ls.wasm", &guest.component())).await;
    assert_eq!(bot.say("/maro ls").await, "done");
    bot.say("/maro plugins disable ls").await;
    assert_eq!(bot.say("/maro ls").await, "/maro ls was turned off by @ada.");
}

#[tokio::test]
async fn help_after_a_command_is_its_help() {
    let bot = TestBot::start().await;
    for command in ["track", "untrack", "tracked", "create", "stories", "plugins", "help"] {
        let help = bot.say(&format!("/maro help {command}")).await;
        assert!(help.starts_with(&format!("/maro {command}")), "{help}");
        assert_eq!(bot.say(&format!("/maro {command} Help")).await, help);
    }
}

#[tokio::test]
async fn without_plugins_help_names_what_maro_can_do_alone() {
    let bot = TestBot::with_plugins(PluginsFolder::empty()).await;
    let help = bot.say("/maro help").await;
    let heading = "No plugins are installed yet, so nothing can be tracked. Your MARO admin needs to add them. You \
                   can type:\n";
    assert!(help.starts_with(heading), "{help}");
    for command in ["/maro create", "/maro stories", "/maro KEY"] {
        assert!(help.contains(&format!("• {command}")), "{help}");
    }
    let shown = bot.say("/maro SCRUM-123").await;
    assert!(shown.starts_with("SCRUM-123: User authentication flow (Open)"), "{shown}");
    assert!(!shown.contains("[Track]"), "{shown}");
}

#[tokio::test]
async fn with_refused_plugins_alone_help_says_where_to_see_why() {
    let bot = TestBot::with_plugins(PluginsFolder::empty().with_file("track.wasm", b"none")).await;
    let help = bot.say("/maro help").await;
    let heading = "None of the installed plugins is running, so nothing can be tracked. Your MARO admin can see why \
                   with /maro plugins. You can type:\n";
    assert!(help.starts_with(heading), "{help}");
}

#[tokio::test]
async fn stories_go_under_no_epic_of_another_site() {
    let bot = TestBot::start().await;
    let (own, other) = links(&bot);
    let said = bot.say(&format!("/maro stories <{other}/browse/SCRUM-101|SCRUM-101>")).await;
    assert_eq!(said, "That link is to another Jira site.");
    let said = bot.say("/maro stories <https://wiki.quarry.example/notes/4|SCRUM-101>").await;
    assert_eq!(said, "https://wiki.quarry.example/notes/4 isn't an issue key");
    let modal = open_stories(&bot, &format!("<{own}/browse/SCRUM-101?filter=2#c3>")).await;
    assert!(modal.text().contains("SCRUM-101"), "{}", modal.text());
}

#[tokio::test]
async fn a_link_to_elsewhere_touches_nothing_of_ours() {
    let bot = TestBot::start().await;
    let (own, other) = links(&bot);
    bot.say("/maro track SCRUM-124").await;
    for typed in [
        format!("track <{other}/browse/SCRUM-123>"),
        "track <https://tracker.quarry.example/jira/browse/SCRUM-123?filter=3#c3|SCRUM-123>".to_owned(),
        format!("untrack <{other}/jira/software/projects/SCRUM/boards/2?selectedIssue=SCRUM-124>"),
    ] {
        let said = bot.say(&format!("/maro {typed}")).await;
        assert_eq!(said, "That link is to another Jira site.", "{typed}");
    }
    let said = bot.say("/maro track <https://wiki.quarry.example/notes/4|SCRUM-123>").await;
    assert!(!said.contains("Now tracking"), "{said}");
    let said = bot.say("/maro <https://wiki.quarry.example/notes/4|SCRUM-123>").await;
    assert_eq!(said, "https://wiki.quarry.example/notes/4 isn't an issue key");
    assert_snapshot!(bot.say("/maro tracked").await, @r"
    Tracked Jira issues in #general:
    • SCRUM-124: Database migration (In Progress)
    ");
    for link in [
        "servicedesk/customer/portal/7/SCRUM-123?created=true",
        "jira/servicedesk/projects/SCRUM/queues/custom/19/SCRUM-125",
    ] {
        let said = bot.say(&format!("/maro track <{own}/{link}>")).await;
        assert!(said.starts_with("Now tracking SCRUM-12"), "{said}");
    }
}

#[tokio::test]
async fn an_old_key_of_an_issue_is_named_with_its_new_one() {
    let bot = TestBot::start().await;
    bot.jira.move_issue(&key("SCRUM-123"), &key("QUAY-9"));
    bot.jira.move_issue(&key("QUAY-9"), &key("TIDE-4"));
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"
    Now tracking TIDE-4: User authentication flow (Open)
    SCRUM-123 is now TIDE-4
    ");
    assert_snapshot!(bot.say("/maro untrack QUAY-9 SCRUM-404").await, @"
    Stopped tracking TIDE-4
    QUAY-9 is now TIDE-4
    SCRUM-404 is not tracked in this channel
    ");
    assert_snapshot!(bot.say("/maro track TIDE-4 SCRUM-123 QUAY-9").await, @"
    Now tracking TIDE-4: User authentication flow (Open)
    SCRUM-123 is now TIDE-4
    QUAY-9 is now TIDE-4
    ");
    // On the list under the key that it had when it was tracked.
    bot.jira.move_issue(&key("TIDE-4"), &key("DEEP-2"));
    assert_snapshot!(bot.say("/maro untrack DEEP-2").await, @"Stopped tracking DEEP-2");
    // Old and new in one command, where nothing else of the list is of another project.
    bot.say("/maro track DEEP-2").await;
    assert_snapshot!(bot.say("/maro untrack SCRUM-123 DEEP-2").await, @"
    Stopped tracking DEEP-2
    SCRUM-123 is now DEEP-2
    ");
    assert_snapshot!(bot.say("/maro tracked").await, @"
    No Jira issues are tracked in #general yet.
    To track one, type /maro track SCRUM-123
    ");
}

#[tokio::test]
async fn untracking_asks_jira_only_about_keys_that_an_issue_of_the_list_may_have_had() {
    let bot = TestBot::start().await;
    bot.jira.add_issue(&key("TIDE-1"), "Ebb", "To Do");
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-126").await;
    bot.jira.set_fault(JiraFault::Status(503, None));
    bot.jira.take_requests();
    assert_snapshot!(bot.say("/maro untrack SCRUM-123").await, @"Stopped tracking SCRUM-123");
    // An issue moves from one project to another, and all of the list are of the same.
    assert_snapshot!(bot.say("/maro untrack SCRUM-124 SCRUM-125").await, @"
    Stopped tracking SCRUM-124
    SCRUM-125 is not tracked in this channel
    ");
    assert_eq!(bot.jira.take_requests().len(), 0);

    bot.jira.clear_fault();
    bot.say("/maro track SCRUM-124 TIDE-1").await;
    bot.jira.set_fault(JiraFault::Status(503, None));
    bot.jira.take_requests();
    assert_snapshot!(bot.say("/maro untrack SCRUM-124 SCRUM-125").await, @"
    Stopped tracking SCRUM-124
    SCRUM-125 is not tracked in this channel
    ");
    assert!(!bot.jira.take_requests().is_empty());
}

/// Presses a button and waits for what is shown to `everyone` because of it.
async fn press(
    bot: &TestBot,
    user: &str,
    message: &ShownMessage,
    label: &str,
    everyone: bool,
) -> ShownMessage {
    let before = bot.slack.messages();
    bot.slack.press_in(user, message, label).await.unwrap();
    let is_it = |shown: &ShownMessage| !before.contains(shown) && shown.visible_to.is_none() == everyone;
    let messages = bot.slack.wait_for(PATIENCE, |messages| messages.iter().any(is_it)).await.unwrap();
    messages.into_iter().find(is_it).unwrap()
}

fn text(bot: &TestBot, message: &ShownMessage) -> String {
    terminal::message_text(message, &bot.slack.workspace().names())
}

#[tokio::test]
async fn the_whole_list_goes_after_a_question_and_comes_back() {
    let bot = TestBot::start().await;
    let keys: Vec<_> = (101..=150).map(|number| format!("SCRUM-{number}")).collect();
    bot.say(&format!("/maro track {}", keys.join(" "))).await;
    let list = bot.say("/maro tracked 2").await;
    let question = bot.messages("ada", "general", "/maro untrack all").await.remove(0);
    assert_snapshot!(text(&bot, &question), @"
    Stop tracking all of #general? The list has 50 issues.
    [Stop tracking 50 issues]
    ");
    assert!(question.visible_to.is_some());
    let told = press(&bot, "ada", &question, "Stop tracking 50 issues", true).await;
    let said = text(&bot, &told);
    assert!(said.starts_with("Stopped tracking 50 issues: SCRUM-101, SCRUM-102"), "{said}");
    assert!(said.ends_with(" and 30 more\n[Undo]\nBy @ada"), "{said}");
    let is_there = |message: &ShownMessage| bot.slack.messages().iter().any(|shown| shown.ts == message.ts);
    until("the question is gone", async || !is_there(&question)).await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    let back = press(&bot, "grace", &told, "Undo", true).await;
    let said = text(&bot, &back);
    assert!(said.starts_with("Resumed tracking 50 issues: SCRUM-101, "), "{said}");
    assert!(said.ends_with("By @grace"), "{said}");
    assert_eq!(back.ts, told.ts, "it takes the place of what is undone, with its button");
    assert!(bot.slack.messages().iter().all(|message| !text(&bot, message).contains("[Undo]")));
    assert_eq!(bot.say("/maro tracked 2").await, list);
    let again = press(&bot, "grace", &told, "Undo", false).await;
    assert_eq!(text(&bot, &again), "This can't be undone any more.");
}

#[tokio::test]
async fn what_is_done_goes_and_the_rest_stays() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-125 SCRUM-102").await;
    bot.jira.delete_issue(&key("SCRUM-124"));
    let question = bot.messages("ada", "general", "/maro untrack done").await.remove(0);
    assert!(text(&bot, &question).ends_with("That's 2 issues.\n[Stop tracking 2 issues]"));
    let told = press(&bot, "ada", &question, "Stop tracking 2 issues", true).await;
    assert!(text(&bot, &told).starts_with("Stopped tracking 2 issues: SCRUM-125, SCRUM-102"));
    let list = bot.say("/maro tracked").await;
    assert!(
        list.contains("SCRUM-123") && list.contains("SCRUM-124") && !list.contains("SCRUM-125"),
        "{list}"
    );
    press(&bot, "grace", &told, "Undo", true).await;
    let list = bot.say("/maro tracked").await;
    let places = ["SCRUM-123", "SCRUM-124", "SCRUM-125", "SCRUM-102"].map(|key| list.find(key).unwrap());
    assert!(places.is_sorted(), "{list}");
}

/// Whether what was untracked so many days ago comes back to its place.
async fn comes_back_to_its_place_after(days: i64) -> bool {
    let now: jiff::Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
    let surroundings = Surroundings { patience: HASTE, ..Clock::stopped(now).into() };
    let bot = TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |_, _| {}).await;
    bot.say("/maro track SCRUM-123 SCRUM-125 SCRUM-124").await;
    let question = bot.messages("ada", "general", "/maro untrack done").await.remove(0);
    let told = press(&bot, "ada", &question, "Stop tracking 1 issue", true).await;
    bot.clock.set(now + SignedDuration::from_hours(24 * days));
    press(&bot, "grace", &told, "Undo", true).await;
    let list = bot.say("/maro tracked").await;
    ["SCRUM-123", "SCRUM-125", "SCRUM-124"].map(|key| list.find(key).unwrap()).is_sorted()
}

#[tokio::test]
async fn what_was_untracked_comes_back_to_its_place_for_a_month() {
    assert!(comes_back_to_its_place_after(30).await);
    assert!(!comes_back_to_its_place_after(32).await);
}

#[tokio::test]
async fn a_list_is_redrawn_without_the_issue_and_with_a_way_back() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let listed = bot.say("/maro tracked").await;
    let list = bot.messages("grace", "general", "/maro tracked").await.remove(0);
    let before = bot.slack.messages();
    let stop = Press::button("Stop tracking").beside("SCRUM-123");
    bot.slack.press_in("grace", &list, stop).await.unwrap();
    let is_drawn = |messages: &[ShownMessage]| {
        messages.iter().any(|message| message.ts == list.ts && !before.contains(message))
    };
    let messages = bot.slack.wait_for(PATIENCE, is_drawn).await.unwrap();
    let told =
        messages.iter().find(|message| !before.contains(message) && message.visible_to.is_none()).unwrap();
    assert_eq!(text(&bot, told), "Stopped tracking SCRUM-123\nBy @grace");
    assert_eq!(told.text, "Stopped tracking <".to_owned() + told.text.split_once('<').unwrap().1);
    let drawn = messages.iter().find(|message| message.ts == list.ts).unwrap();
    assert_eq!(
        terminal::text_with_buttons(drawn, &bot.slack.workspace().names()),
        "Tracked Jira issues in #general: [Share with channel]\n\
         • SCRUM-124: Database migration (In Progress) [Stop tracking]\n\
         • Stopped tracking SCRUM-123 [Undo]"
    );
    let label = &drawn.blocks[1]["accessory"]["accessibility_label"];
    assert_eq!(label, "Stop tracking SCRUM-124");
    let back = press(&bot, "grace", drawn, "Undo", true).await;
    assert!(text(&bot, &back).starts_with("Now tracking SCRUM-123: "), "{}", text(&bot, &back));
    // It stands where it stood, and is Ada's as before.
    assert_eq!(bot.say("/maro tracked").await, listed);
    let shown = bot.say("/maro SCRUM-123").await;
    assert!(shown.contains("by @ada"), "{shown}");
    // Another button, like what is typed, is another wish.
    bot.say_as("grace", "general", "/maro untrack SCRUM-123").await;
    let card = bot.messages("grace", "general", "/maro SCRUM-123").await.remove(0);
    press(&bot, "grace", &card, "Track", true).await;
    let list = bot.say("/maro tracked").await;
    assert!(list.find("SCRUM-124") < list.find("SCRUM-123"), "{list}");
}

#[tokio::test]
async fn what_is_assigned_to_a_person_is_theirs_like_what_they_track() {
    let mut bot = TestBot::start().await;
    let of =
        |name: &str| bot.jira.issues().into_iter().find(|issue| issue.assignee == Some(name)).unwrap().key;
    let (adas, graces) = (of("Ada Lovelace"), of("Grace Hopper"));
    bot.say_as("linus", "general", &format!("/maro track {adas} {graces}")).await;
    // Without the scopes for people's addresses, it's what they track.
    assert_eq!(bot.say("/maro tracked mine").await, "You have no Jira issues in #general.");
    restart_with_scopes(&mut bot, &["users:read", "users:read.email"]).await;
    let mine = bot.say("/maro tracked mine").await;
    assert!(mine.contains(&adas) && !mine.contains(&graces), "{mine}");
    assert!(bot.say_as("linus", "general", "/maro tracked mine").await.contains(&graces));
    bot.jira.set_fault(JiraFault::Status(503, None));
    assert_eq!(
        bot.say("/maro tracked mine").await,
        "You have no Jira issues in #general.\n\
         Issues that are assigned to you may be missing, because Jira didn't say which ones are."
    );
}

#[tokio::test]
async fn a_list_is_shared_with_the_channel_by_the_person_who_asked_for_it() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-125").await;
    let list = bot.messages("grace", "general", "/maro tracked done").await.remove(0);
    assert!(list.visible_to.is_some());
    let shared = press(&bot, "grace", &list, "Share with channel", true).await;
    assert_eq!(
        terminal::text_with_buttons(&shared, &bot.slack.workspace().names()),
        "Done Jira issues tracked in #general:\n• SCRUM-125: API documentation (Done)\nBy @grace"
    );
    // The ids of the other buttons are what they were without it.
    let ids = list.blocks.iter().filter_map(|block| block["accessory"]["action_id"].as_str());
    let numbers: Vec<_> = ids.filter_map(|id| id.split(':').nth(1)).collect();
    assert_eq!(numbers, ["0", "1"]);
    // There is nothing to share where nobody else is, or nothing is listed.
    bot.say_as("ada", "dm", "/maro track SCRUM-123").await;
    for (channel, typed) in
        [("dm", "/maro tracked"), ("random", "/maro tracked"), ("general", "/maro tracked find no")]
    {
        let shown = bot.messages("ada", channel, typed).await.remove(0);
        assert!(
            !form::buttons(&shown.blocks).iter().any(|button| button.label.starts_with("Share")),
            "{typed}"
        );
    }
    let empty = bot.messages("ada", "random", "/maro tracked share").await.remove(0);
    assert!(empty.visible_to.is_some());
}

#[tokio::test]
async fn a_shown_issue_changes_its_button_when_it_is_pressed() {
    let bot = TestBot::start().await;
    let card = bot.messages("ada", "general", "/maro SCRUM-123").await.remove(0);
    let drawn = press(&bot, "ada", &card, "Track", false).await;
    assert_eq!(drawn.ts, card.ts);
    assert!(text(&bot, &drawn).ends_with("[Stop tracking]"), "{}", text(&bot, &drawn));
    let drawn = press(&bot, "ada", &drawn, "Stop tracking", false).await;
    assert!(text(&bot, &drawn).ends_with("Not tracked in this channel\n[Track]"), "{}", text(&bot, &drawn));
}

/// Starts the bot again, with an app that has these scopes beside the required ones.
async fn restart_with_scopes(bot: &mut TestBot, scopes: &[&str]) {
    bot.slack.grant_scopes(&[&["chat:write", "commands"], scopes].concat());
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
}

#[tokio::test]
async fn where_names_the_channels_that_the_person_is_in() {
    let mut bot = TestBot::start().await;
    for channel in ["general", "launch"] {
        bot.say_as("ada", channel, "/maro track SCRUM-123").await;
    }
    restart_with_scopes(&mut bot, &["channels:read", "groups:read"]).await;
    assert_snapshot!(bot.say("/maro where scrum-123").await, @"
    SCRUM-123 is tracked in:
    • #general
    • #launch
    ");
    // She isn't in #launch, which is private.
    assert_snapshot!(bot.say_as("linus", "random", "/maro where SCRUM-123").await, @"
    SCRUM-123 is tracked in:
    • #general
    ");
    assert_snapshot!(bot.say("/maro where SCRUM-124").await, @"SCRUM-124 isn't tracked in any channel that you're in");
    assert_snapshot!(bot.say("/maro where").await, @"Usage: /maro where KEY");
    // Without the scopes, only this channel is known.
    restart_with_scopes(&mut bot, &[]).await;
    let said = bot.say_as("ada", "random", "/maro where SCRUM-123").await;
    assert!(said.starts_with("SCRUM-123 isn't tracked here\nMARO can only check this channel"), "{said}");
}

#[tokio::test]
async fn the_status_of_what_was_just_created_is_read_soon() {
    let bot = create::bot().await;
    open_stories(&bot, "SCRUM-101").await;
    bot.slack.fill("ada", &[("stories", "Sign in with a passkey\nSign out everywhere")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    until("both have their status", async || {
        let list = bot.say("/maro tracked").await;
        list.contains("Sign in with a passkey (") && list.contains("Sign out everywhere (")
    })
    .await;
}

#[tokio::test]
async fn a_list_is_searched_by_words_of_key_summary_and_status() {
    let bot = TestBot::start().await;
    let keys: Vec<_> = (101..=150).map(|number| format!("SCRUM-{number}")).collect();
    bot.say(&format!("/maro track {}", keys.join(" "))).await;
    assert_snapshot!(bot.say("/maro tracked find DATABASE migration").await, @"
    Tracked Jira issues in #general:
    1 issue matches DATABASE migration
    • SCRUM-124: Database migration (In Progress)
    ");
    let second = bot.say("/maro tracked find scrum-1 2").await;
    assert!(second.contains("\nPage 2 of 3\nNext: /maro tracked find scrum-1 3\n"), "{second}");
    assert_snapshot!(bot.say("/maro tracked find zeppelin").await, @"No issues tracked in #general match zeppelin.");
}

#[tokio::test]
async fn one_command_is_carried_out_at_a_time() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    assert_snapshot!(bot.say("/maro untrack SCRUM-123 and track SCRUM-125").await, @"
    “track” can't stand before an issue key. Enter one command at a time, with its keys only.
    Usage: /maro untrack KEY [KEY …] | all | done
    ");
    for typed in ["untrack all but not SCRUM-123", "track SCRUM-125\n/maro untrack SCRUM-124"] {
        assert!(bot.say(&format!("/maro {typed}")).await.contains("one command at a time"), "{typed}");
    }
    let list = bot.say("/maro tracked").await;
    assert!(
        list.contains("SCRUM-123") && list.contains("SCRUM-124") && !list.contains("SCRUM-125"),
        "{list}"
    );
    // What people write, too, isn't taken for what a button says.
    let stopped = bot.say("/maro untrack these two: SCRUM-123, SCRUM-124").await;
    assert!(stopped.contains("Stopped tracking SCRUM-123\nStopped tracking SCRUM-124"), "{stopped}");
}

#[tokio::test]
async fn what_was_deleted_in_jira_is_no_link_and_can_be_taken_off_the_list() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.delete_issue(&key("SCRUM-123"));
    assert_snapshot!(bot.say("/maro where SCRUM-123").await.lines().next().unwrap(), @"SCRUM-123 is tracked in:");
    let shown = bot.say("/maro SCRUM-123").await;
    assert!(shown.starts_with("SCRUM-123 not found in Jira\nTracked in this channel since "), "{shown}");
    assert!(shown.ends_with("[Stop tracking]"), "{shown}");
    for typed in ["where", ""] {
        let message = bot.messages("ada", "general", &format!("/maro {typed} SCRUM-123")).await.remove(0);
        assert!(!message.text.contains("/browse/"), "{}", message.text);
    }
}

#[tokio::test]
async fn what_a_few_keys_cannot_be_is_said() {
    let bot = TestBot::start().await;
    assert_snapshot!(bot.say("/maro where SCRUM-1..11").await, @"You can use up to 10 keys at a time.");
    assert_snapshot!(bot.say("/maro where foo").await, @"
    foo isn't an issue key
    Usage: /maro where KEY
    ");
    assert_snapshot!(bot.say("/maro notify log-in off").await.lines().next().unwrap(), @"log-in isn't an issue key");
}

#[tokio::test]
async fn help_is_given_whatever_stands_beside_it() {
    let bot = TestBot::start().await;
    let all = bot.say("/maro help").await;
    for typed in ["help me", "help please", "help, please!", "can you help me", "help me with this"] {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, all, "{typed}");
    }
    let track = bot.say("/maro help track").await;
    for typed in ["help track?", "help “track”", "help how do i track", "help me track issues", "help add"]
    {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, track, "{typed}");
    }
    assert_eq!(bot.say("/maro help tracked find").await, bot.say("/maro help tracked").await);
    assert!(bot.say("/maro help foo").await.starts_with("foo isn't a MARO command."));
}

#[tokio::test]
async fn a_key_that_does_not_exist_is_no_link() {
    let bot = TestBot::start().await;
    let answer = bot.messages("ada", "general", "/maro track SCRUM-999").await.remove(0);
    assert_eq!(answer.text, "SCRUM-999 not found in Jira");
}

#[tokio::test]
async fn keys_are_understood_as_people_type_them() {
    let bot = TestBot::start().await;
    let shown = bot.say("/maro SCRUM-123").await;
    for typed in [
        "SCRUM 123",
        "scrum 123",
        "SCRUM–123",
        "SCRUM-123.",
        "SCRUM - 123",
        "“SCRUM-123”",
        "(SCRUM 123)",
        "`SCRUM-123`",
        "\"SCRUM-123\"",
        "ＳＣＲＵＭ－１２３",
        "SCRUM\u{200b}-123",
        "SCRUM\u{a0}123",
        "SCRUM-123 🙏",
        "SCRUM-123:white_check_mark:",
        "SCRUM-123 please",
        "SCRUM-123: User authentication flow (Open)",
        "[SCRUM-123] User authentication flow",
        "scrum 123: User authentication flow",
        "show SCRUM-123",
        "/maro SCRUM-123",
    ] {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, shown, "{typed}");
    }
    assert_eq!(
        bot.say("/maro track SCRUM 123, scrum-124 and SCRUM–125 🎉").await,
        "Now tracking SCRUM-123: User authentication flow (Open)\n\
         Now tracking SCRUM-124: Database migration (In Progress)\n\
         Now tracking SCRUM-125: API documentation (Done)"
    );
    assert_snapshot!(bot.say("/maro where SCRUM 123 & SCRUM-124?").await.lines().filter(|line| line.starts_with("SCRUM")).collect::<Vec<_>>().join("\n"), @"
    SCRUM-123 is tracked in:
    SCRUM-124 is tracked in:
    ");
    assert_snapshot!(bot.say("/maro notify SCRUM 123, SCRUM-124 off").await, @"
    SCRUM-123: this channel won't be notified about it any more.
    SCRUM-124: this channel won't be notified about it any more.
    ");
    assert_snapshot!(bot.say("/maro notify on “SCRUM 123”").await, @"SCRUM-123: this channel will be notified about it again.");
    let removed = bot.say("/maro \"untrack SCRUM 123 + ＳＣＲＵＭ－１２４\"").await;
    assert!(removed.starts_with("Stopped tracking SCRUM-123\nStopped tracking SCRUM-124"), "{removed}");
    assert_snapshot!(bot.say("/maro track SCRUM 999 and foo!").await, @"
    SCRUM-999 not found in Jira
    foo! is not an issue key
    ");
}

#[tokio::test]
async fn a_command_is_understood_whatever_stands_before_it() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    for typed in [
        "@maro track SCRUM-123",
        "<@U0MAROBOT01> track SCRUM-123",
        "<@U0MAROBOT01|maro>, please track SCRUM-123",
        "please track SCRUM-123",
        "Please, could you track SCRUM-123?",
        "hey maro: track SCRUM-123 please!",
        "```track SCRUM-123```",
        "*track* SCRUM-123",
        "/track SCRUM-123",
        "track:SCRUM-123",
        "track,SCRUM-123",
        "track the ticket SCRUM-123 for us, in this channel",
        "add:SCRUM-123",
    ] {
        let said = bot.say(&format!("/maro {typed}")).await;
        assert!(said.starts_with("SCRUM-123 is already tracked in this channel"), "{typed}: {said}");
        assert!(!said.contains("not an issue key"), "{typed}: {said}");
    }
    let help = bot.say("/maro help track").await;
    for typed in ["track --help", "track ?", "track -h", "please track help", "@maro track help"] {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, help, "{typed}");
    }
    let unknown = bot.say("/maro please").await;
    assert_eq!(unknown, "please isn't a MARO command. Type /maro help to see them all.");
    assert_snapshot!(bot.say("/maro tracked find \"auth flow\"").await, @"
    Tracked Jira issues in #general:
    1 issue matches auth flow
    • SCRUM-123: User authentication flow (Open)
    ");
    assert_eq!(bot.say("/maro tracked SCRUM-123").await, bot.say("/maro tracked find SCRUM-123").await);
}

#[tokio::test]
async fn a_number_behind_a_key_is_understood_or_named_and_never_anything_else() {
    let bot = TestBot::start().await;
    let shown = bot.say("/maro SCRUM-123, 124").await;
    assert!(shown.contains("SCRUM-123: User") && shown.contains("SCRUM-124: Database"), "{shown}");
    assert_snapshot!(bot.say("/maro track SCRUM-123, 124 and 999").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    SCRUM-999 not found in Jira
    ");
    assert_snapshot!(bot.say("/maro track SCRUM-123 125").await, @"
    SCRUM-123 is already tracked in this channel
    125 is not an issue key
    ");
    assert_snapshot!(bot.say("/maro untrack SCRUM-123 – 125").await, @"
    Stopped tracking SCRUM-123
    Stopped tracking SCRUM-124
    SCRUM-125 is not tracked in this channel
    ");
    assert_snapshot!(bot.say("/maro track SCRUM-123 to SCRUM-125").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    Now tracking SCRUM-125: API documentation (Done)
    ");
    assert_snapshot!(bot.say("/maro stories SCRUM-101, 102").await, @"You can add stories to one epic at a time, but you named SCRUM-101 and SCRUM-102.");
}

#[tokio::test]
async fn a_link_to_the_page_for_logging_in_leads_to_its_issue() {
    let bot = TestBot::start().await;
    let site = bot.jira.base_url().to_string();
    let site = site.trim_end_matches('/');
    let link =
        format!("{site}/login.jsp?permissionViolation=true&os_destination=%2Fbrowse%2FSCRUM-123&page_caps=");
    let shown = bot.say("/maro SCRUM-123").await;
    assert_eq!(bot.say(&format!("/maro <{link}>")).await, shown);
    assert_eq!(
        bot.say(&format!("/maro track {link}")).await,
        "Now tracking SCRUM-123: User authentication flow (Open)"
    );
    let elsewhere = "https://harbor.atlassian.net/login.jsp?os_destination=%2Fbrowse%2FSCRUM-124";
    assert_eq!(bot.say(&format!("/maro track <{elsewhere}>")).await, "That link is to another Jira site.");
}

#[tokio::test]
async fn what_is_no_command_is_answered_with_what_was_meant() {
    let bot = TestBot::start().await;
    for (typed, meant) in [
        ("scrum123", "SCRUM-123"),
        ("SCRUM_123", "SCRUM-123"),
        ("delete SCRUM-123", "untrack"),
        ("watch SCRUM-123", "track"),
        ("new log-in fails", "create"),
        ("mute", "notify"),
        ("trackd 2", "tracked"),
    ] {
        let said = bot.say(&format!("/maro {typed}")).await;
        assert!(said.contains(&format!("Did you mean /maro {meant}? ")), "{typed}: {said}");
    }
    let help = bot.say("/maro help").await;
    for typed in ["?", "--help", "-h", "“help”", "/maro help", "Help!"] {
        assert_eq!(bot.say(&format!("/maro {typed}")).await, help, "{typed}");
    }
}

#[tokio::test]
async fn what_needs_only_the_list_is_done_while_jira_is_down_and_says_so() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-125").await;
    bot.jira.set_fault(JiraFault::Status(503, None));
    let question = bot.messages("ada", "general", "/maro untrack done").await.remove(0);
    assert_eq!(
        text(&bot, &question),
        "Stop tracking what's done in #general? That's 1 issue.\n\
         Jira can't be asked right now, so this goes by what it last said.\n[Stop tracking 1 issue]"
    );
    // What shows no status needs no date for it.
    assert_eq!(bot.say("/maro tracked find zeppelin").await, "No issues tracked in #general match zeppelin.");
    assert!(bot.say("/maro tracked").await.contains("Statuses as of "));
}

#[tokio::test]
async fn a_number_behind_words_is_a_page_where_there_is_one() {
    let bot = TestBot::start().await;
    let keys: Vec<_> = (101..=150).map(|number| format!("SCRUM-{number}")).collect();
    bot.say(&format!("/maro track {}", keys.join(" "))).await;
    let found = bot.say("/maro tracked find Safari 16").await;
    assert!(found.contains("\n1 issue matches Safari 16\n"), "{found}");
    assert!(bot.say("/maro tracked find scrum-1 3").await.contains("\nPage 3 of 3"));
    let past = bot.say("/maro tracked find scrum-1 999").await;
    assert_eq!(past, "There's no page 999; the list has 3 pages. Try /maro tracked find scrum-1 3");
}
