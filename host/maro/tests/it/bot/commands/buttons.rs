//! Buttons in replies: commands to press instead of to type.

use maro_simulation::slack::{
    people::pressing::Press,
    shown::{history::ShownMessage, terminal},
};
use maro_texts as texts;

use crate::{
    bot::{PATIENCE, TestBot, until},
    built_components::PluginsFolder,
};

/// What a press leads to: the message that is new or has changed.
async fn press(bot: &TestBot, user: &str, message: &ShownMessage, press: Press) -> ShownMessage {
    let before = bot.slack.messages();
    bot.slack.press_in(user, message, press).await.unwrap();
    let changed = |messages: &[ShownMessage]| messages.iter().any(|message| !before.contains(message));
    let messages = bot.slack.wait_for(PATIENCE, changed).await.unwrap();
    messages.into_iter().find(|message| !before.contains(message)).unwrap()
}

fn text(bot: &TestBot, message: &ShownMessage) -> String {
    terminal::message_text(message, &bot.slack.workspace().names())
}

async fn only_answer(bot: &TestBot, user: &str, typed: &str) -> ShownMessage {
    let mut messages = bot.messages(user, "general", typed).await;
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

#[tokio::test]
async fn stop_tracking_is_done_as_the_person_who_presses_and_shown_to_the_channel() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let list = only_answer(&bot, "grace", "/maro tracked").await;
    let stop = || Press::button("Stop tracking").beside("SCRUM-124");
    let answer = press(&bot, "grace", &list, stop()).await;
    assert_eq!(text(&bot, &answer), "Stopped tracking SCRUM-124\nBy @grace");
    assert_eq!(answer.visible_to, None);
    assert_eq!(
        bot.say("/maro tracked").await,
        "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)"
    );

    // Her list follows.
    let redrawn = |messages: &[ShownMessage]| !messages.contains(&list);
    bot.slack.wait_for(PATIENCE, redrawn).await.unwrap();
    // Pressed again, as the list still shows it: nothing happens, and only she is told.
    let again = press(&bot, "grace", &list, stop()).await;
    assert_eq!(text(&bot, &again), "SCRUM-124 is not tracked in this channel");
    assert_eq!(again.visible_to, list.visible_to);
    assert_ne!(again.ts, list.ts);
}

#[tokio::test]
async fn a_page_takes_the_place_of_the_one_before() {
    let bot = TestBot::start().await;
    let keys = (101..=121).map(|number| format!("SCRUM-{number} ")).collect::<String>();
    bot.say(&format!("/maro track {keys}")).await;
    let first = only_answer(&bot, "ada", "/maro tracked").await;
    let count = bot.slack.messages().len();
    let second = press(&bot, "ada", &first, "Next page".into()).await;
    assert!(text(&bot, &second).ends_with("Page 2 of 2\n[Previous page]"), "{}", text(&bot, &second));
    assert_eq!((&second.ts, &second.visible_to), (&first.ts, &first.visible_to));
    let back = press(&bot, "ada", &second, "Previous page".into()).await;
    assert_eq!(text(&bot, &back), text(&bot, &first));
    assert_eq!(bot.slack.messages().len(), count, "no further message");
}

#[tokio::test]
async fn a_page_that_cannot_be_had_leaves_the_old_one() {
    let bot = TestBot::start().await;
    let keys = (101..=121).map(|number| format!("SCRUM-{number} ")).collect::<String>();
    bot.say(&format!("/maro track {keys}")).await;
    let first = only_answer(&bot, "ada", "/maro tracked").await;
    std::fs::remove_file(bot.plugins_folder().join("tracked.wasm")).unwrap();
    bot.bot().registry().load().await.unwrap();
    let answer = press(&bot, "ada", &first, "Next page".into()).await;
    assert!(text(&bot, &answer).starts_with("tracked isn't a MARO command."), "{}", text(&bot, &answer));
    assert_ne!(answer.ts, first.ts);
}

#[tokio::test]
async fn a_button_can_open_a_modal_and_reaches_only_what_its_presser_may_do() {
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_fixture("buttons", "buttons", "")).await;
    let message = only_answer(&bot, "grace", "/maro buttons").await;
    bot.slack.press_in("grace", &message, "Create").await.unwrap();
    let modal = bot.slack.wait_for_modal("grace", |_| true).await.unwrap();
    assert!(modal.title().contains("Create"));
    // Ada administers the bot and Grace does not.
    let refused = press(&bot, "grace", &message, "Reload".into()).await;
    assert_eq!(text(&bot, &refused), texts::rights::roles::ADMINS_ONLY);
    // A plugin can write anything on a button.
    let refused = press(&bot, "ada", &message, "Reload".into()).await;
    assert_eq!(
        text(&bot, &refused),
        "This can't be done with a button. An admin needs to type /maro plugins reload."
    );
}

