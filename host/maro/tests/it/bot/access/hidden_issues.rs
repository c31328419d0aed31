//! What somebody may not see in Jira looks as if it weren't there: to searches, in counts, and by its key.

use std::fs;

use maro_access::JiraAs;
use maro_bot::config::Config;
use maro_domain::ids::TeamId;
use maro_jira::config::JiraCredentials;
use maro_process::secret::Secret;
use maro_simulation::{
    jira::credentials::PERSONAL_ACCESS_TOKEN,
    slack::{
        people::{act_error::SubmitOutcome, pressing::Press},
        shown::terminal,
    },
};

use crate::{
    bot::{
        TestBot, key,
        plugins::optional_plugins,
        tickets::{
            create::{open_create, told},
            stories::open_stories,
        },
        until,
    },
    built_components::{self, PluginsFolder},
    raw::execute,
};

const SCOPES: [&str; 6] =
    ["chat:write", "commands", "channels:read", "groups:read", "users:read", "users:read.email"];

const GRANTED: &str = "grants = [\"jira\", \"jira-edit\", \"tracker\", \"tracker-edit\"]";

async fn bot(change: impl FnOnce(&mut Config)) -> TestBot {
    let search = fs::read(built_components::optional().join("search.wasm")).unwrap();
    let plugins = PluginsFolder::shipped()
        .with_fixture("jira-calls", "jira-calls", GRANTED)
        .with_file("search.wasm", &search)
        .with_file("search.toml", optional_plugins::manifests("search").1.as_bytes());
    TestBot::with_settings_of(plugins, |config, slack| {
        slack.grant_scopes(&SCOPES);
        config.jira_as = JiraAs::Person;
        config.jira.default_project = Some("SCRUM".to_owned());
        change(config);
    })
    .await
}

/// With what a channel may not show instead of a person.
async fn bot_without_levels() -> TestBot {
    bot(|config| {
        config.jira_as = JiraAs::Bot;
        config.access = toml::from_str("security-levels = \"deny\"").unwrap();
    })
    .await
}

async fn call(bot: &TestBot, call: &str) -> String {
    bot.say(&format!("/maro jira-calls {call}")).await
}

/// The one secret that a query could find out, true and false.
async fn pages_tell_nothing_of_one_issue(bot: &TestBot) {
    let query = |word: &str, order: &str| {
        format!(
            "pages 1 key in (SCRUM-123, SCRUM-124) AND (key = SCRUM-124 OR summary ~ \"{word}\") ORDER BY key {order}"
        )
    };
    for order in ["", "DESC"] {
        let with = call(bot, &query("authentication", order)).await;
        assert_eq!(with, call(bot, &query("zeppelin", order)).await);
        assert_eq!(with, "(1, 1, Some(\"SCRUM-124\"), Some(\"SCRUM-124\"))");
    }
    // By no other name either.
    let by_words = |word: &str| format!("pages 1 summary ~ \"{word}\" OR key = SCRUM-124 ORDER BY key");
    assert_eq!(call(bot, &by_words("authentication")).await, call(bot, &by_words("zeppelin")).await);
    let jql = |key: &str| format!("search key = {key} OR key = SCRUM-124");
    let (hidden, missing) = (call(bot, &jql("SCRUM-123")).await, call(bot, &jql("SCRUM-99999")).await);
    assert_eq!(hidden, missing);
    assert!(hidden.starts_with("SCRUM-124 ") && !hidden.contains("SCRUM-123"), "{hidden}");
    let jql = |key: &str| format!("search parent = {key}");
    assert_eq!(call(bot, &jql("SCRUM-123")).await, call(bot, &jql("SCRUM-99999")).await);
}

