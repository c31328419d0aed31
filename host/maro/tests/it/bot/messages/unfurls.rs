//! Links to issues in people's messages are shown below them, once and only where they may be.

use std::time::Duration;

use maro_access::JiraAs;
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{Sharing, people::pressing::Press, shown::terminal, web_api::faults::SlackFault},
};

use crate::{
    bot::{TestBot, key, until},
    built_components::PluginsFolder,
    raw::{execute, query},
};

const SCOPES: [&str; 6] =
    ["commands", "chat:write", "channels:read", "groups:read", "links:read", "links:write"];

async fn start(change: impl FnOnce(&mut maro_bot::config::Config)) -> TestBot {
    start_with(&SCOPES, change).await
}

async fn start_with(scopes: &[&str], change: impl FnOnce(&mut maro_bot::config::Config)) -> TestBot {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(scopes);
        slack.unfurl_links_to(config.jira.base_url.host_str().unwrap());
        slack.unfurl_links_to("jira.elsewhere.example");
        change(config);
    });
    bot.await
}

fn link(bot: &TestBot, issue: &str) -> String {
    let base = bot.config.jira.base_url.as_str().trim_end_matches('/');
    format!("{base}/browse/{issue}")
}

/// All that Slack has of the message that somebody wrote last, dialogs of buttons included.
fn sent(bot: &TestBot) -> String {
    let message = bot.slack.messages().into_iter().rfind(|message| message.user.is_some()).unwrap();
    serde_json::to_string(&message.blocks).unwrap()
}

/// Writes a message and returns what it looks like once the bot has nothing more to do with it.
async fn write(bot: &TestBot, channel: &str, text: &str) -> String {
    let calls = bot.slack.calls_of("chat.unfurl").len();
    let written = bot.slack.write_to_bot("ada", channel, text).await.unwrap();
    let asked = async { until("a call", async || bot.slack.calls_of("chat.unfurl").len() > calls).await };
    // Nothing is to come of some messages.
    let _ = tokio::time::timeout(Duration::from_secs(2), asked).await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    let message = bot.slack.messages().into_iter().find(|message| message.ts == written.ts).unwrap();
    terminal::message_text(&message, &bot.slack.workspace().names())
}

#[tokio::test]
async fn a_link_is_shown_once_in_half_an_hour_with_a_button_to_track() {
    let bot = start(|_| {}).await;
    let text = format!("look at {}", link(&bot, "SCRUM-124"));
    let shown = write(&bot, "general", &text).await;
    let unfurled = "SCRUM-124: Database migration (In Progress)\nTask · ";
    assert!(shown.starts_with(&format!("{text}\n{unfurled}")), "{shown}");
    assert!(shown.ends_with("\n[Track]\n[Assign]"), "{shown}");
    // The same again, and then half an hour later.
    assert_eq!(write(&bot, "general", &text).await, text);
    execute(&bot.config.database, "UPDATE shown_links SET shown_ms = shown_ms - 1800000").await;
    assert!(write(&bot, "general", &text).await.contains(unfurled));
    let message = bot.slack.messages().into_iter().rfind(|message| message.text == text).unwrap();
    bot.slack.press_in("ada", &message, Press::button("Track")).await.unwrap();
    let tracked = "SELECT issue_key FROM channel_tracked_issues";
    until("it's tracked", async || query(&bot.config.database, tracked).await == ["SCRUM-124"]).await;
}

#[tokio::test]
async fn what_slack_did_not_show_is_shown_with_the_next_message() {
    let bot = start(|_| {}).await;
    let text = format!("look at {}", link(&bot, "SCRUM-124"));
    bot.slack.set_fault("chat.unfurl", SlackFault::Error("cannot_unfurl_url".to_owned()));
    assert_eq!(write(&bot, "general", &text).await, text);
    bot.slack.clear_faults();
    assert!(write(&bot, "general", &text).await.contains("SCRUM-124: Database migration"));
}

