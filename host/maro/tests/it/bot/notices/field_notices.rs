//! Channels that hear all are told of assignees, priorities, sprints and comments, too.

use serde_json::{Value, json};

use crate::{
    bot::{
        TestBot, key,
        notices::told::{on_postgres, stays, until_told},
        sync::webhooks::{deliver, id_of, start},
        until,
    },
    raw::{execute, query},
};

/// Jira reports what somebody did.
pub(super) async fn report(bot: &TestBot, event: &str, by: &str, items: Value) {
    let id = id_of(bot, "SCRUM-124").await;
    let body = json!({
        "timestamp": 1_795_483_900_204_u64,
        "webhookEvent": event,
        "user": { "accountId": "712020:9d1e", "displayName": by, "active": true },
        "issue": { "id": id, "key": "SCRUM-124" },
        "comment": { "id": "7", "body": "the secret of the north quay" },
        "changelog": { "id": "900204", "items": items },
    });
    assert_eq!(deliver(bot, &body.to_string()).await.status().as_u16(), 204);
}

async fn known(bot: &TestBot) -> Vec<String> {
    let known = "SELECT assignee || '/' || priority || '/' || sprint FROM issue_fields";
    query(&bot.config.database, known).await
}

/// The next change is told in a message of its own.
async fn let_the_last_answer_age(bot: &TestBot) {
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
}

async fn all_kinds(bot: &TestBot) {
    let issue = key("SCRUM-124");
    bot.say("/maro track SCRUM-124").await;
    bot.say("/maro notify all").await;
    until("its fields are known", async || known(bot).await == ["/Medium/"]).await;
    bot.jira.assign_issue(&issue, Some("Ada Lovelace"));
    let items = json!([{ "field": "assignee", "fromString": null, "toString": "Ada Lovelace" }]);
    report(bot, "jira:issue_updated", "Grace Hopper", items).await;
    let head = "SCRUM-124: Database migration (In Progress)";
    let assigned = "  SCRUM-124: assigned to Ada Lovelace (Grace Hopper)";
    until_told(bot, &[head, assigned]).await;
    // What comes within a minute goes into the same message.
    bot.jira.set_priority(&issue, "High");
    bot.jira.set_sprint(&issue, Some("Harbor 7"));
    let items = json!([
        { "field": "priority", "fromString": "Medium", "toString": "High" },
        { "field": "Sprint", "fromString": "", "toString": "Harbor 7" },
    ]);
    report(bot, "jira:issue_updated", "Ada Lovelace", items).await;
    let edited = format!(
        "{assigned}\nSCRUM-124: priority Medium → High (Ada Lovelace)\nSCRUM-124: sprint Harbor 7 (Ada Lovelace)"
    );
    until_told(bot, &[head, &edited]).await;
    let_the_last_answer_age(bot).await;
    // Of comments it's said how many, and never what they say. Those for some alone and MARO's own don't count.
    bot.jira.comment_for_some_on(&issue, "Ada Lovelace", "for the board alone");
    bot.jira.comment_on(&issue, "MARO", "by a command");
    bot.jira.comment_on(&issue, "Grace Hopper", "the secret of the north quay");
    bot.jira.comment_on(&issue, "Grace Hopper", "and of the south quay");
    for _ in 0..3 {
        report(bot, "comment_created", "Grace Hopper", json!([])).await;
    }
    let commented = "  SCRUM-124: 2 new comments (Grace Hopper)";
    until_told(bot, &[head, &edited, commented]).await;
    stays(bot, &[head, &edited, commented]).await;
    let said = bot.slack.messages().into_iter().rfind(|message| message.is_posted).unwrap();
    assert!(said.text.contains("?focusedCommentId="), "{}", said.text);
    // Others hear of statuses alone.
    bot.say("/maro notify status").await;
    bot.jira.assign_issue(&issue, None);
    let items = json!([{ "field": "assignee", "fromString": "Ada Lovelace", "toString": null }]);
    report(bot, "jira:issue_updated", "Grace Hopper", items).await;
    stays(bot, &[head, &edited, commented]).await;
}

#[tokio::test]
async fn all_that_changes_is_told_where_people_want_it() {
    all_kinds(&start().await).await;
}

#[tokio::test]
async fn all_that_changes_is_told_where_people_want_it_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    all_kinds(&bot).await;
}

#[tokio::test]
async fn without_webhooks_the_look_at_what_changed_tells_it() {
    let mut bot = start().await;
    bot.config.sync_interval = std::time::Duration::from_secs(10);
    bot.restart().await;
    bot.say("/maro track SCRUM-124").await;
    bot.say("/maro notify all").await;
    until("its fields are known", async || known(&bot).await == ["/Medium/"]).await;
    bot.jira.assign_issue(&key("SCRUM-124"), Some("Ada Lovelace"));
    let head = "SCRUM-124: Database migration (In Progress)";
    until_told(&bot, &[head, "  SCRUM-124: assigned to Ada Lovelace"]).await;
}

/// An issue that Jira doesn't show is asked for, and then left alone for longer and longer.
async fn what_is_missing_is_left_alone(bot: &TestBot) {
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.jira.delete_issue(&key("SCRUM-123"));
    bot.jira.take_requests();
    bot.say("/maro notify all").await;
    until("the other's fields are known", async || known(bot).await.contains(&"/Medium/".to_owned())).await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let asked = bot.asked_for("/issue/bulkfetch") + bot.asked_for("/issue/SCRUM-123");
    assert!(asked <= 3, "{asked} requests");
}

#[tokio::test]
async fn an_issue_that_jira_does_not_show_is_not_asked_for_all_the_time() {
    what_is_missing_is_left_alone(&start().await).await;
}

#[tokio::test]
async fn an_issue_that_jira_does_not_show_is_not_asked_for_all_the_time_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    what_is_missing_is_left_alone(&bot).await;
}
