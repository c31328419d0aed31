//! Lists of many issues under a policy: what is counted, and how much Jira is asked for it.

use maro_access::JiraAs;
use maro_bot::config::Config;

use crate::{bot::TestBot, built_components::PluginsFolder, raw::execute};

const SCOPES: [&str; 6] =
    ["chat:write", "commands", "channels:read", "groups:read", "users:read", "users:read.email"];

async fn bot(change: impl FnOnce(&mut Config)) -> TestBot {
    TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(&SCOPES);
        change(config);
    })
    .await
}

/// Puts issues on the list of #general, with keys from 1001 on, and every third of them done.
async fn fill(bot: &TestBot, project: &str, count: u32) {
    let rows = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
        INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by, last_jira_status,
            last_jira_category, last_jira_summary, has_security_level)
        SELECT 'C0GENERAL01', '{project}-' || (1000 + n), '2026-01-31T09:00:00.' || printf('%06d', n) || 'Z',
            'U0ADA000001', 'X', iif(n % 3 = 0, 'done', 'new'), 'Row ' || n, 0 FROM numbers"
    );
    execute(&bot.config.database, &rows).await;
}

#[tokio::test]
async fn under_a_policy_a_list_is_counted_to_its_end() {
    for policy in ["projects = [\"SCRUM\"]", "security-levels = \"deny\"\nprojects = [\"SCRUM\"]"] {
        let bot = bot(|config| config.access = toml::from_str(policy).unwrap()).await;
        fill(&bot, "OPS", 30).await;
        fill(&bot, "SCRUM", 2_700).await;
        let open = bot.say("/maro tracked open").await;
        assert!(open.contains("1800 issues") && open.contains("Page 1 of 90"), "{open}");
        let last = bot.say("/maro tracked open 90").await;
        // Row 2700 is done.
        assert!(last.contains("SCRUM-3699: Row 2699") && !last.contains("Row 2700"), "{last}");
        let done = bot.say("/maro tracked done").await;
        assert!(done.contains("900 issues"), "{done}");
        let all = bot.say("/maro tracked").await;
        assert!(all.contains("2730 issues, 1800 open"), "{all}");
    }
}

#[tokio::test]
async fn a_page_of_a_long_list_asks_jira_about_the_issues_on_it() {
    let bot = bot(|config| config.jira_as = JiraAs::Person).await;
    fill(&bot, "SCRUM", 300).await;
    bot.jira.take_requests();
    let page = bot.say("/maro tracked").await;
    assert!(page.contains("\n300 issues\n") && page.contains("Page 1 of 15"), "{page}");
    let second = bot.say("/maro tracked 2").await;
    assert!(second.contains("\n300 issues\n") && second.contains("Page 2 of 15"), "{second}");
    let asked = bot.jira.requests().into_iter().filter(|request| request.path.contains("viewissue")).count();
    assert!((1..=40).contains(&asked), "{asked}");
}