#[tokio::test]
async fn two_links_of_a_message_are_shown_and_none_that_lead_elsewhere() {
    let bot = start(|_| {}).await;
    let links: Vec<String> = ["SCRUM-121", "SCRUM-121?focusedCommentId=1", "SCRUM-122", "SCRUM-123"]
        .map(|key| link(&bot, key))
        .into();
    let shown = write(&bot, "general", &links.join(" ")).await;
    let heads: Vec<&str> = shown.lines().filter(|line| line.starts_with("SCRUM-")).collect();
    assert_eq!(heads.len(), 2, "{shown}");
    assert!(heads[0].starts_with("SCRUM-121: ") && heads[1].starts_with("SCRUM-122: "), "{shown}");
    for text in [
        "https://jira.elsewhere.example/browse/SCRUM-124".to_owned(),
        link(&bot, "SCRUM-9999"),
        link(&bot, "SCRUM-124").replace("/browse/SCRUM-124", "/dashboards"),
    ] {
        assert_eq!(write(&bot, "general", &text).await, text);
    }
    assert_eq!(bot.slack.calls_of("chat.unfurl").len(), 1);
}

#[tokio::test]
async fn links_that_show_nothing_take_no_other_links_place() {
    let bot = start(|_| {}).await;
    let of = |keys: &[&str]| keys.iter().map(|key| link(&bot, key)).collect::<Vec<_>>().join(" ");
    let heads = |shown: &str| -> Vec<String> {
        let heads = shown.lines().filter(|line| line.starts_with("SCRUM-"));
        heads.filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
    };
    let shown = write(&bot, "general", &of(&["SCRUM-9998", "SCRUM-9999", "SCRUM-121"])).await;
    assert_eq!(heads(&shown), ["SCRUM-121"], "two that nobody may see stand before it");
    let keys = ["SCRUM-121", "SCRUM-122", "SCRUM-123", "SCRUM-124", "SCRUM-125"];
    assert_eq!(heads(&write(&bot, "general", &of(&keys)).await), ["SCRUM-122", "SCRUM-123"]);
    assert_eq!(heads(&write(&bot, "general", &of(&keys)).await), ["SCRUM-124", "SCRUM-125"]);
    assert_eq!(heads(&write(&bot, "general", &of(&keys)).await), [""; 0]);
}

#[tokio::test]
async fn both_keys_of_a_moved_issue_are_shown_below_their_links() {
    let bot = start(|_| {}).await;
    let new = key("OPS-77");
    assert!(bot.jira.move_issue(&key("SCRUM-121"), &new));
    let text = format!("{} {}", link(&bot, "SCRUM-121"), link(&bot, new.as_str()));
    let shown = write(&bot, "general", &text).await;
    let heads = shown.lines().filter(|line| line.starts_with(&format!("{new}: "))).count();
    assert_eq!(heads, 2, "{shown}");
}

#[tokio::test]
async fn what_may_not_be_shown_in_a_channel_is_not_and_a_shared_one_reads_no_names() {
    let bot = start(|config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]\nprojects = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.jira.set_security_level(&key("SCRUM-122"), "Board");
    bot.jira.assign_issue(&key("SCRUM-124"), Some("Grace Hopper"));
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    let text = link(&bot, "SCRUM-124");
    let shown = write(&bot, "general", &text).await;
    assert!(shown.contains("SCRUM-124: Database migration (In Progress)\nTask\n"), "{shown}");
    assert!(sent(&bot).contains("Assign") && !sent(&bot).contains("Grace"), "{}", sent(&bot));
    let hidden = link(&bot, "SCRUM-122");
    assert_eq!(write(&bot, "general", &hidden).await, hidden);
    // Nor do two of them take the places of another.
    let (other_project, third) = (link(&bot, "OPS-1"), link(&bot, "SCRUM-123"));
    let shown = write(&bot, "general", &format!("{hidden} {other_project} {third}")).await;
    assert!(shown.contains("SCRUM-123: User authentication flow"), "{shown}");
}

