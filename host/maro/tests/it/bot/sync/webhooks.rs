//! Jira's webhooks are hints: what changed is read from Jira, and not a word of theirs is stored.

use std::time::{Duration, Instant};

use maro_jira::webhooks::{
    signature::{self, SIGNATURE_HEADER},
    webhook,
};
use maro_process::secret::Secret;
use maro_simulation::jira::faults::JiraFault;
use maro_store::webhooks::CAPACITY;
use reqwest::Response;

use crate::{
    bot::{
        TestBot, key,
        server::http::{client, status},
        until,
    },
    built_components::PluginsFolder,
    log::Log,
    raw::{execute, query},
};

pub(crate) const SECRET: &str = "a webhook secret";

/// Older than any row of a test, and short enough for rounds of a few seconds.
const AGE: Duration = Duration::from_secs(40);

/// What a webhook says and Jira doesn't show to the bot's account.
const WORDS: [&str; 3] = ["Sale", "north quay", "With the board"];

pub(crate) async fn start() -> TestBot {
    TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.webhook_secret = Some(Secret::new(SECRET));
    })
    .await
}

/// A webhook as Jira sends it, with more in it than the account may see.
fn hint(event: &str, id: &str, key: &str) -> String {
    serde_json::json!({
        "timestamp": 1_795_478_602_113_u64,
        "webhookEvent": event,
        "issue_event_type_name": "issue_updated",
        "user": {"accountId": "712020:5f0c", "displayName": "Priya Raman"},
        "issue": {"id": id, "key": key, "fields": {
            "summary": "Sale of the north quay",
            "status": {"name": "With the board", "id": "10412"},
            "security": {"id": "10031", "name": "Board only"},
        }},
        "changelog": {"id": "88112", "items": [
            {"field": "summary", "fromString": "Move the archive", "toString": "Sale of the north quay"},
        ]},
    })
    .to_string()
}

pub(crate) async fn deliver(bot: &TestBot, body: &str) -> Response {
    client()
        .post(bot.url("jira/webhook"))
        .header(SIGNATURE_HEADER, signature::sign(&Secret::new(SECRET), body.as_bytes()))
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

/// Delivers a hint that an issue changed, which Jira must see acknowledged.
pub(super) async fn change(bot: &TestBot, id: &str, key: &str) {
    assert_eq!(deliver(bot, &hint("jira:issue_updated", id, key)).await.status().as_u16(), 204);
}

pub(crate) async fn id_of(bot: &TestBot, key: &str) -> String {
    let rows = format!("SELECT issue_id FROM channel_tracked_issues WHERE issue_key = '{key}'");
    query(&bot.config.database, &rows).await.remove(0)
}

/// Waits until the list is one line, and it is this.
async fn shows(bot: &TestBot, line: &str) {
    let expected = format!("Tracked Jira issues in #general:\n• {line}");
    let began = Instant::now();
    until(line, async || bot.say("/maro tracked").await == expected).await;
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
}

#[tokio::test]
async fn the_address_exists_only_with_a_secret() {
    let bot = TestBot::start().await;
    assert_eq!(status(client().post(bot.url("jira/webhook")).body("{}")).await, 404);
    let bot = start().await;
    assert_eq!(status(client().post(bot.url("jira/webhook")).body("{}")).await, 401);
    assert_eq!(deliver(&bot, "issue=SCRUM-123").await.status().as_u16(), 400);
    // Jira would send what isn't acknowledged again, whatever it says.
    for body in ["{}", "[]", r#""SCRUM-123""#, r#"{"webhookEvent":"comment_created"}"#] {
        assert_eq!(deliver(&bot, body).await.status().as_u16(), 204, "{body}");
    }
    for body in
        [r#"{"webhookEvent":"jira:issue_updated"}"#, r#"{"webhookEvent":"jira:issue_updated","issue":7}"#]
    {
        assert_eq!(deliver(&bot, body).await.status().as_u16(), 204, "{body}");
    }
}

#[tokio::test]
async fn what_changed_is_what_jira_says_and_not_what_the_webhook_says() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    change(&bot, &id, "SCRUM-123").await;
    shows(&bot, "SCRUM-123: User authentication flow (In Review)").await;
}

/// A security level was set, and Jira tells everybody but the bot's account.
async fn level_is_set(bot: &TestBot) {
    bot.say("/maro track SCRUM-123").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    let id = id_of(bot, "SCRUM-123").await;
    bot.jira.delete_issue(&key("SCRUM-123"));
    change(bot, &id, "SCRUM-123").await;
    shows(bot, "SCRUM-123 (not found in Jira)").await;
    let stored = "SELECT issue_key || ' ' || last_jira_status || ' ' || last_jira_summary || '.' \
                  FROM channel_tracked_issues";
    until("every list", async || {
        query(&bot.config.database, stored).await
            == ["SCRUM-123 not found in Jira .", "SCRUM-123 not found in Jira ."]
    })
    .await;
    let list = bot.say_as("ada", "random", "/maro tracked").await;
    assert!(WORDS.iter().all(|word| !list.contains(word)), "{list}");
}

#[tokio::test]
async fn what_jira_no_longer_shows_loses_its_summary_whatever_the_webhook_says() {
    level_is_set(&start().await).await;
}

#[tokio::test]
async fn what_jira_no_longer_shows_loses_its_summary_on_postgresql() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    level_is_set(&bot).await;
}

