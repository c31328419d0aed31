//! The access policy: what may be shown, tracked, listed, suggested, created and linked in which channel.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use maro_bot::config::Config;
use maro_simulation::slack::{Sharing, people::act_error::SubmitOutcome, web_api::faults::SlackFault};

use crate::{
    bot::{
        TestBot, key,
        server::http::{signed, status},
        tickets::{create::open_create, stories::open_stories},
        until,
    },
    built_components::PluginsFolder,
    raw::{execute, query},
};

fn with_policy(policy: &str) -> impl FnOnce(&mut Config) {
    let policy = toml::from_str(policy).unwrap();
    move |config| config.access = policy
}

async fn bot(policy: &str) -> TestBot {
    TestBot::with_settings(PluginsFolder::shipped(), with_policy(policy)).await
}

#[tokio::test]
async fn an_issue_out_of_policy_is_its_key_alone_and_hides_no_other() {
    let policy = "projects = [\"SCRUM\"]\n[channel.C0RANDOM001]\nprojects = []";
    let mut bot = bot("").await;
    assert_eq!(bot.jira.create_issue("OPS", "A secret"), Some(key("OPS-1")));
    bot.say("/maro track OPS-1 SCRUM-123").await;
    bot.say_as("ada", "random", "/maro track SCRUM-124").await;
    bot.config.access = toml::from_str(policy).unwrap();
    bot.restart().await;
    let asked = bot.jira.requests().len();
    assert_snapshot!(bot.say("/maro track OPS-2 SCRUM-124 OPS-999").await, @r"
    OPS-2 can't be shown in this channel, because MARO is limited to other projects. Your MARO admin can change that.
    Now tracking SCRUM-124: Database migration (In Progress)
    OPS-999 can't be shown in this channel, because MARO is limited to other projects. Your MARO admin can change that.
    ");
    for asked in ["OPS-1", "OPS-999", "where OPS-1", "where OPS-999"] {
        let (shown, key) = (bot.say(&format!("/maro {asked}")).await, asked.trim_start_matches("where "));
        let withheld =
            format!("{key} can't be shown in this channel, because MARO is limited to other projects.");
        assert!(shown.starts_with(&withheld), "{asked}: {shown}");
    }
    for key in ["OPS-2", "OPS-999"] {
        let unheard = bot.say(&format!("/maro notify {key} off")).await;
        assert_eq!(unheard, format!("{key} is not tracked in this channel"));
    }
    let bodies: String = bot.jira.requests()[asked..].iter().map(|request| format!("{request:?}")).collect();
    assert!(!bodies.contains("OPS-"), "Jira was asked: {bodies}");
    assert_snapshot!(bot.say("/maro tracked").await, @r"
    Tracked Jira issues in #general:
    • OPS-1
    • SCRUM-123: User authentication flow (Open)
    • SCRUM-124: Database migration (In Progress)
    ");
    assert_snapshot!(bot.say_as("ada", "random", "/maro tracked").await, @r"
    Tracked Jira issues in #random:
    • SCRUM-124
    ");
    assert_snapshot!(bot.say_as("ada", "random", "/maro tracked open").await, @r"
    No open Jira issues are tracked in #random.
    1 tracked issue can't be shown here. To see all keys, type /maro tracked
    ");
    assert_snapshot!(bot.say_as("ada", "random", "/maro tracked find migration").await, @r"
    No issues tracked in #random match migration.
    1 tracked issue can't be shown here. To see all keys, type /maro tracked
    ");
    assert_snapshot!(bot.say_as("ada", "random", "/maro track SCRUM-123").await, @"SCRUM-123 can't be shown in this channel, because it's limited to no project. Your MARO admin can change that.");
    assert_eq!(bot.say("/maro untrack OPS-1").await, "Stopped tracking OPS-1");
}

#[tokio::test]
async fn what_is_out_of_policy_is_neither_offered_nor_created() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
        with_policy("projects = [\"OPS\", \"ACCAN\"]")(config);
    })
    .await;
    let modal = open_create(&bot, "Zeppelin logbook").await;
    assert_eq!(modal.value("project"), None, "the default project is out of policy");
    let offered = async |typed: &str| -> Vec<String> {
        let choices = bot.slack.suggestions("ada", "project", typed).await.unwrap();
        choices.into_iter().map(|choice| choice.value).collect()
    };
    assert_eq!(offered("").await, ["ACCAN", "OPS"]);
    assert_eq!(offered("op").await, ["OPS"]);
    assert_eq!(offered("scrum").await, [""; 0]);
    // A forged choice is refused beside its input, and the text stays.
    bot.choose_project("ACCAN").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    let mut submission = bot.slack.submission("ada").unwrap();
    let values = submission["view"]["state"]["values"].as_object_mut().unwrap();
    for block in values.values_mut() {
        if let Some(project) = block.get_mut("project") {
            project["selected_option"]["value"] = "SCRUM".into();
        }
    }
    let refused = bot.send_again(&submission).await;
    assert!(refused.contains("Issues can't be created in SCRUM from this channel"), "{refused}");
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.jira.created_issues().len(), 1);
    let shown = bot.say("/maro stories SCRUM-101").await;
    assert!(shown.starts_with("SCRUM-101 can't be shown in this channel"), "{shown}");
}

#[tokio::test]
async fn where_nothing_may_be_created_or_found_the_rule_is_said() {
    for (default_project, summary) in
        [(None, ""), (None, "Zeppelin logbook"), (Some("SCRUM"), "Zeppelin logbook")]
    {
        let grants = r#"grants = ["jira", "jira-edit", "tracker", "tracker-edit"]"#;
        let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", grants);
        let bot = TestBot::with_settings(plugins, |config| {
            config.jira.default_project = default_project.map(str::to_owned);
        })
        .await;
        bot.slack.share("C0GENERAL01", Some(Sharing::External));
        bot.slack.send_command("general", "ada", &format!("/maro create {summary}")).await.unwrap();
        let rule =
            "Issues can't be created from this channel, because it's shared with another organization.";
        let form = || bot.slack.modal("ada").filter(|form| form.text().contains(rule));
        until("it's said", async || form().is_some()).await;
        assert_eq!(form().unwrap().value("summary").unwrap_or_default(), summary);
        let found = bot.say("/maro jira-calls search key = SCRUM-123").await;
        let rule = "Jira can't be searched from this channel, because it's shared with another organization.";
        assert!(found.contains(rule), "{found}");
    }
}

#[tokio::test]
async fn a_plugin_creates_nothing_out_of_policy() {
    let grants = r#"grants = ["jira", "jira-edit", "tracker", "tracker-edit"]"#;
    let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", grants);
    let bot = TestBot::with_settings(plugins, with_policy("projects = [\"SCRUM\"]")).await;
    let said = bot.say("/maro jira-calls create OPS/- Zeppelin hangar").await;
    assert!(said.contains("Issues can't be created in OPS from this channel"), "{said}");
    assert_eq!(bot.jira.created_issues(), []);
    let refused = "SELECT action || ' ' || subject FROM audit_log WHERE outcome = 'refused'";
    assert_eq!(query(&bot.config.database, refused).await, ["create OPS"]);
}

#[tokio::test]
async fn a_channel_that_is_shared_with_another_organization_shows_nothing_unless_allowed() {
    for (policy, sharing, is_shown) in [
        ("", Some(Sharing::External), false),
        ("", Some(Sharing::Pending), false),
        ("", Some(Sharing::Organization), true),
        ("", None, true),
        ("shared-channels = [\"SCRUM\"]", Some(Sharing::External), true),
        ("shared-channels = [\"OPS\"]", Some(Sharing::External), false),
    ] {
        let bot = bot(policy).await;
        bot.slack.share("C0GENERAL01", sharing);
        let shown = bot.say("/maro track SCRUM-123").await;
        assert_eq!(shown.starts_with("Now tracking SCRUM-123"), is_shown, "{policy} {sharing:?}: {shown}");
        assert_eq!(
            shown.starts_with("SCRUM-123 can't be shown in this channel, because it's shared with"),
            !is_shown
        );
    }
}

/// Slack tells one replica, and the other remembers who could be in the channel.
#[tokio::test]
async fn that_a_channel_is_shared_now_is_soon_known_to_every_replica() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    let replica = bot.start_replica().await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    for (number, (kind, sharing, is_shown)) in
        [("channel_shared", Some(Sharing::External), false), ("channel_unshared", None, true)]
            .into_iter()
            .enumerate()
    {
        bot.slack.share("C0GENERAL01", sharing);
        let event = serde_json::json!({ "type": "event_callback", "event_id": format!("Ev{number}"),
            "event": { "type": kind, "channel": "C0GENERAL01", "event_ts": "1795479001.000100" } });
        assert_eq!(status(signed(&bot, "slack/events", event.to_string().as_bytes(), 0)).await, 200);
        let began = Instant::now();
        until("the other replica knows", async || {
            let shown = bot.say("/maro track SCRUM-124").await;
            is_shown != shown.contains("can't be shown in this channel, because it's shared with")
        })
        .await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    replica.stop().await;
}

#[tokio::test]
async fn without_the_scopes_no_channel_is_judged_and_with_them_silence_counts_as_shared() {
    let mut bot = bot("").await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    bot.slack.grant_scopes(&["chat:write", "commands"]);
    bot.restart().await;
    until("Slack has said what the app may do", async || {
        query(&bot.config.database, "SELECT scopes FROM slack_workspace").await == ["chat:write commands"]
    })
    .await;
    bot.restart().await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    assert!(bot.slack.calls_of("conversations.info").is_empty());

    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    bot.slack.set_fault("conversations.info", SlackFault::Status(503));
    assert_snapshot!(bot.say("/maro track SCRUM-124").await, @"SCRUM-124 can't be shown in this channel, because MARO can't find out whether it's shared with another organization. Invite MARO to the channel, or try again in a minute.");
    // A direct message has nobody else in it.
    assert!(bot.say_as("ada", "dm", "/maro track SCRUM-124").await.starts_with("Now tracking"));
}

#[tokio::test]
async fn before_slack_has_said_what_the_app_may_do_a_channel_is_judged_by_what_slack_says_of_it() {
    for (refusal, is_shown) in [(None, false), (Some("missing_scope"), true)] {
        let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |_, slack| {
            slack.grant_scopes(&["chat:write", "commands", "channels:read"]);
            slack.set_fault("auth.test", SlackFault::Status(503));
            if let Some(refusal) = refusal {
                slack.set_fault("conversations.info", SlackFault::Error(refusal.to_owned()));
            }
            slack.share("C0GENERAL01", Some(Sharing::External));
        })
        .await;
        let shown = bot.say("/maro track SCRUM-123").await;
        assert_eq!(shown.starts_with("Now tracking SCRUM-123"), is_shown, "{refusal:?}: {shown}");
    }
}

