//! Messages to MARO and shortcuts on messages: the ways in beside commands.

use maro_process::secret::Secret;
use maro_simulation::slack::{
    people::pressing::Press,
    shown::{history::ShownMessage, terminal},
};
use serde_json::{Value, json};

use crate::{
    bot::{TestBot, until},
    built_components::PluginsFolder,
    raw::{execute, query},
};

/// What ada sees in a channel beside what people wrote.
fn answers(bot: &TestBot, channel: &str) -> Vec<ShownMessage> {
    let is_bots = |message: &ShownMessage| message.user.is_none();
    bot.slack.messages_seen_by("ada", channel).into_iter().filter(is_bots).collect()
}

fn text(bot: &TestBot, message: &ShownMessage) -> String {
    terminal::message_text(message, &bot.slack.workspace().names())
}

/// Writes to the bot as ada, and returns its answer.
async fn ask(bot: &TestBot, channel: &str, said: &str) -> String {
    let before = answers(bot, channel).len();
    bot.slack.write_to_bot("ada", channel, said).await.unwrap();
    until("the bot answers", async || answers(bot, channel).len() > before).await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    text(bot, &answers(bot, channel)[before])
}

#[tokio::test]
async fn a_list_in_that_conversation_is_redrawn_in_its_place() {
    let bot = TestBot::start().await;
    ask(&bot, "dm", "track SCRUM-123 SCRUM-124").await;
    ask(&bot, "dm", "tracked").await;
    let list = answers(&bot, "dm").pop().unwrap();
    assert_eq!(list.visible_to, None);
    bot.slack.press_in("ada", &list, Press::button("Stop tracking").beside("SCRUM-124")).await.unwrap();
    let shown = async || answers(&bot, "dm").into_iter().find(|message| message.ts == list.ts).unwrap();
    until("the list follows", async || shown().await != list).await;
    let redrawn = shown().await;
    assert_eq!(redrawn.visible_to, None);
    let redrawn = text(&bot, &redrawn);
    assert!(redrawn.contains("• SCRUM-123: User authentication flow (Open)"), "{redrawn}");
    assert!(redrawn.contains("• Stopped tracking SCRUM-124"), "{redrawn}");
    assert_eq!(bot.slack.problems(), [""; 0]);
}

async fn a_message_is_answered(bot: TestBot) {
    let help = ask(&bot, "dm", "hello, what is this?").await;
    assert!(help.starts_with("MARO tracks Jira issues for this channel. You can type:"), "{help}");
    assert!(help.contains("/maro track KEY"), "{help}");
    assert!(
        help.ends_with("In this conversation the list is your own, and you don't need to type /maro."),
        "{help}"
    );
    // The list in that conversation is the person's own.
    let tracked = ask(&bot, "dm", "Track SCRUM-123").await;
    assert!(tracked.starts_with("Now tracking SCRUM-123: User authentication flow (Open)"), "{tracked}");
    let list = ask(&bot, "dm", "/maro tracked").await;
    assert!(
        list.starts_with(
            "Tracked Jira issues in this conversation:\n• SCRUM-123: User authentication flow (Open)"
        ),
        "{list}"
    );
    assert_eq!(bot.say_as("ada", "dm", "/maro tracked").await, list);
    assert_eq!(
        bot.say_as("grace", "dm", "/maro tracked").await.lines().next(),
        Some("No Jira issues are tracked in this conversation yet.")
    );
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked in #general yet."));
    let shown = ask(&bot, "dm", "scrum-124").await;
    assert!(shown.starts_with("SCRUM-124: Database migration (In Progress)"), "{shown}");
    assert!(shown.contains("\nNot tracked in this channel"), "{shown}");
    assert!(ask(&bot, "dm", "untrack SCRUM-123").await.starts_with("Stopped tracking SCRUM-123"));
    let shown = ask(&bot, "dm", "What is SCRUM-124, is it UTF-8?").await;
    assert!(shown.starts_with("SCRUM-124: Database migration (In Progress)"), "{shown}");
    assert!(ask(&bot, "dm", "is UTF-8 fine in 5 minutes?").await.starts_with("MARO tracks Jira issues"));
    assert!(ask(&bot, "dm", "UTF-8 is fine").await.starts_with("MARO tracks Jira issues"));
    let shown = ask(&bot, "dm", "SCRUM-124 is broken").await;
    assert!(shown.starts_with("SCRUM-124: Database") && !shown.contains("isn't an issue key"), "{shown}");
    let tracked = ask(&bot, "dm", "Hi, could you please track SCRUM-125?").await;
    assert!(tracked.starts_with("Now tracking SCRUM-125: API documentation (Done)"), "{tracked}");
    assert!(ask(&bot, "dm", "SCRUM 124").await.starts_with("SCRUM-124: Database migration (In Progress)"));
    // As behind the slash.
    for typed in ["Track: SCRUM-123", "`track SCRUM-123`", "maro track SCRUM-123"] {
        assert!(ask(&bot, "dm", typed).await.contains("racking SCRUM-123"), "{typed}");
        ask(&bot, "dm", "untrack SCRUM-123").await;
    }
    assert!(ask(&bot, "dm", "can you help me").await.starts_with("MARO tracks Jira issues"));
    for link in ["", "What is "] {
        let said =
            ask(&bot, "dm", &format!("{link}<https://elsewhere.atlassian.net/browse/SCRUM-123>")).await;
        assert!(said.starts_with("That link is to another Jira site."), "{said}");
    }
    // A form can't be opened from a message.
    for (typed, usage) in
        [("create a hangar", "create [summary]"), ("stories SCRUM-101 A hangar", "stories EPIC-KEY")]
    {
        let help = ask(&bot, "dm", typed).await;
        assert!(help.starts_with("MARO tracks Jira issues"), "{help}");
        assert!(help.ends_with(&format!("Only forms need it: type /maro {usage}")), "{help}");
    }

    let help = ask(&bot, "general", "@maro can you help?").await;
    assert!(help.starts_with("MARO tracks Jira issues for this channel. You can type:"), "{help}");
    assert!(!help.contains("the list is your own"), "{help}");
    let mention =
        bot.slack.messages_seen_by("ada", "general").into_iter().find(|it| it.user.is_some()).unwrap();
    let answer = answers(&bot, "general").pop().unwrap();
    assert_eq!(answer.thread_ts, Some(mention.ts), "it's answered in a thread");
}