#[tokio::test]
async fn a_search_tells_nothing_of_what_the_person_does_not_see() {
    for is_cloud in [true, false] {
        let bot = bot(|config| {
            if !is_cloud {
                let token = Secret::new(PERSONAL_ACCESS_TOKEN);
                config.jira.credentials = JiraCredentials::DataCenter { token };
            }
        })
        .await;
        bot.jira.hide_from("Ada Lovelace", "SCRUM-123");
        bot.jira.hide_from("Ada Lovelace", "OPS");
        pages_tell_nothing_of_one_issue(&bot).await;
        // No more keys than can be looked at.
        let keys: Vec<_> = (101..=201).map(|number| format!("SCRUM-{number}")).collect();
        let many = call(&bot, &format!("search key in ({})", keys.join(", "))).await;
        assert!(many.contains("more than 100 keys"), "{many}");
        // Nor of a project.
        let jql = |project: &str| format!("search project = {project}");
        assert_eq!(call(&bot, &jql("OPS")).await, call(&bot, &jql("NOPE")).await);
        let linus = bot.say_as("linus", "general", "/maro jira-calls search key = SCRUM-124").await;
        assert!(
            linus.contains("MARO can't search Jira for you, because MARO can't find a Jira account"),
            "{linus}"
        );
    }
}

#[tokio::test]
async fn a_search_tells_nothing_of_what_the_channel_may_not_show() {
    let bot = bot_without_levels().await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board");
    pages_tell_nothing_of_one_issue(&bot).await;
}

/// What somebody reads who asks for a key.
async fn answer(bot: &TestBot, person: &str, command: &str, key: &str) -> String {
    let said = bot.say_as(person, "general", &command.replace("KEY", key)).await;
    said.replace(key, "KEY")
}

#[tokio::test]
async fn whom_nobody_knows_in_jira_does_not_learn_which_issues_exist() {
    const COMMANDS: [&str; 7] = [
        "/maro track KEY",
        "/maro KEY",
        "/maro where KEY",
        "/maro jira-calls get KEY",
        "/maro jira-calls read KEY summary",
        "/maro jira-calls comment KEY hello",
        "/maro jira-calls steps KEY",
    ];
    let bot = bot(|_| {}).await;
    // Her address isn't confirmed in Slack, and his is nobody's in Jira.
    for person in ["margaret", "linus"] {
        for command in COMMANDS {
            let (there, missing) = (
                answer(&bot, person, command, "SCRUM-123").await,
                answer(&bot, person, command, "SCRUM-99999").await,
            );
            assert_eq!(there, missing, "{person}: {command}");
            assert!(there.contains("KEY can't be shown in this channel, because "), "{there}");
        }
    }
    // Whose account is known, and of whom Jira then says no more.
    assert_eq!(answer(&bot, "ada", "/maro track KEY", "SCRUM-99999").await, "KEY not found in Jira");
    bot.jira.let_people_be_looked_up(false);
    for command in COMMANDS {
        let missing = answer(&bot, "ada", command, "SCRUM-99998").await;
        assert_eq!(answer(&bot, "ada", command, "SCRUM-123").await, missing, "{command}");
        assert!(missing.contains("MARO's Jira account can't look up what you may see"), "{missing}");
    }
}