#[tokio::test]
async fn a_channel_that_slack_says_nothing_of_reads_no_names() {
    let bot = start(|config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.jira.assign_issue(&key("SCRUM-124"), Some("Grace Hopper"));
    let text = link(&bot, "SCRUM-124");
    bot.slack.set_fault("conversations.info", SlackFault::Status(503));
    let shown = write(&bot, "general", &text).await;
    assert!(shown.contains("SCRUM-124: Database migration (In Progress)\nTask\n"), "{shown}");
    assert!(sent(&bot).contains("Assign") && !sent(&bot).contains("Grace"), "{}", sent(&bot));
}

#[tokio::test]
async fn without_a_policy_for_it_a_shared_channel_reads_nothing() {
    let bot = start(|_| {}).await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    let text = link(&bot, "SCRUM-124");
    assert_eq!(write(&bot, "general", &text).await, text);
}

const ACCOUNT_SCOPES: [&str; 8] = [
    "commands",
    "chat:write",
    "channels:read",
    "groups:read",
    "links:read",
    "links:write",
    "users:read",
    "users:read.email",
];

/// The last message in #general as it looks now.
fn last(bot: &TestBot) -> String {
    let shown = bot.slack.messages().into_iter().rfind(|message| message.user.is_some()).unwrap();
    terminal::message_text(&shown, &bot.slack.workspace().names())
}

/// Presses a button of the last message that a person wrote, and returns what that person alone reads then.
async fn press(bot: &TestBot, user: &str, label: &str) -> String {
    let message = bot.slack.messages().into_iter().rfind(|message| message.user.is_some()).unwrap();
    let answers = || -> Vec<_> {
        let all = bot.slack.messages().into_iter();
        all.filter(|message| message.visible_to.is_some()).collect()
    };
    let before = answers().len();
    bot.slack.press_in(user, &message, Press::button(label)).await.unwrap();
    until("an answer", async || answers().len() > before).await;
    terminal::message_text(answers().last().unwrap(), &bot.slack.workspace().names())
}

#[tokio::test]
async fn a_press_assigns_the_issue_to_the_person_and_the_link_shows_it() {
    let bot = start_with(&ACCOUNT_SCOPES, |_| {}).await;
    let text = link(&bot, "SCRUM-124");
    let shown = write(&bot, "general", &text).await;
    assert!(shown.contains("\n[Track]\n[Assign]"), "{shown}");
    assert_eq!(press(&bot, "grace", "Assign").await, "SCRUM-124 is now assigned to you.");
    until("it's redrawn", async || last(&bot).contains("Task · assigned to Grace Hopper")).await;
    assert_eq!(press(&bot, "grace", "Assign").await, "SCRUM-124 is already assigned to you.");
    // A person who takes it from somebody is asked first.
    let asked = sent(&bot);
    assert!(asked.contains("SCRUM-124 is assigned to Grace Hopper. Assign it to yourself?"), "{asked}");
    assert_eq!(press(&bot, "ada", "Assign").await, "SCRUM-124 is now assigned to you.");
    until("it's redrawn", async || last(&bot).contains("assigned to Ada Lovelace")).await;
    let noted = query(
        &bot.config.database,
        "SELECT user_id || ' ' || outcome FROM audit_log WHERE action = 'assign' AND subject = 'SCRUM-124' ORDER BY id",
    );
    assert_eq!(
        noted.await,
        ["U0GRACE0001 begun", "U0GRACE0001 done", "U0ADA000001 begun", "U0ADA000001 done"]
    );
}

#[tokio::test]
async fn once_tracked_a_link_offers_only_to_assign() {
    let bot = start(|_| {}).await;
    write(&bot, "general", &link(&bot, "SCRUM-124")).await;
    let message = bot.slack.messages().into_iter().rfind(|message| message.user.is_some()).unwrap();
    bot.slack.press_in("ada", &message, Press::button("Track")).await.unwrap();
    until("it's redrawn", async || last(&bot).ends_with("\n[Assign]")).await;
}

#[tokio::test]
async fn whose_account_is_unknown_reads_why_and_nothing_changes() {
    let mut bot = start(|_| {}).await;
    let shown = write(&bot, "general", &link(&bot, "SCRUM-124")).await;
    let answer = press(&bot, "grace", "Assign").await;
    assert_eq!(
        answer,
        "SCRUM-124 can't be assigned to you, because MARO isn't allowed to read your email address in Slack, \
        which it needs to find your Jira account. Your MARO admin can add the scopes users:read and \
        users:read.email to the Slack app."
    );
    assert_eq!(last(&bot), shown);
    bot.slack.grant_scopes(&ACCOUNT_SCOPES);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    let answer = press(&bot, "linus", "Assign").await;
    assert!(answer.contains("because MARO can't find a Jira account with your email address"), "{answer}");
    bot.jira.let_people_be_looked_up(false);
    let answer = press(&bot, "ada", "Assign").await;
    assert!(answer.contains("can't look up yours. A Jira admin can grant it"), "{answer}");
    assert!(bot.jira.requests().iter().all(|request| !request.path.ends_with("/assignee")));
}

#[tokio::test]
async fn what_jira_or_a_role_refuses_is_said() {
    let bot = start(|config| {
        config.roles = toml::from_str("create = [\"admins\"]").unwrap();
        config.admins.clear();
    })
    .await;
    write(&bot, "general", &link(&bot, "SCRUM-124")).await;
    let answer = press(&bot, "grace", "Assign").await;
    assert_eq!(answer, "Only MARO admins can assign issues (role: create). Your MARO admin can change that.");
    let refused = "SELECT subject FROM audit_log WHERE outcome = 'refused'";
    assert_eq!(query(&bot.config.database, refused).await, ["assign SCRUM-124"]);
}

/// A button stays when a policy is tightened, an issue gets a level, or somebody loses a right in Jira.
#[tokio::test]
async fn a_press_asks_what_may_be_shown_and_changed_now() {
    let mut bot = start_with(&ACCOUNT_SCOPES, |config| config.jira_as = JiraAs::Person).await;
    bot.jira.let_account_administer();
    write(&bot, "general", &link(&bot, "SCRUM-124")).await;
    bot.jira.take_permission("Grace Hopper", "ASSIGN_ISSUES");
    let answer = press(&bot, "grace", "Assign").await;
    assert!(answer.starts_with("SCRUM-124 can't be changed, because your own Jira account"), "{answer}");
    bot.config.jira_as = JiraAs::Bot;
    for policy in ["security-levels = \"deny\"", "projects = [\"OPS\"]"] {
        bot.jira.set_security_level(&key("SCRUM-124"), "Board");
        bot.config.access = toml::from_str(policy).unwrap();
        bot.restart().await;
        let answer = press(&bot, "ada", "Assign").await;
        assert!(answer.starts_with("SCRUM-124 can't be shown in this channel, because"), "{answer}");
    }
    assert!(bot.jira.requests().iter().all(|request| !request.path.ends_with("/assignee")));
}

#[tokio::test]
async fn what_jira_refuses_is_said_and_the_link_stays_as_it_was() {
    let bot = start_with(&ACCOUNT_SCOPES, |_| {}).await;
    let shown = write(&bot, "general", &link(&bot, "SCRUM-124")).await;
    let refusal = serde_json::json!({ "errorMessages": [], "errors": { "assignee": "User 'grace' cannot be assigned issues." } });
    bot.jira.set_next_faults_of("/assignee", [Some(JiraFault::Answer(400, refusal.to_string()))]);
    let answer = press(&bot, "grace", "Assign").await;
    assert_eq!(answer, "Jira rejected this change: User 'grace' cannot be assigned issues.");
    bot.jira.set_next_faults_of("/assignee", [Some(JiraFault::Status(403, None))]);
    let answer = press(&bot, "grace", "Assign").await;
    assert!(answer.starts_with("Jira doesn't allow MARO to do this. Nothing was changed."), "{answer}");
    assert_eq!(last(&bot), shown);
}

#[tokio::test]
async fn a_strangers_link_in_a_shared_channel_is_shown_to_nobody() {
    let bot = start_with(&ACCOUNT_SCOPES, |config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    bot.slack.set_team_of("U0GRACE0001", "T09QUARRY7");
    let text = link(&bot, "SCRUM-124");
    let written = bot.slack.write_to_bot("grace", "general", &text).await.unwrap();
    // What comes later is shown, so the first isn't only slow.
    assert!(write(&bot, "general", &text).await.contains("SCRUM-124: Database migration"));
    let of_stranger = bot.slack.messages().into_iter().find(|message| message.ts == written.ts).unwrap();
    assert_eq!(terminal::message_text(&of_stranger, &bot.slack.workspace().names()), text);
    assert_eq!(bot.slack.calls_of("chat.unfurl").len(), 1);
}