#[tokio::test]
async fn a_message_to_maro_is_a_command_or_answered_with_help() {
    a_message_is_answered(TestBot::start().await).await;
}

#[tokio::test]
async fn a_message_to_maro_is_answered_on_postgresql() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    a_message_is_answered(bot).await;
}

#[tokio::test]
async fn what_is_said_in_a_thread_is_answered_there() {
    let bot = TestBot::start().await;
    let asked = bot.slack.write_to_bot("ada", "dm", "SCRUM-124").await.unwrap();
    until("the bot answers", async || !answers(&bot, "dm").is_empty()).await;
    assert_eq!(answers(&bot, "dm")[0].thread_ts, None, "outside of a thread, a conversation goes on below");
    bot.slack.reply_to_bot("ada", &asked, "tracked").await.unwrap();
    until("the bot answers", async || answers(&bot, "dm").len() > 1).await;
    assert_eq!(answers(&bot, "dm")[1].thread_ts, Some(asked.ts));
    let question = bot.slack.write("grace", "general", "What does the launch wait for?").unwrap();
    bot.slack.reply_to_bot("ada", &question, "@maro can you help?").await.unwrap();
    until("the bot answers", async || !answers(&bot, "general").is_empty()).await;
    assert_eq!(answers(&bot, "general")[0].thread_ts, Some(question.ts));
}

#[tokio::test]
async fn a_message_to_maro_is_answered_over_a_socket() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
    })
    .await;
    assert!(bot.slack.wait_for_sockets(2).await);
    assert!(ask(&bot, "dm", "track SCRUM-123").await.starts_with("Now tracking SCRUM-123"));
    assert!(ask(&bot, "general", "@maro?").await.starts_with("MARO tracks Jira issues"));
    // Nobody of another company's workspace is answered.
    let ada = bot.slack.workspace().person("ada").unwrap().clone();
    let said = json!({ "type": "message", "channel_type": "im", "channel": ada.direct_message.as_str(),
        "user": ada.id.as_str(), "user_team": "T0STRANGERS", "text": "track SCRUM-124", "ts": "1795479001.000200" });
    let event =
        json!({ "type": "event_callback", "event_id": "Ev8", "team_id": "T0STRANGERS", "event": said });
    bot.slack.send_event(&event).await.unwrap();
    assert!(ask(&bot, "dm", "tracked").await.starts_with("Tracked"));
    let listed = "SELECT issue_key FROM channel_tracked_issues";
    assert_eq!(query(&bot.config.database, listed).await, ["SCRUM-123"]);
}