#[tokio::test]
async fn no_field_names_an_issue_that_the_person_does_not_see() {
    let bot = bot(|_| {}).await;
    bot.jira.add_epic(&key("SCRUM-800"), "Airships", "Open");
    open_stories(&bot, "SCRUM-800").await;
    bot.slack.fill("ada", &[("stories", "Mast")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    until("a story", async || bot.jira.created_issues().len() == 1).await;
    let story = bot.jira.created_issues()[0].key.clone();
    let read = format!("/maro jira-calls read {story} parent");
    bot.jira.hide_from("Grace Hopper", "SCRUM-800");
    assert!(bot.say(&read).await.ends_with(": parent=SCRUM-800"));
    let hers = bot.say_as("grace", "general", &read).await;
    assert!(hers.ends_with(": parent="), "{hers}");
}

/// Nobody reports the level, and the issue's turn to be read comes later.
#[tokio::test]
async fn a_level_that_somebody_learns_of_is_known_to_the_lists() {
    for command in ["SCRUM-123", "track SCRUM-123", "jira-calls comment SCRUM-123 hello"] {
        let bot = bot_without_levels().await;
        bot.say("/maro track SCRUM-123").await;
        bot.jira.set_security_level(&key("SCRUM-123"), "Board");
        let said = bot.say(&format!("/maro {command}")).await;
        assert!(said.contains("SCRUM-123 can't be shown in this channel"), "{command}: {said}");
        let list = bot.say("/maro tracked").await;
        assert!(list.lines().any(|line| line == "• SCRUM-123"), "{command}: {list}");
    }
}

#[tokio::test]
async fn a_visible_issue_behind_many_hidden_ones_is_found_and_pages_have_each_once() {
    let bot = bot(|_| {}).await;
    for number in 1..=12 {
        bot.jira.add_issue(&key(&format!("OPS-{number}")), "Zeppelin hangar", "Open");
        bot.jira.hide_from("Ada Lovelace", &format!("OPS-{number}"));
    }
    bot.jira.add_issue(&key("SCRUM-900"), "Zeppelin mast", "Open");
    let found = bot.say("/maro search zeppelin").await;
    assert!(found.contains("SCRUM-900: Zeppelin mast") && !found.contains("OPS-"), "{found}");
    assert!(!found.contains("more results"), "{found}");
    // Every page of what is left, in each size.
    bot.jira.hide_from("Ada Lovelace", "SCRUM-110");
    for (size, pages) in [(7, 7), (50, 1), (100, 1)] {
        let all =
            call(&bot, &format!("pages {size} project = SCRUM AND key != SCRUM-900 ORDER BY key")).await;
        assert_eq!(all, format!("({pages}, 49, Some(\"SCRUM-101\"), Some(\"SCRUM-150\"))"), "{size}");
    }
}

#[tokio::test]
async fn forms_offer_nothing_of_a_project_that_the_person_does_not_see() {
    let bot = bot(|_| {}).await;
    bot.jira.hide_from("Ada Lovelace", "SCRUM");
    let modal = open_create(&bot, "Zeppelin logbook").await;
    assert_eq!((modal.value("project"), modal.value("issue_type")), (None, None));
    let offered = |typed: &'static str| {
        let bot = &bot;
        async move {
            let offered = bot.slack.suggestions("ada", "project", typed).await.unwrap();
            offered.into_iter().map(|choice| choice.value).collect::<Vec<_>>()
        }
    };
    assert_eq!(offered("ops").await, ["OPS"]);
    assert!(!offered("s").await.contains(&"SCRUM".to_owned()));
    assert_eq!(offered("scrum").await, [""; 0]);
    // The default project's types, too.
    assert_eq!(bot.types_offered("").await, [""; 0]);
    bot.choose_project("OPS").await;
    assert!(!bot.types_offered("").await.is_empty());
}

#[tokio::test]
async fn stories_need_the_right_to_create_and_name_their_reporter() {
    let bot = bot(|_| {}).await;
    bot.jira.let_account_administer();
    bot.jira.add_epic(&key("SCRUM-800"), "Airships", "Open");
    bot.jira.take_permission("Grace Hopper", "CREATE_ISSUES");
    bot.slack.send_command("general", "grace", "/maro stories SCRUM-800").await.unwrap();
    let modal = bot.slack.wait_for_modal("grace", |modal| !modal.text().contains("Loading")).await.unwrap();
    assert!(
        modal.text().contains("your own Jira account doesn't have the Create issues permission"),
        "{}",
        modal.text()
    );
    assert!(modal.field("stories").is_none());
    let reporters = || -> Vec<_> {
        let created = bot.jira.requests().into_iter().filter(|request| request.path.ends_with("/issue/bulk"));
        let body = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
        created
            .map(|request| body(&request.body)["issueUpdates"][0]["fields"]["reporter"]["id"].clone())
            .collect()
    };
    open_stories(&bot, "SCRUM-800").await;
    bot.slack.fill("ada", &[("stories", "Mast")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    until("a story", async || bot.jira.created_issues().len() == 1).await;
    assert_eq!(reporters(), ["ada-lovelace"]);
    bot.jira.keep_reporters();
    open_stories(&bot, "SCRUM-800").await;
    bot.slack.fill("ada", &[("stories", "Hangar")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    until("another", async || bot.jira.created_issues().len() == 2).await;
    assert_eq!(reporters()[1..], ["ada-lovelace".into(), serde_json::Value::Null]);
}

#[tokio::test]
async fn people_of_an_allowed_workspace_are_nobody_in_jira() {
    let bot = bot(|config| config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()]).await;
    bot.slack.set_team_of("U0ADA000001", "T09QUARRY7");
    let said = bot.say("/maro track SCRUM-123").await;
    assert!(said.contains("because MARO can't find a Jira account"), "{said}");
    let grace = bot.say_as("grace", "general", "/maro track SCRUM-123").await;
    assert!(grace.starts_with("Now tracking SCRUM-123"), "{grace}");
}

#[tokio::test]
async fn a_tightened_policy_or_a_lost_right_holds_for_a_form_that_is_open() {
    let mut bot = bot(|config| config.jira_as = JiraAs::Bot).await;
    bot.jira.add_issue(&key("SCRUM-900"), "Zeppelin logbook", "Open");
    open_create(&bot, "Zeppelin logbook").await;
    bot.slack.submit("ada").await.unwrap();
    let similar = bot.slack.wait_for_modal("ada", |modal| modal.text().contains("SCRUM-900")).await.unwrap();
    assert_eq!(similar.submit_label(), Some("Create anyway"));
    bot.config.access = toml::from_str("projects = [\"OPS\"]").unwrap();
    bot.restart().await;
    let outcome = bot.slack.submit("ada").await.unwrap();
    assert_ne!(outcome, SubmitOutcome::Closed);
    let modal = bot.slack.modal("ada").unwrap();
    assert!(modal.text().contains("Issues can't be created in SCRUM from this channel"), "{}", modal.text());
    assert_eq!(bot.jira.created_issues(), []);
    assert_eq!(told(&bot), [""; 0]);
}

/// Nor is it said whether it's still there.
#[tokio::test]
async fn what_may_not_be_shown_any_more_is_not_linked() {
    for (policy, is_deleted) in [
        ("projects = [\"OPS\"]", false),
        ("projects = [\"OPS\"]", true),
        ("security-levels = \"deny\"", false),
    ] {
        let mut bot = bot(|config| config.jira_as = JiraAs::Bot).await;
        open_create(&bot, "Authentication flow for users").await;
        assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
        let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
        bot.jira.set_security_level(&key("SCRUM-123"), "Board");
        if is_deleted {
            bot.jira.delete_issue(&key("SCRUM-123"));
        }
        bot.config.access = toml::from_str(policy).unwrap();
        bot.restart().await;
        bot.press_again(&[&press]).await;
        let shown = bot.slack.modal("ada").unwrap().text();
        assert!(shown.contains("SCRUM-123 can't be shown in this channel"), "{policy}: {shown}");
        assert_eq!(bot.asked_for("/remotelink"), 0, "{policy}");
        assert_eq!(told(&bot), [""; 0], "{policy}");
    }
}

#[tokio::test]
async fn what_is_just_created_may_have_a_security_level() {
    let bot = bot_without_levels().await;
    bot.jira.set_search_lag(maro_simulation::jira::controls::SearchLag::UntilTold);
    open_create(&bot, "Zeppelin logbook").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let created = bot.jira.created_issues().remove(0).key;
    bot.jira.set_security_level(&created, "Board");
    open_create(&bot, "Zeppelin logbook again").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.jira.created_issues().len(), 2);
    // One that everybody sees is still offered, although Jira's search doesn't know it yet.
    open_create(&bot, "Zeppelin logbook again").await;
    bot.slack.submit("ada").await.unwrap();
    let similar =
        bot.slack.wait_for_modal("ada", |modal| modal.submit_label() == Some("Create anyway")).await.unwrap();
    let second = bot.jira.created_issues().remove(1).key;
    assert!(
        similar.text().contains(second.as_str()) && !similar.text().contains(created.as_str()),
        "{}",
        similar.text()
    );
}

#[tokio::test]
async fn where_an_issue_has_moved_to_is_said_only_of_what_the_person_sees() {
    let bot = bot(|_| {}).await;
    bot.say_as("grace", "general", "/maro track SCRUM-123 SCRUM-124").await;
    for issue in ["SCRUM-123", "SCRUM-124"] {
        bot.jira.move_to_project(&key(issue), "OPS").unwrap();
    }
    bot.jira.hide_from("Ada Lovelace", "OPS-1");
    let hidden = bot.say("/maro where SCRUM-123").await;
    assert!(hidden.contains("#general") && !hidden.contains("OPS"), "{hidden}");
    assert!(bot.say("/maro where SCRUM-124").await.contains("OPS-2"));
    // Of one that nobody tracks under its key, as of none.
    execute(&bot.config.database, "DELETE FROM channel_tracked_issues").await;
    let unknown = bot.say("/maro where SCRUM-99999").await;
    assert_eq!(bot.say("/maro where SCRUM-123").await, unknown.replace("SCRUM-99999", "SCRUM-123"));
}

/// What ada reads of her lists, with one hidden issue of them in this status.
async fn read_lists(is_done: bool, is_person: bool) -> String {
    let bot = if is_person { bot(|_| {}).await } else { bot_without_levels().await };
    let keys: Vec<String> = (101..=123).map(|number| format!("SCRUM-{number}")).collect();
    bot.say_as("grace", "general", &format!("/maro track {}", keys.join(" "))).await;
    let category = if is_done { "done" } else { "new" };
    execute(&bot.config.database, &format!("UPDATE channel_tracked_issues SET last_jira_category = '{category}', last_jira_status = 'X', has_security_level = 1 WHERE issue_key = 'SCRUM-123'")).await;
    bot.jira.hide_from("Ada Lovelace", "SCRUM-123");
    let mut read = Vec::new();
    for command in ["tracked", "tracked 2", "tracked open", "tracked done", "tracked open 2", "tracked mine"]
    {
        read.push(bot.say(&format!("/maro {command}")).await);
    }
    bot.slack.open_home("ada").await.unwrap();
    until("the tab", async || bot.slack.home("ada").is_some()).await;
    let (view, names) = (bot.slack.home("ada").unwrap(), bot.slack.workspace().names());
    let blocks = view["blocks"].as_array().unwrap();
    read.extend(blocks.iter().flat_map(|block| terminal::block_lines(block, &names)));
    read.join("\n")
}

#[tokio::test]
async fn no_count_and_no_gap_tells_whether_a_hidden_issue_is_done() {
    for is_person in [true, false] {
        let (open, done) = (read_lists(false, is_person).await, read_lists(true, is_person).await);
        assert_eq!(open, done);
        assert!(open.contains("\n23 issues, "), "{open}");
    }
}

#[tokio::test]
async fn the_home_tab_asks_jira_little_and_shows_the_newest() {
    let bot = bot(|_| {}).await;
    let rows = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 250)
        INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by, last_jira_status, last_jira_summary)
        SELECT 'C0GENERAL01', 'SCRUM-' || (1000 + n), '2026-01-31T09:00:00.' || printf('%06d', n) || 'Z', 'U0ADA000001', 'Open', 'Row ' || n FROM numbers";
    execute(&bot.config.database, rows).await;
    bot.jira.take_requests();
    bot.slack.open_home("ada").await.unwrap();
    until("the tab", async || bot.slack.home("ada").is_some()).await;
    let text = bot.slack.home("ada").unwrap().to_string();
    assert!(text.contains("Row 250") && text.contains("Row 241") && !text.contains("Row 240"), "{text}");
    let asked = bot.jira.requests().into_iter().filter(|request| request.path.contains("viewissue")).count();
    assert!((1..=100).contains(&asked), "{asked}");
}
