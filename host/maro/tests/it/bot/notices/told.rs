//! Channels hear of changes: once, in a thread, and no more than they want to.

use std::time::{Duration, Instant};

use maro_process::secret::Secret;
use maro_simulation::slack::{
    people::pressing::Press,
    shown::{history::ShownMessage, terminal},
    web_api::faults::SlackFault,
};

use crate::{
    bot::{
        PATIENCE, TestBot, key,
        sync::webhooks::{SECRET, deliver, id_of, start},
        until,
    },
    built_components::PluginsFolder,
    raw::{execute, query},
};

/// Longer than a change waits to be told together with others, and than a worker's turn takes.
const A_WHILE: Duration = Duration::from_secs(3);

/// Somebody sets a status in Jira, and Jira tells the bot.
pub(crate) async fn set_status(bot: &TestBot, issue: &str, from: &str, to: &str, by: &str) {
    bot.jira.transition_issue(&key(issue), to);
    let id = id_of(bot, issue).await;
    assert_eq!(deliver(bot, &webhook(&id, issue, from, to, by)).await.status().as_u16(), 204);
}

pub(crate) fn webhook(id: &str, issue: &str, from: &str, to: &str, by: &str) -> String {
    serde_json::json!({
        "timestamp": 1_795_483_900_204_u64,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_generic",
        "user": {"accountId": "712020:9d1e", "displayName": by, "active": true},
        "issue": {"id": id, "key": issue, "fields": {"status": {"name": to}}},
        "changelog": {"id": "900204", "items": [
            {"field": "status", "fieldId": "status", "fromString": from, "toString": to},
        ]},
    })
    .to_string()
}

/// What was posted in a channel, oldest first. Answers in threads are indented.
pub(crate) fn told_in(bot: &TestBot, channel: &str) -> Vec<String> {
    let workspace = bot.slack.workspace();
    let id = workspace.channels.iter().find(|known| known.name == channel).unwrap().id.to_string();
    let posted = |message: &ShownMessage| message.is_posted && message.channel == id;
    let messages = bot.slack.messages();
    let shown = messages.iter().filter(|message| posted(message)).map(|message| {
        let text = terminal::message_text(message, &workspace.names());
        if message.thread_ts.is_some() { format!("  {text}") } else { text }
    });
    shown.collect()
}

pub(crate) fn told(bot: &TestBot) -> Vec<String> {
    told_in(bot, "general")
}

pub(crate) async fn until_told(bot: &TestBot, expected: &[&str]) {
    let looking = async {
        while told(bot) != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, looking).await.is_err() {
        panic!("told: {:#?}", told(bot));
    }
    assert_eq!(bot.slack.problems(), [""; 0]);
}

/// Nothing more is told than was.
pub(crate) async fn stays(bot: &TestBot, expected: &[&str]) {
    until("nothing waits", async || waiting(bot).await == ["0"]).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(told(bot), expected);
    assert_eq!(bot.slack.problems(), [""; 0]);
}

pub(crate) async fn waiting(bot: &TestBot) -> Vec<String> {
    let count = "SELECT CAST(count(*) AS TEXT) FROM notice_outbox WHERE state IN ('waiting', 'sending')";
    query(&bot.config.database, count).await
}

/// Tracks SCRUM-124 and four others, and tells of these in one message.
pub(crate) async fn tell_of_many(bot: &TestBot) {
    let issues = ["SCRUM-119", "SCRUM-127", "SCRUM-122", "SCRUM-123"];
    bot.say(&format!("/maro track SCRUM-124 {}", issues.join(" "))).await;
    let database = &bot.config.database;
    let hold =
        "INSERT INTO channel_notices (channel_id, held_until_ms) VALUES ('C0GENERAL01', 99999999999999)
         ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET held_until_ms = 99999999999999";
    execute(database, hold).await;
    for issue in issues {
        bot.jira.transition_issue(&key(issue), "Done");
        let id = id_of(bot, issue).await;
        deliver(bot, &webhook(&id, issue, "Open", "Done", "Grace Hopper")).await;
    }
    until("all wait", async || waiting(bot).await == ["4"]).await;
    execute(database, "UPDATE channel_notices SET held_until_ms = 0").await;
    until("they are told", async || told(bot).len() == 1 && waiting(bot).await == ["0"]).await;
}

pub(crate) const HEAD: &str = "SCRUM-124: Database migration (Done)";
pub(crate) const FIRST: &str = "  SCRUM-124: In Review → Done (Grace Hopper)\n[Fewer]\n[Off]";