#[tokio::test]
async fn an_event_that_comes_again_and_what_apps_say_is_not_answered() {
    let mut bot = TestBot::start().await;
    let ada = bot.slack.workspace().person("ada").unwrap().clone();
    let team = bot.slack.workspace().team_id.clone();
    let event = |id: &str, more: Value| {
        let mut event = json!({ "type": "message", "channel_type": "im", "channel": ada.direct_message.as_str(),
            "user": ada.id.as_str(), "text": "track SCRUM-123", "ts": "1795479001.000100" });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "event_callback", "event_id": id, "team_id": team, "event": event })
    };
    for odd in [
        event("Ev1", json!({ "bot_id": "B1" })),
        event("Ev2", json!({ "subtype": "message_changed" })),
        event("Ev3", json!({ "user": null })),
        event("Ev3", json!({ "user": "USLACKBOT" })),
        event("Ev4", json!({})),
        event("Ev4", json!({})),
    ] {
        bot.slack.send_event(&odd).await.unwrap();
    }
    until("it's answered", async || !answers(&bot, "dm").is_empty()).await;
    // Not after a restart either.
    bot.restart().await;
    bot.slack.send_event(&event("Ev4", json!({}))).await.unwrap();
    bot.slack.send_event(&event("Ev5", json!({ "text": "tracked" }))).await.unwrap();
    until("the last is answered", async || {
        answers(&bot, "dm").iter().any(|it| it.text.starts_with("Tracked"))
    })
    .await;
    let told: Vec<_> = answers(&bot, "dm").iter().map(|answer| text(&bot, answer)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Now tracking SCRUM-123"), "{told:?}");
    // Another company's people are no more welcome than with commands, and are told so once.
    let mut foreign = event("Ev6", json!({ "user_team": "T0STRANGERS" }));
    foreign["team_id"] = json!("T0STRANGERS");
    for _ in 0..2 {
        bot.slack.send_event(&foreign).await.unwrap();
    }
    until("they are told", async || answers(&bot, "dm").len() > 2).await;
    assert_eq!(text(&bot, &answers(&bot, "dm")[2]), "MARO belongs to another workspace");
    bot.slack.send_event(&event("Ev7", json!({ "text": "SCRUM-124" }))).await.unwrap();
    until("the last is answered", async || answers(&bot, "dm").len() > 3).await;
    assert!(text(&bot, &answers(&bot, "dm")[3]).starts_with("SCRUM-124"));
}

#[tokio::test]
async fn a_message_while_the_database_is_away_gets_a_word() {
    let bot = TestBot::start().await;
    let rename = async |from: &str, to: &str| {
        execute(&bot.config.database, &format!("ALTER TABLE {from} RENAME TO {to}")).await;
    };
    rename("handled_events", "mislaid_events").await;
    rename("channel_tracked_issues", "mislaid_issues").await;
    let said = ask(&bot, "dm", "track SCRUM-123").await;
    assert!(said.starts_with("MARO can't reach its database right now. Nothing was changed."), "{said}");
    assert!(ask(&bot, "dm", "hello").await.starts_with("MARO tracks Jira issues"));
    assert!(ask(&bot, "general", "@maro can you help?").await.starts_with("MARO tracks Jira issues"));

    // What is sent again then changes nothing again, and isn't told of a second time.
    rename("mislaid_issues", "channel_tracked_issues").await;
    let ada = bot.slack.workspace().person("ada").unwrap().clone();
    let said = json!({ "type": "message", "channel_type": "im", "channel": ada.direct_message.as_str(),
        "user": ada.id.as_str(), "text": "track SCRUM-123", "ts": "1795479001.000100" });
    let event = json!({ "type": "event_callback", "event_id": "Ev9", "team_id": bot.slack.workspace().team_id,
        "event": said });
    let before = answers(&bot, "dm").len();
    bot.slack.send_event(&event).await.unwrap();
    until("it's tracked", async || answers(&bot, "dm").len() > before).await;
    assert!(text(&bot, &answers(&bot, "dm")[before]).starts_with("Now tracking SCRUM-123"));
    bot.slack.send_event(&event).await.unwrap();
    rename("mislaid_events", "handled_events").await;
    bot.slack.send_event(&event).await.unwrap();
    assert!(ask(&bot, "dm", "tracked").await.starts_with("Tracked Jira issues"));
    let told: Vec<_> = answers(&bot, "dm").iter().map(|answer| text(&bot, answer)).collect();
    assert_eq!(told.len(), before + 2, "{told:?}");
}

#[tokio::test]
async fn a_mention_that_is_edited_is_answered_once() {
    let bot = TestBot::start().await;
    let ada = bot.slack.workspace().person("ada").unwrap().clone();
    let team = bot.slack.workspace().team_id.clone();
    let edited = |id: &str, message: &ShownMessage| {
        let event = json!({ "type": "app_mention", "channel": message.channel, "user": ada.id.as_str(),
            "text": "<@U0BOT> hi!", "ts": message.ts, "edited": { "user": ada.id.as_str(), "ts": "1795479009.0" } });
        json!({ "type": "event_callback", "event_id": id, "team_id": team, "event": event })
    };
    ask(&bot, "general", "@maro hi").await;
    let mention = bot.slack.messages().into_iter().find(|message| message.user.is_some()).unwrap();
    bot.slack.send_event(&edited("Ev1", &mention)).await.unwrap();
    // The mention may come with the edit alone.
    let without = bot.slack.write_to_bot("ada", "general", "hi").await.unwrap();
    for id in ["Ev2", "Ev3"] {
        bot.slack.send_event(&edited(id, &without)).await.unwrap();
        until("the other is answered", async || answers(&bot, "general").len() > 1).await;
    }
    ask(&bot, "general", "@maro hi again").await;
    let threads: Vec<_> =
        answers(&bot, "general").into_iter().filter_map(|answer| answer.thread_ts).collect();
    assert_eq!((threads.len(), &threads[..2]), (3, &[mention.ts, without.ts][..]));
}