#[tokio::test]
async fn a_moved_issue_and_a_deleted_one_are_what_jira_says_they_are() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    let id = id_of(&bot, "SCRUM-124").await;
    // It moved twice, and the first webhook comes last.
    bot.jira.move_issue(&key("SCRUM-124"), &key("DATA-1"));
    bot.jira.move_issue(&key("DATA-1"), &key("DATA-2"));
    change(&bot, &id, "DATA-2").await;
    shows(&bot, "DATA-2: Database migration (In Progress) · was SCRUM-124").await;
    change(&bot, &id, "DATA-1").await;
    bot.jira.rename_issue(&key("DATA-2"), "Migration");
    change(&bot, &id, "DATA-2").await;
    shows(&bot, "DATA-2: Migration (In Progress) · was SCRUM-124").await;

    // Nobody deleted it, whatever the webhook says.
    let deletion = hint("jira:issue_deleted", &id, "DATA-2");
    bot.jira.rename_issue(&key("DATA-2"), "Still there");
    assert_eq!(deliver(&bot, &deletion).await.status().as_u16(), 204);
    shows(&bot, "DATA-2: Still there (In Progress) · was SCRUM-124").await;
    bot.jira.delete_issue(&key("DATA-2"));
    assert_eq!(deliver(&bot, &deletion).await.status().as_u16(), 204);
    shows(&bot, "DATA-2 (not found in Jira)").await;
}