pub(crate) async fn on_postgres() -> Option<TestBot> {
    let mut bot = TestBot::on_postgres(PluginsFolder::shipped()).await?;
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    Some(bot)
}

/// Only a change of category is told, in a thread, once for all deliveries.
async fn a_change_of_category(bot: &TestBot) {
    bot.say("/maro track SCRUM-124").await;
    set_status(bot, "SCRUM-124", "In Progress", "In Review", "Grace Hopper").await;
    stays(bot, &[]).await;
    let began = Instant::now();
    set_status(bot, "SCRUM-124", "In Review", "Done", "Grace Hopper").await;
    until_told(bot, &[HEAD, FIRST]).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Jira sends it again, and then something else changes.
    let id = id_of(bot, "SCRUM-124").await;
    let again = webhook(&id, "SCRUM-124", "In Review", "Done", "Grace Hopper");
    deliver(bot, &again).await;
    bot.jira.rename_issue(&key("SCRUM-124"), "Migration");
    deliver(bot, &again).await;
    until("the list", async || bot.say("/maro tracked").await.contains("Migration")).await;
    stays(bot, &[HEAD, FIRST]).await;
    let noted = "SELECT action || ' ' || subject || ' ' || outcome FROM audit_log WHERE action = 'notice'";
    assert_eq!(query(&bot.config.database, noted).await, ["notice SCRUM-124 begun"]);
}

#[tokio::test]
async fn a_change_of_category_is_told_in_a_thread_once() {
    a_change_of_category(&start().await).await;
}

#[tokio::test]
async fn a_change_of_category_is_told_in_a_thread_once_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_change_of_category(&bot).await;
}

/// What isn't told is to be seen in the head line of a thread that is there, and nowhere else.
async fn a_head_line_stays_true(bot: &TestBot) {
    bot.say("/maro track SCRUM-123").await;
    set_status(bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    let told = "  SCRUM-123: Open → In Progress (Grace Hopper)\n[Fewer]\n[Off]";
    let head = |status: &str| format!("SCRUM-123: User authentication flow ({status})");
    until_told(bot, &[&head("In Progress"), told]).await;
    set_status(bot, "SCRUM-123", "In Progress", "In Review", "Ada Lovelace").await;
    until_told(bot, &[&head("In Review"), told]).await;
    bot.say("/maro notify done").await;
    set_status(bot, "SCRUM-123", "In Review", "Open", "Ada Lovelace").await;
    until_told(bot, &[&head("Open"), told]).await;
    bot.say("/maro notify off").await;
    set_status(bot, "SCRUM-123", "Open", "Done", "Ada Lovelace").await;
    stays(bot, &[&head("Open"), told]).await;
}

#[tokio::test]
async fn a_head_line_stays_true_where_nobody_is_told() {
    a_head_line_stays_true(&start().await).await;
}

#[tokio::test]
async fn a_head_line_stays_true_where_nobody_is_told_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_head_line_stays_true(&bot).await;
}

#[tokio::test]
async fn what_is_told_among_many_changes_the_head_line_of_its_thread() {
    let bot = start().await;
    bot.say("/maro track SCRUM-119 SCRUM-127 SCRUM-122 SCRUM-123").await;
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    until("it's told", async || told(&bot).len() == 2 && waiting(&bot).await == ["0"]).await;
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 120000").await;
    let database = &bot.config.database;
    execute(database, "UPDATE channel_notices SET due_ms = NULL, held_until_ms = 99999999999999").await;
    for issue in ["SCRUM-119", "SCRUM-127", "SCRUM-122", "SCRUM-123"] {
        bot.jira.transition_issue(&key(issue), "Done");
        let id = id_of(&bot, issue).await;
        deliver(&bot, &webhook(&id, issue, "Open", "Done", "Grace Hopper")).await;
    }
    until("all wait", async || waiting(&bot).await == ["4"]).await;
    execute(database, "UPDATE channel_notices SET held_until_ms = 0").await;
    until("they are told", async || told(&bot).len() == 3).await;
    // The head line follows the message.
    until("it's Done", async || told(&bot)[0] == "SCRUM-123: User authentication flow (Done)").await;
    let shown = told(&bot);
    assert!(shown[2].starts_with("4 tracked issues changed status:"), "{shown:#?}");
    // What is added to that message changes it, too.
    set_status(&bot, "SCRUM-123", "Done", "Open", "Grace Hopper").await;
    until("the head line follows", async || told(&bot)[0] == "SCRUM-123: User authentication flow (Open)")
        .await;
}