#[tokio::test]
async fn a_poll_counts_on_in_one_message_that_everyone_sees() {
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_fixture("buttons", "buttons", "")).await;
    let poll = only_answer(&bot, "ada", "/maro buttons poll 0").await;
    assert_eq!((text(&bot, &poll).as_str(), &poll.visible_to), ("0 votes\n[Vote]", &None));
    assert_eq!(question(&poll).as_deref(), Some("Really <vote>?"));
    let count = bot.slack.messages().len();
    let mut shown = poll.clone();
    for (votes, user) in (1..).zip(["grace", "ada", "grace"]) {
        shown = press(&bot, user, &shown, "Vote".into()).await;
        assert_eq!(text(&bot, &shown), format!("{votes} votes\n[Vote]"));
        assert_eq!((&shown.ts, &shown.visible_to), (&poll.ts, &None));
    }
    assert_eq!(question(&shown), None);
    assert_eq!(bot.slack.messages().len(), count, "no further message");
}

#[tokio::test]
async fn only_a_plugins_own_message_that_everyone_sees_is_replaced() {
    let plugins = PluginsFolder::shipped().with_fixture("buttons", "buttons", "");
    let bot = TestBot::with_plugins(plugins).await;
    // The host's message, with a button that somebody else made.
    let asked = only_answer(&bot, "ada", "/maro buttons tracked").await;
    let list = press(&bot, "ada", &asked, "Go".into()).await;
    assert_ne!(list.ts, asked.ts);
    // Of its own message that only one person sees, the answer is another message, for everyone.
    let private = only_answer(&bot, "ada", "/maro buttons").await;
    assert!(private.visible_to.is_some());
    assert_eq!(
        text(&bot, &only_answer(&bot, "ada", "/maro buttons date").await),
        "Jan 31, 2026, Jan 31, 2026 09:30 UTC, Jan 31, 2026 09:30 UTC"
    );
}

/// What Slack asks before it reports a press.
fn question(message: &ShownMessage) -> Option<String> {
    let button = &message.blocks.iter().find(|block| block["type"] == "actions").unwrap()["elements"][0];
    button["confirm"]["text"]["text"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_command_of_another_is_shown_before_it_runs_unless_the_operator_says_otherwise() {
    let shipped = || PluginsFolder::shipped();
    let bot = TestBot::with_plugins(shipped().with_fixture("buttons", "buttons", "")).await;
    bot.say("/maro track SCRUM-123").await;
    let message = only_answer(&bot, "grace", "/maro buttons untrack SCRUM-123").await;
    assert_eq!(question(&message).as_deref(), Some("/maro untrack SCRUM-123"));
    let answer = press(&bot, "ada", &message, "Go".into()).await;
    assert_eq!(text(&bot, &answer), "Stopped tracking SCRUM-123\nBy @ada");
    let own = only_answer(&bot, "grace", "/maro buttons Buttons again").await;
    assert_eq!(question(&own), None);

    let manifest = "buttons = [\"untrack\"]";
    let bot = TestBot::with_plugins(shipped().with_fixture("buttons", "buttons", manifest)).await;
    let message = only_answer(&bot, "grace", "/maro buttons untrack SCRUM-123").await;
    assert_eq!(question(&message), None);
    let answer = press(&bot, "ada", &message, "Go".into()).await;
    assert_eq!(text(&bot, &answer), "SCRUM-123 is not tracked in this channel");
    // The operator changes their mind while the message stands.
    std::fs::write(bot.plugins_folder().join("buttons.toml"), "").unwrap();
    bot.bot().registry().load().await.unwrap();
    let asking = press(&bot, "ada", &message, "Go".into()).await;
    assert_eq!(question(&asking).as_deref(), Some("/maro untrack SCRUM-123"));
    // Or removes the plugin, and nobody says any more what its buttons may do.
    std::fs::remove_file(bot.plugins_folder().join("buttons.wasm")).unwrap();
    bot.bot().registry().load().await.unwrap();
    let asking = press(&bot, "grace", &message, "Go".into()).await;
    assert_eq!(question(&asking).as_deref(), Some("/maro untrack SCRUM-123"));
}

#[tokio::test]
async fn what_stands_before_a_command_or_for_it_does_not_decide_who_is_asked() {
    let manifest = "buttons = [\"please\", \"add\", \"untrack\"]";
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("buttons", "buttons", manifest)).await;
    for command in ["please track SCRUM-123", "add SCRUM-123"] {
        let message = only_answer(&bot, "grace", &format!("/maro buttons {command}")).await;
        let asking = press(&bot, "ada", &message, "Go".into()).await;
        assert_eq!(question(&asking), Some(format!("/maro {command}")));
    }
    let message = only_answer(&bot, "grace", "/maro buttons please rm SCRUM-123").await;
    let answer = press(&bot, "ada", &message, "Go".into()).await;
    assert!(text(&bot, &answer).starts_with("SCRUM-123 is not tracked in this channel"));
}

#[tokio::test]
async fn what_a_scope_keeps_for_admins_has_to_be_typed() {
    let folder =
        PluginsFolder::shipped().with_fixture("buttons", "buttons", "buttons = [\"capable\"]").with_fixture(
            "capable",
            "capable",
            "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n[scope]\nstorage.admins-only = true",
        );
    let bot = TestBot::with_plugins(folder).await;
    assert_eq!(bot.say("/maro capable set plugin freeze cranes").await, "set");
    let message = only_answer(&bot, "grace", "/maro buttons capable delete plugin freeze").await;
    let refused = press(&bot, "ada", &message, "Go".into()).await;
    assert_eq!(
        text(&bot, &refused),
        "This can't be done with a button. An admin needs to type /maro capable delete plugin freeze."
    );
    let refused = press(&bot, "grace", &message, "Go".into()).await;
    assert_eq!(text(&bot, &refused), "Only MARO admins can use the storage permission through this command.");
    assert!(bot.say("/maro capable get plugin freeze").await.contains("cranes"));
}

#[tokio::test]
async fn a_button_that_does_not_say_who_made_it_is_asked_about() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    let list = only_answer(&bot, "ada", "/maro tracked").await;
    let alter = |action_id: &str| {
        let mut altered = list.clone();
        altered.blocks[1]["accessory"]["action_id"] = action_id.into();
        altered
    };
    let sealed = list.blocks[1]["accessory"]["action_id"].as_str().unwrap().to_owned();
    let forged = sealed.replace("tracked", "untrack");
    assert_ne!(forged, sealed);
    // As messages had it before MARO noted who made a button, and one that somebody altered.
    for action_id in ["run_command:1", &forged] {
        let asking = press(&bot, "ada", &alter(action_id), "Stop tracking".into()).await;
        assert_eq!(text(&bot, &asking), "This button runs /maro untrack SCRUM-123.\n[Run it]");
        assert_eq!(question(&asking).as_deref(), Some("/maro untrack SCRUM-123"));
        assert_eq!(asking.visible_to.as_deref(), list.visible_to.as_deref());
    }
    let asking = press(&bot, "ada", &alter("run_command:1"), "Stop tracking".into()).await;
    let answer = press(&bot, "ada", &asking, "Run it".into()).await;
    assert_eq!(text(&bot, &answer), "Stopped tracking SCRUM-123\nBy @ada");
    let is_there = || bot.slack.messages().iter().any(|shown| shown.ts == asking.ts);
    until("the question is gone", async || !is_there()).await;
}