#[tokio::test]
async fn what_slack_said_of_a_channel_before_it_was_shared_is_not_believed() {
    let bot = bot("").await;
    let shared = async |number: usize| {
        let event = serde_json::json!({ "type": "event_callback", "event_id": format!("Ev{number}"),
            "event": { "type": "channel_shared", "channel": "C0GENERAL01", "event_ts": format!("17954790{number:02}.000100") } });
        assert_eq!(status(signed(&bot, "slack/events", event.to_string().as_bytes(), 0)).await, 200);
    };
    bot.slack.set_fault("conversations.info", SlackFault::Slow(Duration::from_secs(2)));
    let numbers = std::sync::atomic::AtomicUsize::new(10);
    let next = || numbers.fetch_add(2, std::sync::atomic::Ordering::Relaxed);
    // The event may come too late where the machine is busy.
    until("it counts as shared", async || {
        let number = next();
        shared(number).await;
        let asked = bot.slack.calls_of("conversations.info").len();
        let meanwhile = async {
            until("Slack is asked", async || bot.slack.calls_of("conversations.info").len() > asked).await;
            shared(number + 1).await;
        };
        let (shown, ()) = tokio::join!(bot.say("/maro track SCRUM-123"), meanwhile);
        shown.starts_with(
            "SCRUM-123 can't be shown in this channel, because MARO can't find out whether it's shared",
        )
    })
    .await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(shown.contains("can't be shown in this channel, because it's shared with"), "{shown}");
}