#[tokio::test]
async fn what_changes_of_a_created_issue_is_told_below_the_message_that_said_so() {
    let bot = start().await;
    bot.create("Zeppelin anchor").await;
    bot.until_told().await;
    let created = told(&bot);
    assert!(created[0].starts_with("Created SCRUM-151: Zeppelin anchor"), "{created:?}");
    // Its status is read soon, long before its turn.
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor (To Do)"]).await;
    set_status(&bot, "SCRUM-151", "To Do", "Done", "Grace Hopper").await;
    let below = "  SCRUM-151: To Do → Done (Grace Hopper)\n[Fewer]\n[Off]";
    until_told(&bot, &[&created[0], below]).await;
    stays(&bot, &[&created[0], below]).await;
}

#[tokio::test]
async fn a_channel_that_has_read_of_many_changes_knows_the_buttons() {
    let bot = start().await;
    tell_of_many(&bot).await;
    let database = &bot.config.database;
    let many = told(&bot).remove(0);
    assert!(many.ends_with("[Fewer]\n[Off]"), "{many}");
    // Nothing is added to that message any more.
    execute(database, "UPDATE channel_notices SET bulk_ms = bulk_ms - 120000").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let line = "  SCRUM-124: In Progress → Done (Grace Hopper)";
    until_told(&bot, &[&many, HEAD, line]).await;
}

#[tokio::test]
async fn two_replicas_tell_a_change_once() {
    let Some(bot) = on_postgres().await else { return };
    bot.say("/maro track SCRUM-124").await;
    let replica = bot.start_replica().await;
    set_status(&bot, "SCRUM-124", "In Review", "Done", "Grace Hopper").await;
    let id = id_of(&bot, "SCRUM-124").await;
    for _ in 0..5 {
        deliver(&bot, &webhook(&id, "SCRUM-124", "In Review", "Done", "Grace Hopper")).await;
    }
    let first = FIRST.replace("In Review", "In Progress");
    until_told(&bot, &[HEAD, &first]).await;
    stays(&bot, &[HEAD, &first]).await;
    replica.stop().await;
}

#[tokio::test]
async fn later_changes_edit_the_message_and_old_ones_get_another() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    let head = |status: &str| format!("SCRUM-123: User authentication flow ({status})");
    let first = "  SCRUM-123: Open → In Progress (Grace Hopper)\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("In Progress"), first]).await;
    set_status(&bot, "SCRUM-123", "In Progress", "Done", "Priya Raman").await;
    let edited = "  SCRUM-123: Open → Done (Priya Raman)\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("Done"), edited]).await;
    set_status(&bot, "SCRUM-123", "Done", "Open", "Ada Lovelace").await;
    let back = "  SCRUM-123: back to Open (Ada Lovelace)\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("Open"), back]).await;
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    let next = "  SCRUM-123: Open → Done (Grace Hopper)";
    until_told(&bot, &[&head("Done"), back, next]).await;
    stays(&bot, &[&head("Done"), back, next]).await;
}

#[tokio::test]
async fn a_bulk_change_is_one_message_that_takes_up_what_comes_later() {
    let bot = start().await;
    let keys: Vec<String> = (101..=130).map(|number| format!("SCRUM-{number}")).collect();
    bot.say(&format!("/maro track {}", keys.join(" "))).await;
    let change = async |issues: &[String]| {
        for issue in issues {
            let is_begun = bot.jira.status_and_assignee(&key(issue)).unwrap().0.starts_with("In ");
            let (from, to) = if is_begun { ("In Progress", "Done") } else { ("Open", "In Progress") };
            bot.jira.transition_issue(&key(issue), to);
            let id = id_of(&bot, issue).await;
            deliver(&bot, &webhook(&id, issue, from, to, "Grace Hopper")).await;
        }
    };
    // However long it takes until all of them are noted.
    let hold = "INSERT INTO channel_notices (channel_id, held_until_ms)
                SELECT DISTINCT channel_id, 4102444800000 FROM channel_tracked_issues";
    execute(&bot.config.database, hold).await;
    change(&keys[..22]).await;
    until("they wait", async || waiting(&bot).await == ["22"]).await;
    execute(&bot.config.database, "UPDATE channel_notices SET held_until_ms = 0").await;
    until("nothing waits", async || waiting(&bot).await == ["0"] && !told(&bot).is_empty()).await;
    change(&keys[22..25]).await;
    let count = "SELECT CAST(count(*) AS TEXT) FROM notice_outbox WHERE state = 'sent'";
    until("all are told", async || query(&bot.config.database, count).await == ["25"]).await;
    let shown = told(&bot);
    let [message] = &*shown else { panic!("{shown:#?}") };
    assert!(message.starts_with("25 tracked issues changed status:\n• SCRUM-"), "{message}");
    assert_eq!(message.matches("• SCRUM-").count(), 20, "{message}");
    let end = "\nand 5 more. To see them all, type /maro tracked.\n[Fewer]\n[Off]";
    assert!(message.ends_with(end), "{message}");
}