/// Uses the shortcut as ada on a message in #general, and returns the answer.
async fn track_all(bot: &TestBot, message: Value) -> ShownMessage {
    let before = answers(bot, "general").len();
    let message = bot.slack.write_as_app("general", message).unwrap();
    bot.slack.use_message_shortcut("ada", &message, "track_from_message").await.unwrap();
    until("the bot answers", async || answers(bot, "general").len() > before).await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    answers(bot, "general")[before].clone()
}

async fn the_issues_of_a_message_are_tracked(bot: TestBot) {
    let site = bot.config.jira.base_url.as_str().trim_end_matches('/').to_owned();
    let message = json!({ "bot_id": "B1", "text": "This content can't be displayed.", "blocks": [
        { "type": "header", "text": { "type": "plain_text", "text": "fix(SCRUM-123): UTF-8 in COVID-19 forms" } },
        { "type": "section", "text": { "type": "mrkdwn", "text":
            format!("See <{site}/browse/SCRUM-124?focusedCommentId=1|the migration>, scrum-125, SCRUM-123/SCRUM-404") } },
        { "type": "section", "text": { "type": "mrkdwn", "text":
            "Not <https://elsewhere.atlassian.net/browse/SCRUM-130|SCRUM-130> or <https://x.example/a/SCRUM-131>" } },
    ] });
    let answer = track_all(&bot, message).await;
    assert_eq!(
        text(&bot, &answer),
        "Now tracking SCRUM-123: User authentication flow (Open)\n\
         Now tracking SCRUM-124: Database migration (In Progress)\n\
         Now tracking SCRUM-125: API documentation (Done)\n\
         By @ada"
    );
    assert_eq!(answer.visible_to, None, "the list has changed, so everybody sees it");
    let stored =
        "SELECT DISTINCT channel_id || ' ' || tracked_by || ' ' || source FROM channel_tracked_issues";
    assert_eq!(query(&bot.config.database, stored).await, ["C0GENERAL01 U0ADA000001 command"]);

    // Branches and the like, of which Jira says whether they name an issue.
    let branches =
        json!({ "text": "feature/SCRUM-128-login, fix/scrum-126_form and SCRUM-126/127 in utf-8" });
    let answer = text(&bot, &track_all(&bot, branches).await);
    for key in ["SCRUM-126", "SCRUM-127", "SCRUM-128"] {
        assert!(answer.contains(&format!("Now tracking {key}: ")), "{answer}");
    }
    // Titles of pull requests, which lead to the request.
    let requests = json!({ "text": "<https://code.example/pull/7|#7 SCRUM-129: &lt;Button&gt;>", "attachments": [
        { "title": "SCRUM-130 Sign in", "title_link": "https://code.example/pull/8", "text": "by ada" },
    ] });
    let answer = text(&bot, &track_all(&bot, requests).await);
    assert!(
        answer.starts_with("Now tracking SCRUM-129: ") && answer.contains("\nNow tracking SCRUM-130: "),
        "{answer}"
    );
    let none = "This message doesn't mention any issue that can be tracked here.";
    for words in ["Nothing here", "Only UTF-8 and SCRUM-404", ""] {
        let answer = track_all(&bot, json!({ "text": words })).await;
        assert_eq!(text(&bot, &answer), none, "{words}");
        assert!(answer.visible_to.is_some());
    }
    let elsewhere = json!({ "text": "<https://elsewhere.atlassian.net/browse/SCRUM-130>" });
    assert_eq!(text(&bot, &track_all(&bot, elsewhere).await), "That link is to another Jira site.");
    let many: Vec<_> = (1..=60).map(|number| format!("OTHER-{number}")).collect();
    let answer = track_all(&bot, json!({ "text": format!("SCRUM-124 {}", many.join(" ")) })).await;
    assert_eq!(text(&bot, &answer).lines().next(), Some("SCRUM-124 is already tracked in this channel"));
}

#[tokio::test]
async fn the_issues_that_a_message_names_are_tracked() {
    the_issues_of_a_message_are_tracked(TestBot::start().await).await;
}

#[tokio::test]
async fn the_issues_that_a_message_names_are_tracked_on_postgresql() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    the_issues_of_a_message_are_tracked(bot).await;
}