/// A list of several pages, of which somebody has the second one before them.
#[tokio::test]
async fn the_page_with_the_button_is_redrawn_with_a_way_back() {
    let bot = TestBot::start().await;
    let keys: Vec<_> = (101..=123).map(|number| format!("SCRUM-{number}")).collect();
    bot.say(&format!("/maro track {}", keys.join(" "))).await;
    let page = bot.messages("ada", "general", "/maro tracked 2").await.remove(0);
    bot.slack.press_in("ada", &page, Press::button("Stop tracking").beside("SCRUM-122")).await.unwrap();
    let now = || {
        let messages = bot.slack.messages();
        let shown = messages.iter().find(|message| message.ts == page.ts);
        shown
            .map(|message| terminal::message_text(message, &bot.slack.workspace().names()))
            .unwrap_or_default()
    };
    until("it's redrawn", async || !now().contains("• SCRUM-122")).await;
    let shown = now();
    assert!(shown.contains("Page 2 of 2") && shown.contains("• SCRUM-121: "), "{shown}");
    assert!(!shown.contains("• SCRUM-101"), "{shown}");
    // Its button is beside it.
    assert!(shown.ends_with("• Stopped tracking SCRUM-122"), "{shown}");
}

#[tokio::test]
async fn a_list_that_was_out_of_date_follows_though_nothing_was_done() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let list = only_answer(&bot, "grace", "/maro tracked").await;
    bot.say("/maro untrack SCRUM-124").await;
    let stop = Press::button("Stop tracking").beside("SCRUM-124");
    bot.slack.press_in("grace", &list, stop).await.unwrap();
    let is_told = |message: &ShownMessage| text(&bot, message) == "SCRUM-124 is not tracked in this channel";
    let is_redrawn =
        |message: &ShownMessage| message.ts == list.ts && !text(&bot, message).contains("• SCRUM-124: ");
    until("she is told, and her list follows", async || {
        let seen = bot.slack.messages_seen_by("grace", "general");
        seen.iter().any(is_told) && seen.iter().any(is_redrawn)
    })
    .await;
}
