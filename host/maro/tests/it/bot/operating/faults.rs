//! Neighbours that fail: each failure has a sentence of its own, and nothing is written.

use std::time::Duration;

use insta::assert_snapshot;
use maro_jira::config::JiraCredentials;
use maro_process::secret::Secret;
use maro_simulation::jira::faults::JiraFault;

use crate::{bot::TestBot, built_components::PluginsFolder};

/// What a person reads after `/maro track SCRUM-123` under a fault that stays.
async fn tracked_under(fault: JiraFault) -> String {
    let bot = TestBot::start().await;
    bot.jira.set_fault(fault.clone());
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(!shown.contains("not found"), "{fault:?} is not an answer: {shown}");
    let list = bot.say("/maro tracked").await;
    assert!(list.starts_with("No Jira issues are tracked"), "{fault:?} wrote something: {list}");
    bot.jira.clear_fault();
    let healed = bot.say("/maro track SCRUM-123").await;
    assert_eq!(healed, "Now tracking SCRUM-123: User authentication flow (Open)", "after {fault:?}");
    shown
}

#[tokio::test]
async fn refusals_of_jira_are_told_apart() {
    assert_snapshot!(tracked_under(JiraFault::Status(401, None)).await, @"Jira rejected MARO's credentials. Nothing was changed. Ask your MARO admin to renew them.");
    assert_snapshot!(tracked_under(JiraFault::Status(403, None)).await, @"Jira doesn't allow MARO to do this. Nothing was changed. Your MARO admin can ask a Jira admin for the permission.");
    assert_snapshot!(tracked_under(JiraFault::Anonymous).await, @"Jira rejected MARO's credentials. Nothing was changed. Ask your MARO admin to renew them.");
}

#[tokio::test]
async fn a_limit_of_jiras_is_kept_to_by_the_kind_that_it_names() {
    let bot = TestBot::start().await;
    bot.jira.set_next_faults([Some(JiraFault::Status(429, Some("42".to_owned())))]);
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"Jira is rate-limiting MARO. Nothing was changed. Try again in 42 seconds.");
    bot.jira.take_requests();
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Jira is rate-limiting MARO. Nothing was changed. Try again in "), "{shown}");
    assert_eq!(bot.jira.requests().len(), 0, "Jira is left alone");
    // Lists need nothing of Jira, and forms need other things.
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    assert_eq!(bot.say("/maro create").await, "");
}

#[tokio::test]
async fn outages_of_jira_are_no_answer() {
    assert_snapshot!(tracked_under(JiraFault::Status(503, None)).await, @"Jira is having problems right now. Nothing was changed. Try again in a few minutes.");
    assert_snapshot!(tracked_under(JiraFault::Status(500, None)).await, @"Jira is having problems right now. Nothing was changed. Try again in a few minutes.");
    assert_snapshot!(tracked_under(JiraFault::Reset).await, @"MARO can't reach Jira right now. Nothing was changed. Try again in a few minutes.");
}

#[tokio::test]
async fn nonsense_from_jira_is_no_answer() {
    for fault in [
        JiraFault::Html,
        JiraFault::InvalidJson,
        JiraFault::WrongShape,
        JiraFault::HugeBody,
        JiraFault::NoSuchAddress,
        JiraFault::Redirect("https://example.com/login".to_owned()),
    ] {
        let shown = tracked_under(fault.clone()).await;
        assert!(shown.starts_with("Jira "), "{fault:?}: {shown}");
        assert!(shown.contains("Nothing was changed"), "{fault:?}: {shown}");
    }
}

#[tokio::test]
async fn a_hanging_jira_is_acknowledged_in_time_and_answered_later_once() {
    let bot = TestBot::start().await;
    bot.jira.set_fault(JiraFault::Hang);
    let messages = bot.messages("ada", "general", "/maro track SCRUM-123").await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].is_delayed);
    assert_snapshot!(messages[0].text, @"Jira took too long to respond. Nothing was changed. Try again in a few minutes.");
}

#[tokio::test]
async fn a_slow_jira_is_answered_later_with_the_same_words() {
    let bot = TestBot::start().await;
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let messages = bot.messages("ada", "general", "/maro track SCRUM-123").await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].is_delayed);
    assert!(messages[0].visible_to.is_none(), "a change is for the channel, late or not");
    assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123");
}

#[tokio::test]
async fn lists_work_while_jira_is_down() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.set_fault(JiraFault::Reset);
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123: User authentication flow (Open)"));
    assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123");
}

#[tokio::test]
async fn wrong_credentials_are_not_a_missing_issue_and_do_not_leak() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.credentials = JiraCredentials::Cloud {
            email: "somebody@example.com".to_owned(),
            api_token: Secret::new("a-wrong-token"),
        };
    })
    .await;
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Jira rejected MARO's credentials"), "{shown}");
    assert!(!shown.contains("wrong-token"), "{shown}");
}

#[tokio::test]
async fn data_center_reads_the_same() {
    let bot = TestBot::start().await;
    let credentials = bot.jira.data_center_config().credentials;
    let base_url = bot.jira.base_url().clone();
    let center = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.credentials = credentials;
        config.jira.base_url = base_url;
    })
    .await;
    assert_snapshot!(center.say("/maro track SCRUM-123 SCRUM-999 SCRUM-125").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    SCRUM-999 not found in Jira
    Now tracking SCRUM-125: API documentation (Done)
    ");
}