/// Somebody's rule may send a key from before the issue was moved, or one that never was.
async fn an_issue_is_found_by_its_id(bot: &TestBot) {
    bot.say("/maro track SCRUM-124").await;
    let id = id_of(bot, "SCRUM-124").await;
    bot.jira.rename_issue(&key("SCRUM-124"), "Migration");
    change(bot, &id, "GONE-7").await;
    shows(bot, "SCRUM-124: Migration (In Progress)").await;
    // The key is another issue's by now.
    bot.jira.move_issue(&key("SCRUM-124"), &key("DATA-1"));
    change(bot, &id, "SCRUM-123").await;
    shows(bot, "DATA-1: Migration (In Progress) · was SCRUM-124").await;
    // The same of one whose key nobody says.
    bot.jira.transition_issue(&key("DATA-1"), "Done");
    assert_eq!(deliver(bot, &format!(r#"{{"issue":{{"id":{id}}}}}"#)).await.status().as_u16(), 204);
    shows(bot, "DATA-1: Migration (Done) · was SCRUM-124").await;
    bot.jira.delete_issue(&key("DATA-1"));
    assert_eq!(deliver(bot, &hint("jira:issue_deleted", &id, "GONE-7")).await.status().as_u16(), 204);
    shows(bot, "DATA-1 (not found in Jira)").await;
}

#[tokio::test]
async fn an_issue_is_found_by_its_id_whatever_key_a_webhook_says() {
    an_issue_is_found_by_its_id(&start().await).await;
}

#[tokio::test]
async fn an_issue_is_found_by_its_id_whatever_key_a_webhook_says_on_postgresql() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    an_issue_is_found_by_its_id(&bot).await;
}

#[tokio::test]
async fn a_key_that_is_another_issues_by_now_changes_no_row() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let other = id_of(&bot, "SCRUM-123").await.parse::<u64>().unwrap() + 1;
    bot.jira.rename_issue(&key("SCRUM-123"), "Renamed");
    change(&bot, &other.to_string(), "SCRUM-123").await;
    until("the webhook has been followed", async || bot.asked_for("/issue/bulkfetch") == 2).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123: User authentication flow (Open)"));
    assert_eq!(synced(&bot).await, ["false"], "the status sync reads it");
}

#[tokio::test]
async fn only_what_a_channel_tracks_is_asked_for_and_a_burst_few_times() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    bot.jira.take_requests();
    for number in 1..=20 {
        change(&bot, &format!("77{number}"), &format!("OTHER-{number}")).await;
    }
    for _ in 0..60 {
        change(&bot, &id, "SCRUM-123").await;
    }
    bot.jira.rename_issue(&key("SCRUM-123"), "The last change");
    change(&bot, &id, "SCRUM-123").await;
    shows(&bot, "SCRUM-123: The last change (Open)").await;
    let requests: Vec<_> = bot.jira.requests();
    assert!(requests.len() <= 12, "{} requests", requests.len());
    assert!(!format!("{requests:?}").contains("OTHER-"), "{requests:?}");
}

/// Whether each issue counts as read: neither is it due at once, nor does a webhook about it wait.
async fn synced(bot: &TestBot) -> Vec<String> {
    let rows = "SELECT CASE WHEN due_at = '' OR EXISTS (SELECT 1 FROM webhook_queue) THEN 'false' ELSE 'true' END \
                FROM issue_freshness";
    query(&bot.config.database, rows).await
}

