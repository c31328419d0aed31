//! Stored statuses follow Jira.

use std::time::Duration;

use crate::{
    bot::{TestBot, key},
    plugins::PluginsFolder,
};

#[tokio::test]
async fn old_statuses_are_read_anew_and_moved_issues_follow() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-125").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    bot.jira.move_issue(&key("SCRUM-124"), &key("DATA-1"));
    bot.jira.delete_issue(&key("SCRUM-125"));
    let expected = "Tracked Jira issues in #general:\n\
                    • SCRUM-123: User authentication flow (In Review)\n\
                    • DATA-1: Database migration (In Progress)\n\
                    • SCRUM-125 (not found in Jira)";
    let followed = async {
        while bot.say("/maro tracked").await != expected {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), followed).await;
    assert!(in_time.is_ok(), "the list is still\n{}", bot.say("/maro tracked").await);
}