#[tokio::test]
async fn people_choose_what_a_channel_hears() {
    let bot = start().await;
    assert_eq!(
        bot.say("/maro notify").await,
        "This channel is notified when a tracked issue moves between to do, in progress and done. To change that, \
         type /maro notify status, /maro notify all, /maro notify done, /maro notify digest or /maro notify off."
    );
    bot.say("/maro track SCRUM-124").await;
    assert!(bot.say("/maro notify done").await.contains("notified only when a tracked issue is done"));
    set_status(&bot, "SCRUM-124", "In Progress", "Open", "Grace Hopper").await;
    stays(&bot, &[]).await;
    bot.say("/maro notify all").await;
    set_status(&bot, "SCRUM-124", "Open", "In Progress", "Grace Hopper").await;
    let head = |status: &str| format!("SCRUM-124: Database migration ({status})");
    let begun = "  SCRUM-124: Open → In Progress (Grace Hopper)";
    until_told(&bot, &[&head("In Progress"), begun]).await;
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
    set_status(&bot, "SCRUM-124", "In Progress", "In Review", "Grace Hopper").await;
    let reviewed = "  SCRUM-124: In Progress → In Review (Grace Hopper)";
    until_told(&bot, &[&head("In Review"), begun, reviewed]).await;
    assert_eq!(
        bot.say("/maro notify scrum-124 off").await,
        "SCRUM-124: this channel won't be notified about it any more."
    );
    set_status(&bot, "SCRUM-124", "In Review", "Done", "Grace Hopper").await;
    stays(&bot, &[&head("In Review"), begun, reviewed]).await;
    assert_eq!(bot.say("/maro notify SCRUM-999 off").await, "SCRUM-999 is not tracked in this channel");
    assert!(bot.say("/maro notify loudly").await.starts_with("Usage: /maro notify status|all|done|off"));
    let actions = "SELECT action || ' ' || subject FROM audit_log WHERE action LIKE 'notify%' ORDER BY id";
    assert_eq!(
        query(&bot.config.database, actions).await,
        ["notify done", "notify all", "notify off SCRUM-124"]
    );
}

#[tokio::test]
async fn an_issue_that_is_heard_of_again_in_vain_is_answered_with_what_to_turn_on() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.say("/maro notify SCRUM-124 off").await;
    bot.say("/maro notify off").await;
    assert_eq!(
        bot.say("/maro notify SCRUM-124 on").await,
        "SCRUM-124: this channel will be notified about it again.\n\
         Notices are off in this channel. To turn them on, type /maro notify status."
    );
    bot.say("/maro notify status").await;
    let again = bot.say("/maro notify SCRUM-124 on").await;
    assert_eq!(again, "SCRUM-124: this channel is already notified about it.");
}

#[tokio::test]
async fn the_buttons_below_the_first_notice_turn_it_down_or_off() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = FIRST.replace("In Review", "In Progress");
    until_told(&bot, &[HEAD, &first]).await;
    let message = bot.slack.messages().into_iter().rfind(|message| message.is_posted).unwrap();
    for (label, mode) in [("Fewer", "done"), ("Off", "off")] {
        bot.slack.press_in("grace", &message, Press::button(label)).await.unwrap();
        let set = format!("SELECT mode FROM channel_notices WHERE mode = '{mode}'");
        until(label, async || query(&bot.config.database, &set).await == [mode]).await;
    }
    set_status(&bot, "SCRUM-124", "Done", "Open", "Grace Hopper").await;
    stays(&bot, &[HEAD, &first]).await;
}