#[tokio::test]
async fn an_outage_takes_nothing_away_and_loses_no_hint() {
    for fault in
        [JiraFault::Status(503, None), JiraFault::Hang, JiraFault::Html, JiraFault::Status(401, None)]
    {
        let mut bot = start().await;
        bot.say("/maro track SCRUM-123").await;
        let id = id_of(&bot, "SCRUM-123").await;
        bot.jira.rename_issue(&key("SCRUM-123"), "Renamed");
        bot.jira.set_fault(fault.clone());
        let began = Instant::now();
        change(&bot, &id, "SCRUM-123").await;
        assert!(began.elapsed() < Duration::from_secs(2), "{fault:?}: Jira waited for itself");
        until("Jira was asked", async || bot.asked_for("/issue/bulkfetch") >= 2).await;
        assert!(bot.say("/maro tracked").await.contains("SCRUM-123: User authentication flow (Open)"));
        assert_eq!(synced(&bot).await, ["false"], "{fault:?}");
        // Not even a restart loses it: the first round of the status sync reads it, and no row of its age.
        bot.jira.clear_fault();
        bot.config.sync_interval = AGE;
        bot.restart().await;
        until("the row is synced", async || synced(&bot).await == ["true"]).await;
        shows(&bot, "SCRUM-123: Renamed (Open)").await;
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_read_again() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON channel_tracked_issues \
                  BEGIN SELECT RAISE(ABORT, 'no'); END";
    execute(&bot.config.database, refuse).await;
    bot.jira.rename_issue(&key("SCRUM-123"), "Renamed");
    let asked = bot.asked_for("/issue/bulkfetch");
    change(&bot, &id, "SCRUM-123").await;
    until("Jira is asked", async || bot.asked_for("/issue/bulkfetch") > asked).await;
    let held = "SELECT issue FROM webhook_queue WHERE holder IS NOT NULL";
    until("nobody is at it", async || query(&bot.config.database, held).await.is_empty()).await;
    execute(&bot.config.database, "DROP TRIGGER refuse").await;
    bot.until_tracked(&["SCRUM-123: Renamed (Open)"]).await;
}

/// Delivers a webhook that has a name, to one of several replicas.
pub(crate) async fn deliver_to(address: &str, identifier: &str, body: &str) -> u16 {
    let request = client()
        .post(address)
        .header(SIGNATURE_HEADER, signature::sign(&Secret::new(SECRET), body.as_bytes()))
        .header(webhook::IDENTIFIER_HEADER, identifier)
        .body(body.to_owned());
    status(request).await
}

#[tokio::test]
async fn a_webhook_that_comes_to_two_replicas_is_read_once_and_survives_one_of_them() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    let replica = bot.start_replica().await;
    let addresses =
        [bot.url("jira/webhook").to_string(), format!("http://{}/jira/webhook", replica.address())];
    // Nobody is told of that, so nobody else asks Jira.
    bot.jira.rename_issue(&key("SCRUM-123"), "Renamed");
    let asked = bot.asked_for("/issue/bulkfetch");
    let body = hint("jira:issue_updated", &id, "SCRUM-123");
    for address in addresses.iter().cycle().take(6) {
        assert_eq!(deliver_to(address, "c1f0-1", &body).await, 204);
    }
    shows(&bot, "SCRUM-123: Renamed (Open)").await;
    let waiting = "SELECT issue FROM webhook_queue";
    until("nothing waits", async || query(&bot.config.database, waiting).await.is_empty()).await;
    assert_eq!(deliver_to(&addresses[1], "c1f0-1", &body).await, 204);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(bot.asked_for("/issue/bulkfetch"), asked + 1, "a webhook that came again was followed again");

    // Jira hangs, and the replica that reads the issue is gone: as if it had been killed.
    bot.jira.set_fault(JiraFault::Hang);
    assert_eq!(deliver_to(&addresses[1], "c1f0-2", &body).await, 204);
    let held = "SELECT issue FROM webhook_queue WHERE holder IS NOT NULL";
    until("somebody reads it", async || query(&bot.config.database, held).await.len() == 1).await;
    bot.jira.transition_issue(&key("SCRUM-123"), "Done");
    execute(&bot.config.database, "UPDATE webhook_queue SET holder = 1").await;
    bot.jira.clear_fault();
    let began = Instant::now();
    until("another takes over", async || query(&bot.config.database, waiting).await.is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(9), "it took {:?}", began.elapsed());
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123: Renamed (Done)"));
    replica.stop().await;
}

/// The queue has no room: Jira hears it, and sends the webhook again.
#[tokio::test]
async fn a_full_queue_has_jira_send_the_webhook_again() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    let body = hint("jira:issue_updated", &id, "SCRUM-123");
    let fill = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {CAPACITY})
         INSERT INTO webhook_queue (issue, issue_key, noted_ms, due_ms)
         SELECT 'X-' || n, 'X-' || n, 1, 9000000000000 FROM number"
    );
    execute(&bot.config.database, &fill).await;
    bot.jira.transition_issue(&key("SCRUM-123"), "Done");
    let address = bot.url("jira/webhook");
    assert_eq!(deliver_to(address.as_str(), "c1f0-3", &body).await, 503);
    assert_eq!(
        deliver_to(address.as_str(), "c1f0-4", &hint("jira:issue_updated", "7", "OTHER-7")).await,
        204
    );
    execute(&bot.config.database, "DELETE FROM webhook_queue").await;
    assert_eq!(deliver_to(address.as_str(), "c1f0-3", &body).await, 204);
    shows(&bot, "SCRUM-123: User authentication flow (Done)").await;
}

/// A webhook of a workflow's post function: it has an issue and no event.
fn post_function(id: &str, key: &str) -> String {
    let mut body: serde_json::Value = serde_json::from_str(&hint("", id, key)).unwrap();
    body.as_object_mut().unwrap().retain(|name, _| !["webhookEvent", "changelog"].contains(&name.as_str()));
    body["transition"] = serde_json::json!({ "transitionId": 31, "to_status": "With the board" });
    body.to_string()
}