#[tokio::test]
async fn an_issue_that_moves_out_of_policy_keeps_its_key_alone() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = std::time::Duration::from_secs(1);
        with_policy("projects = [\"SCRUM\"]")(config);
    })
    .await;
    bot.say("/maro track SCRUM-123").await;
    let moved = bot.jira.move_to_project(&key("SCRUM-123"), "OPS").unwrap();
    let row = "SELECT issue_key || ':' || coalesce(last_jira_summary, '') FROM channel_tracked_issues";
    let expected = format!("{moved}:");
    until("the row follows", async || query(&bot.config.database, row).await == [expected.clone()]).await;
    let shown = bot.say("/maro tracked").await;
    assert_eq!(shown.lines().last(), Some(&*format!("• {moved}")), "{shown}");
    let again = bot.say("/maro track SCRUM-123").await;
    assert!(again.starts_with("SCRUM-123 can't be shown in this channel"), "{again}");
    let places = bot.say("/maro where SCRUM-123").await;
    assert!(places.starts_with("SCRUM-123 can't be shown in this channel"), "{places}");
    // It's on the list by a key that nobody here was told.
    assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123");
    assert_eq!(query(&bot.config.database, row).await, [""; 0]);
    let noted = "SELECT subject FROM audit_log WHERE action = 'untrack'";
    assert_eq!(query(&bot.config.database, noted).await, [moved.to_string()]);
}