#[tokio::test]
async fn a_channel_from_before_is_told_once_how_to_turn_it_on() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    let before = "INSERT INTO channel_notices (channel_id, mode) \
                  SELECT DISTINCT channel_id, 'off' FROM channel_tracked_issues";
    execute(&bot.config.database, before).await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let introduction = "A tracked issue changed status. MARO can post here when that happens. To turn that \
    on, type /maro notify status. You'll only see this once.\n[Turn on]";
    until_told(&bot, &[introduction]).await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    stays(&bot, &[introduction]).await;
    bot.say("/maro notify status").await;
    set_status(&bot, "SCRUM-123", "Done", "Open", "Grace Hopper").await;
    let head = "SCRUM-123: User authentication flow (Open)";
    until_told(&bot, &[introduction, head, "  SCRUM-123: Done → Open (Grace Hopper)"]).await;
}

#[tokio::test]
async fn what_jira_hides_or_the_channel_no_longer_tracks_is_not_told() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    // The change is seen and waits; then Jira hides the issue.
    bot.slack.set_next_faults("chat.postMessage", [Some(SlackFault::RateLimited { retry_after: 12 })]);
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until("Slack was asked", async || !bot.slack.calls_of("chat.postMessage").is_empty()).await;
    bot.jira.delete_issue(&key("SCRUM-124"));
    bot.say("/maro untrack SCRUM-123").await;
    stays(&bot, &[]).await;
    let reasons = "SELECT reason FROM notice_outbox ORDER BY reason";
    assert_eq!(query(&bot.config.database, reasons).await, ["not shown by Jira", "not tracked"]);
}

#[tokio::test]
async fn refusals_pause_and_lose_nothing() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.slack.set_fault_in("chat.postMessage", "C0GENERAL01", SlackFault::Error("not_in_channel".to_owned()));
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let paused = "SELECT paused_for FROM channel_notices WHERE paused_for IS NOT NULL";
    until("it is paused", async || {
        query(&bot.config.database, paused).await == ["the bot isn't in the channel"]
    })
    .await;
    assert_eq!(waiting(&bot).await, ["1"]);
    // The person who tracks it is told so, by direct message and once.
    let due = "UPDATE channel_notices SET due_ms = 1";
    let refused = || {
        let calls = bot.slack.calls_of("chat.postMessage");
        calls.iter().filter(|call| call.arguments["channel"] == "C0GENERAL01").count()
    };
    execute(&bot.config.database, due).await;
    until("it is refused again", async || refused() >= 2).await;
    let told = bot.slack.calls_of("chat.postMessage");
    let told: Vec<_> = told.iter().filter(|call| call.arguments["channel"] == "U0ADA000001").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].arguments["text"],
        "MARO can't post in <#C0GENERAL01> when the issues you track there change, because it isn't in that channel. \
         To invite it, type `/invite @maro` there. Until then, the changes are kept."
    );
    bot.slack.clear_faults();
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1").await;
    let first = FIRST.replace("In Review", "In Progress");
    until_told(&bot, &[HEAD, &first]).await;
    until("it's noted", async || query(&bot.config.database, paused).await.is_empty()).await;
}

#[tokio::test]
async fn a_channel_that_takes_no_messages_is_tried_with_one_issue() {
    let bot = start().await;
    let issues = ["SCRUM-122", "SCRUM-123", "SCRUM-124"];
    bot.say(&format!("/maro track {}", issues.join(" "))).await;
    bot.slack.set_fault_in("chat.postMessage", "C0GENERAL01", SlackFault::Error("not_in_channel".to_owned()));
    for issue in issues {
        set_status(&bot, issue, "Open", "Done", "Grace Hopper").await;
    }
    let paused = "SELECT channel_id FROM channel_notices WHERE paused_for IS NOT NULL AND holder IS NULL";
    until("all wait", async || {
        waiting(&bot).await == ["3"] && query(&bot.config.database, paused).await == ["C0GENERAL01"]
    })
    .await;
    // What Jira has just said isn't asked again.
    tokio::time::sleep(A_WHILE).await;
    bot.jira.take_requests();
    let refused = || bot.slack.calls_of("chat.postMessage").len();
    let before = refused();
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1").await;
    until("it is refused again", async || refused() > before).await;
    let asked = bot.jira.requests().into_iter().filter(|request| request.path.ends_with("/issue/bulkfetch"));
    let asked = asked.map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap());
    let keys: Vec<_> = asked.map(|body| body["issueIdsOrKeys"].as_array().unwrap().len()).collect();
    assert_eq!(keys, [1]);
}