#[tokio::test]
async fn a_webhook_without_an_event_is_a_hint_too() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    assert_eq!(deliver(&bot, &post_function(&id, "SCRUM-123")).await.status().as_u16(), 204);
    shows(&bot, "SCRUM-123: User authentication flow (In Review)").await;
    // A rule that knows only the key.
    bot.jira.transition_issue(&key("SCRUM-123"), "Done");
    assert_eq!(deliver(&bot, r#"{"issue":{"key":"SCRUM-123"}}"#).await.status().as_u16(), 204);
    shows(&bot, "SCRUM-123: User authentication flow (Done)").await;
    // Or only the id.
    bot.jira.transition_issue(&key("SCRUM-123"), "In Progress");
    let by_id = format!(r#"{{"webhookEvent":"jira:issue_updated","issue":{{"id":"{id}"}}}}"#);
    assert_eq!(deliver(&bot, &by_id).await.status().as_u16(), 204);
    shows(&bot, "SCRUM-123: User authentication flow (In Progress)").await;
    // About nothing that anybody tracks, or about no issue at all.
    for body in
        [post_function("77", "SCRUM-999"), r#"{"transition":{},"comment":"","timestamp":1}"#.to_owned()]
    {
        assert_eq!(deliver(&bot, &body).await.status().as_u16(), 204, "{body}");
    }
}

#[tokio::test]
async fn a_webhook_may_be_as_large_as_jira_sends_them() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    let mut body: serde_json::Value =
        serde_json::from_str(&hint("jira:issue_updated", &id, "SCRUM-123")).unwrap();
    body["issue"]["fields"]["description"] = "long ".repeat(800_000).into();
    assert_eq!(deliver(&bot, &body.to_string()).await.status().as_u16(), 204);
    shows(&bot, "SCRUM-123: User authentication flow (In Review)").await;
    let too_large = deliver(&bot, &"x".repeat(26 * 1024 * 1024)).await;
    assert_eq!(too_large.status().as_u16(), 413);
}

#[tokio::test]
async fn who_cannot_sign_may_have_the_secret_in_the_address() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.webhook_secret = Some(Secret::new("a+b/c d%?"));
    })
    .await;
    bot.say("/maro track SCRUM-123").await;
    let id = id_of(&bot, "SCRUM-123").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    let post = async |address: &str| {
        status(client().post(bot.url(address)).body(post_function(&id, "SCRUM-123"))).await
    };
    for wrong in ["a+b/c%20d%25", "a+b/c%20d%25%3F/", "a%20b/c%20d%25%3F", "x", ""] {
        let refused = post(&format!("jira/webhook/{wrong}")).await;
        assert!([401, 404].contains(&refused), "{wrong}: {refused}");
    }
    assert_eq!(post("jira/webhook/a+b/c%20d%25%3F").await, 204);
    shows(&bot, "SCRUM-123: User authentication flow (In Review)").await;
    let without = TestBot::start().await;
    assert_eq!(status(client().post(without.url("jira/webhook/x")).body("{}")).await, 404);
}

#[tokio::test]
async fn the_address_with_the_secret_is_in_no_line_of_the_log() {
    let (log, _guard) = Log::start();
    let bot = start().await;
    let address = format!("jira/webhook/{}", SECRET.replace(' ', "%20"));
    for body in ["", "{", "nonsense", r#"{"webhookEvent":"jira:issue_updated""#] {
        assert_eq!(status(client().post(bot.url(&address)).body(body)).await, 400, "{body}");
    }
    assert_eq!(status(client().post(bot.url("jira/webhook/almost%20a%20secret")).body("{}")).await, 401);
    let text = log.text();
    assert!(text.contains("a signed request is malformed"), "{text}");
    assert!(!text.contains(SECRET) && !text.contains("%20") && !text.contains("almost"), "{text}");
}