#[tokio::test]
async fn a_similar_issue_out_of_policy_is_not_suggested_and_not_linked() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
        with_policy("security-levels = \"deny\"")(config);
    })
    .await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board only");
    open_create(&bot, "User authentication flow").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed, "it was suggested");
    let shown = bot.say("/maro track SCRUM-123 SCRUM-124").await;
    assert_snapshot!(shown, @r"
    SCRUM-123 can't be shown in this channel, because it has a security level in Jira. Your MARO admin can change that.
    Now tracking SCRUM-124: Database migration (In Progress)
    ");
}

#[tokio::test]
async fn what_was_read_before_is_not_shown_while_jira_is_away_where_it_may_not_be() {
    let mut bot = bot("").await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board only");
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.config.access = toml::from_str("security-levels = \"private\"").unwrap();
    bot.restart().await;
    bot.jira.set_fault(maro_simulation::jira::faults::JiraFault::Status(503, None));
    let shown = bot.say("/maro SCRUM-123 SCRUM-124").await;
    assert!(!shown.contains("User authentication flow"), "{shown}");
    assert!(
        shown.contains("SCRUM-123 can't be shown in this channel, because it has a security level"),
        "{shown}"
    );
    assert!(shown.contains("SCRUM-124: Database migration"), "{shown}");
}

#[tokio::test]
async fn an_epic_out_of_policy_gets_no_stories() {
    let bot = bot("security-levels = \"private\"").await;
    bot.jira.set_security_level(&key("SCRUM-101"), "Board only");
    let modal = open_stories(&bot, "SCRUM-101").await;
    assert!(modal.text().contains("SCRUM-101 can't be shown in this channel"), "{}", modal.text());
    let shown = bot.say_as("ada", "launch", "/maro track SCRUM-101").await;
    assert!(shown.starts_with("Now tracking SCRUM-101"), "{shown}");
}

#[tokio::test]
async fn a_direct_message_is_no_private_channel() {
    let bot = bot("security-levels = \"private\"").await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board only");
    let shown = bot.say_as("ada", "dm", "/maro SCRUM-123").await;
    assert_eq!(
        shown,
        "SCRUM-123 can't be shown in this channel, because it has a security level in Jira and this isn't a private \
         channel. Your MARO admin can change that."
    );
}

#[tokio::test]
async fn a_list_keeps_security_levels_from_public_channels_alone() {
    let mut bot = bot("").await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board only");
    for channel in ["general", "launch"] {
        bot.say_as("ada", channel, "/maro track SCRUM-123 SCRUM-124").await;
    }
    bot.config.access = toml::from_str("security-levels = \"private\"").unwrap();
    bot.restart().await;
    assert_snapshot!(bot.say("/maro tracked").await, @r"
    Tracked Jira issues in #general:
    • SCRUM-123
    • SCRUM-124: Database migration (In Progress)
    ");
    assert_snapshot!(bot.say_as("ada", "launch", "/maro tracked").await, @r"
    Tracked Jira issues in #launch:
    • SCRUM-123: User authentication flow (Open)
    • SCRUM-124: Database migration (In Progress)
    ");
}