#[tokio::test]
async fn an_answer_that_slack_lost_is_not_sent_again() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.slack.set_next_faults("chat.postMessage", [None, Some(SlackFault::LostAnswer)]);
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = FIRST.replace("In Review", "In Progress");
    until_told(&bot, &[HEAD, &first]).await;
    stays(&bot, &[HEAD, &first]).await;
    let states = query(&bot.config.database, "SELECT state FROM notice_outbox").await;
    assert_eq!(states, ["lost"]);
}

#[tokio::test]
async fn a_head_line_that_was_deleted_gets_a_new_one() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    set_status(&bot, "SCRUM-124", "In Review", "Done", "Grace Hopper").await;
    let first = FIRST.replace("In Review", "In Progress");
    until_told(&bot, &[HEAD, &first]).await;
    let head = bot.slack.messages().into_iter().find(|message| message.is_posted).unwrap();
    bot.slack.delete_message(&head.ts);
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
    set_status(&bot, "SCRUM-124", "Done", "Open", "Grace Hopper").await;
    let (head, next) = ("SCRUM-124: Database migration (Open)", "  SCRUM-124: Done → Open (Grace Hopper)");
    until("there is a new head line", async || told(&bot) == [&first, head, next]).await;
}

/// With the channel's history, what isn't confirmed is found, or told again if it isn't there: the head line of one
/// issue, and the answer below that of another.
async fn history_tells(bot: &TestBot, fault: SlackFault) {
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    bot.slack.set_next_faults("chat.postMessage", [Some(fault.clone())]);
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = FIRST.replace("In Review", "In Progress");
    until_told(bot, &[HEAD, &first]).await;
    until("nothing waits", async || waiting(bot).await == ["0"]).await;
    bot.slack.set_next_faults("chat.postMessage", [None, Some(fault)]);
    set_status(bot, "SCRUM-123", "Open", "Done", "Ada Lovelace").await;
    let (head, second) =
        ("SCRUM-123: User authentication flow (Done)", "  SCRUM-123: Open → Done (Ada Lovelace)");
    until_told(bot, &[HEAD, &first, head, second]).await;
    stays(bot, &[HEAD, &first, head, second]).await;
    assert_eq!(query(&bot.config.database, "SELECT state FROM notice_outbox").await, ["sent", "sent"]);
}

pub(crate) async fn with_history() -> TestBot {
    let mut bot = start().await;
    bot.slack.grant_scopes(&["commands", "chat:write", "channels:read", "groups:read", "channels:history"]);
    bot.restart().await;
    bot
}

#[tokio::test]
async fn what_slack_took_without_saying_so_is_found_in_the_channels_history() {
    history_tells(&with_history().await, SlackFault::LostAnswer).await;
}

#[tokio::test]
async fn what_slack_never_got_is_told_again() {
    history_tells(&with_history().await, SlackFault::Reset).await;
}

#[tokio::test]
async fn an_issue_is_silenced_by_each_of_its_keys_and_by_links_to_this_site_alone() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    assert!(bot.jira.move_issue(&key("SCRUM-124"), &key("OPS-9")));
    // By the new key while the list has the old one, and the other way round.
    for asked in ["OPS-9", "SCRUM-124"] {
        let said = bot.say(&format!("/maro notify {asked} off")).await;
        assert!(said.starts_with("SCRUM-124: this channel"), "{asked}: {said}");
    }
    bot.say("/maro untrack SCRUM-124").await;
    bot.say("/maro track OPS-9").await;
    assert_eq!(
        bot.say("/maro notify SCRUM-124 off").await,
        "OPS-9: this channel wasn't being notified about it anyway.\nSCRUM-124 is now OPS-9"
    );
    let site = bot.config.jira.base_url.clone();
    let said = bot.say(&format!("/maro notify {} on", site.join("browse/OPS-9").unwrap())).await;
    assert_eq!(said, "OPS-9: this channel will be notified about it again.");
    let said = bot.say("/maro notify <https://quarry.atlassian.net/browse/OPS-9|OPS-9> off").await;
    assert_eq!(said, "That link is to another Jira site.");
    bot.say("/maro notify SCRUM-999 OPS-9 off").await;
    let said = bot.slack.messages().pop().unwrap().text;
    assert!(
        said.starts_with("SCRUM-999 is not tracked in this channel"),
        "a key without an issue is no link: {said}"
    );
    assert!(said.contains("/browse/OPS-9|OPS-9>"), "{said}");
}
