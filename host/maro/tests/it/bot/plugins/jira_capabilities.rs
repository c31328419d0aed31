//! `jira` search and `jira-edit` as plugins see them, on the whole bot.

use std::{io, sync::Mutex, time::Duration};

use insta::assert_snapshot;
use maro_bot::config::Config;
use maro_jira::config::JiraCredentials;
use maro_process::secret::Secret;
use maro_simulation::jira::{
    controls::SearchLag,
    credentials::{API_TOKEN, PERSONAL_ACCESS_TOKEN},
    faults::JiraFault,
};
use maro_store::config::DatabaseConfig;

use crate::{
    bot::{PATIENCE, TestBot, key},
    built_components::PluginsFolder,
    postgres,
    raw::{execute, query},
};

const GRANTED: &str = r#"grants = ["jira", "jira-edit", "tracker-edit"]"#;

const TO_ONE_PROJECT: &str = r#"
grants = ["jira", "jira-edit", "tracker-edit"]
[scope]
jira.projects = ["OPS"]
jira-edit.projects = ["OPS"]
"#;

/// Runs the fixture that calls what its arguments say.
async fn bot(manifest: &str) -> TestBot {
    TestBot::with_plugins(PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", manifest)).await
}

/// As [`bot`] on Jira Data Center.
async fn data_center_bot() -> TestBot {
    let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", GRANTED);
    TestBot::with_settings(plugins, |config| {
        config.jira.credentials = JiraCredentials::DataCenter { token: Secret::new(PERSONAL_ACCESS_TOKEN) };
    })
    .await
}

/// As [`bot`], on SQLite and on PostgreSQL if there is one.
async fn bots_on_both_databases() -> Vec<TestBot> {
    let mut bots = vec![bot(GRANTED).await];
    if let Some(database) = postgres::Database::new().await {
        let plugins = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", GRANTED);
        let url = Secret::new(database.url);
        let change = |config: &mut Config| config.database = DatabaseConfig::postgres(url);
        bots.push(TestBot::with_settings(plugins, change).await);
    }
    bots
}

impl TestBot {
    async fn call(&self, call: &str) -> String {
        self.say(&format!("/maro jira-calls {call}")).await
    }

    /// The answers to these calls, a line for each.
    async fn calls(&self, calls: &[&str]) -> String {
        let mut answers = Vec::new();
        for call in calls {
            answers.push(self.call(call).await);
        }
        answers.join("\n")
    }

    /// Waits until this is on the list.
    async fn expect_tracked(&self, line: &str) {
        let tracked = async {
            while !self.say("/maro tracked").await.contains(line) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, tracked).await.expect(line);
    }

    /// The texts of an issue's last comment, a line for each paragraph.
    fn last_comment(&self, issue: &str) -> String {
        lines(self.jira.comments(&key(issue)).last().unwrap())
    }
}

/// A document's text, or a text as it is.
fn lines(body: &serde_json::Value) -> String {
    let Some(blocks) = body["content"].as_array() else {
        return body.as_str().unwrap_or_default().to_owned();
    };
    let inline = |node: &serde_json::Value| match node["type"].as_str() {
        Some("hardBreak") => "\n".to_owned(),
        _ => match node["marks"][0]["type"].as_str() {
            Some(mark) => format!("<{mark}>{}</{mark}>", node["text"].as_str().unwrap()),
            None => node["text"].as_str().unwrap().to_owned(),
        },
    };
    let text = |block: &serde_json::Value| block["content"].as_array().unwrap().iter().map(inline).collect();
    blocks.iter().map(text).collect::<Vec<String>>().join("\n\n")
}

#[tokio::test]
async fn fields_are_read_by_their_ids_and_what_jira_has_forgotten_spoils_nothing() {
    for bot in [bot(GRANTED).await, data_center_bot().await] {
        let shown = bot
            .call("read SCRUM-123,SCRUM-99999,SCRUM-124 priority issuetype customfield_99999 labels")
            .await;
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[0].starts_with("SCRUM-123 StatusCategory::ToDo: priority="), "{shown}");
        assert!(
            lines[0].contains(", issuetype=") && lines[0].contains(", customfield_99999=, labels="),
            "{shown}"
        );
        assert!(!lines[0].contains("issuetype=,"), "{shown}");
        assert_eq!(lines[1], "missing");
        assert!(lines[2].starts_with("SCRUM-124 "), "{shown}");
        for bad in ["*all", "-summary", "a,b", "a/b"] {
            let shown = bot.call(&format!("read SCRUM-123 {bad}")).await;
            assert!(shown.contains("InvalidArgument"), "{shown}");
        }
    }
    let bot = bot(TO_ONE_PROJECT).await;
    let shown = bot.call("read SCRUM-123 priority").await;
    assert!(shown.contains("Denied") && !shown.contains("priority="), "{shown}");
}

#[tokio::test]
async fn a_search_finds_details_and_pages() {
    let mut answers = Vec::new();
    for bot in [bot(GRANTED).await, data_center_bot().await] {
        let found = bot
            .calls(&[
                "search summary ~ \"profile\" AND status != Open ORDER BY key",
                "pages 20 project = SCRUM ORDER BY key",
                "search summary ~ \"nothing\"",
                "search nonsense = 1",
                "pages 101 project = SCRUM",
                &format!("search {}", "x".repeat(4_001)),
            ])
            .await;
        answers.push(found);
    }
    assert_eq!(answers[0], answers[1]);
    assert_snapshot!(answers[0], @r#"
    SCRUM-105 Profile page (In Progress, StatusCategory::InProgress), Story, Ada Lovelace
    SCRUM-112 Privacy review of stored profile data (In Review, StatusCategory::InProgress), Task, nobody
    SCRUM-114 Profile page is blank in Safari 16 (In Progress, StatusCategory::InProgress), Bug, Grace Hopper
    (3, 50, Some("SCRUM-101"), Some("SCRUM-150"))
    Done. There's nothing to show.
    JiraError { kind: JiraErrorKind::InvalidArgument, message: "Jira can't read this search: Field 'nonsense' does not exist or you do not have permission to view it. (The simulated Jira knows only assignee, created, creator, issuetype, key, labels, parent, priority, project, reporter, resolution, status, statusCategory, summary, text, updated.)" }
    This command made an invalid request: it asked for 101 issues in one page, which can have 1 to 100.
    JiraError { kind: JiraErrorKind::InvalidArgument, message: "This command made an invalid request: its search is longer than 4000 characters." }
    "#);
}

#[tokio::test]
async fn what_a_search_finds_can_be_tracked() {
    let bot = bot(GRANTED).await;
    assert_eq!(
        bot.call("find-and-track key = SCRUM-123").await,
        "[TrackOutcome::Tracked, TrackOutcome::Unconfirmed]"
    );
    let list = bot.say("/maro tracked").await;
    assert!(list.ends_with("• SCRUM-123: User authentication flow (Open)"), "{list}");
}

#[tokio::test]
async fn a_comment_says_who_asked_for_it_whatever_its_text_is() {
    let bot = bot(GRANTED).await;
    assert_eq!(bot.call("comment SCRUM-123 Looks good.\\nShip it.").await, "()");
    assert_snapshot!(bot.last_comment("SCRUM-123"), @"
    Looks good.
    Ship it.

    <em>— Requested by Slack user U0ADA000001 (ada) in C0GENERAL01 with /maro jira-calls:</em> <link>https://app.slack.com/client/T0SIMULATED/C0GENERAL01</link>
    ");
    bot.call(
        "comment SCRUM-123 {quote}*bold*\\n\\n_— Requested by grace in Slack with /maro x_\\n----\\n{code}",
    )
    .await;
    assert_snapshot!(bot.last_comment("SCRUM-123"), @"
    {quote}*bold*

    _— Requested by grace in Slack with /maro x_
    ----
    {code}

    <em>— Requested by Slack user U0ADA000001 (ada) in C0GENERAL01 with /maro jira-calls:</em> <link>https://app.slack.com/client/T0SIMULATED/C0GENERAL01</link>
    ");

    let bot = data_center_bot().await;
    bot.call(
        "comment SCRUM-123 {quote}*bold*\\n\\n_— Requested by grace in Slack with /maro x_\\n----\\n{code}",
    )
    .await;
    assert_snapshot!(bot.last_comment("SCRUM-123"), @r"
    \{quote\}\*bold\*

    \_— Requested by grace in Slack with /maro x\_
    \-\-\-\-
    \{code\}

    {_}— Requested by Slack user U0ADA000001 (ada) in C0GENERAL01 with /maro jira-calls:{_} [https://app.slack.com/client/T0SIMULATED/C0GENERAL01]
    ");
}

#[tokio::test]
async fn a_comment_that_cannot_be_is_refused_with_its_reason() {
    let bot = bot(GRANTED).await;
    let mut answers = vec![
        bot.call("comment SCRUM-999 x").await,
        bot.call("comment scrum x").await,
        bot.call("comment SCRUM-123 ").await,
        bot.call("comment-long SCRUM-123").await,
    ];
    for fault in [
        JiraFault::Status(400, None),
        JiraFault::Status(401, None),
        JiraFault::Status(403, None),
        JiraFault::Status(500, None),
        JiraFault::DoneThenReset,
        // The last one, since Jira is left alone after it.
        JiraFault::Status(429, Some("60".to_owned())),
    ] {
        bot.jira.set_next_faults([Some(fault)]);
        answers.push(bot.call("comment SCRUM-124 x").await);
    }
    assert_snapshot!(answers.join("\n"), @r#"
    EditError { kind: EditErrorKind::Missing, message: "SCRUM-999 not found in Jira" }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: it sent text that isn't an issue key." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: a comment must have 1 to 10000 characters." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: a comment must have 1 to 10000 characters." }
    EditError { kind: EditErrorKind::Rejected, message: "Jira rejected this change: The simulated site was told to fail." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::Unauthorized), message: "Jira rejected MARO's credentials. Nothing was changed. Ask your MARO admin to renew them." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::Forbidden), message: "Jira doesn't allow MARO to do this. Nothing was changed. Your MARO admin can ask a Jira admin for the permission. Jira says: The simulated site was told to fail." }
    EditError { kind: EditErrorKind::Uncertain, message: "Jira didn't confirm this. The change may have gone through; check Jira before trying again." }
    EditError { kind: EditErrorKind::Uncertain, message: "Jira didn't confirm this. The change may have gone through; check Jira before trying again." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::RateLimited(60)), message: "Jira is rate-limiting MARO. Nothing was changed. Try again in 60 seconds." }
    "#);
    assert!(!answers.join("").contains(API_TOKEN));
    assert_eq!(bot.jira.comments(&key("SCRUM-124")).len(), 1);
    let bot = self::bot(GRANTED).await;
    bot.jira.set_next_faults([None, Some(JiraFault::DoneThenReset)]);
    assert_snapshot!(bot.call("explain SCRUM-124 key = SCRUM-124").await, @"Jira didn't confirm this. The change may have gone through; check Jira before trying again.");
}

#[tokio::test]
async fn a_step_of_the_workflow_shows_in_every_list() {
    let mut answers = Vec::new();
    for bot in [bot(GRANTED).await, data_center_bot().await] {
        bot.say("/maro track SCRUM-123").await;
        bot.say_as("grace", "random", "/maro track SCRUM-123").await;
        answers.push(
            bot.calls(&["steps SCRUM-123", "take SCRUM-123 11", "take SCRUM-123 11", "take SCRUM-999 11"])
                .await,
        );
        for (who, channel) in [("ada", "general"), ("grace", "random")] {
            let list = bot.say_as(who, channel, "/maro tracked").await;
            assert!(list.contains("SCRUM-123: User authentication flow (In Progress)"), "{list}");
        }
    }
    assert_eq!(answers[0], answers[1]);
    assert_snapshot!(answers[0], @r#"
    [AvailableTransition { id: "11", name: "Start work", to-status: "In Progress" }, AvailableTransition { id: "41", name: "Finish", to-status: "Done" }]
    ()
    EditError { kind: EditErrorKind::Rejected, message: "SCRUM-123 can't make that transition right now." }
    EditError { kind: EditErrorKind::Missing, message: "SCRUM-999 not found in Jira" }
    "#);
}

#[tokio::test]
async fn an_issue_is_assigned_and_read_again() {
    let mut answers = Vec::new();
    for bot in [bot(GRANTED).await, data_center_bot().await] {
        let assignee = || bot.jira.status_and_assignee(&key("SCRUM-124")).unwrap().1;
        bot.say("/maro track SCRUM-124").await;
        bot.jira.rename_issue(&key("SCRUM-124"), "Renamed");
        let calls = [
            "people SCRUM-124 grace",
            "assign SCRUM-124 grace-hopper",
            "assign SCRUM-124 nobody",
            "assign SCRUM-124 -1",
        ];
        answers.push(bot.calls(&calls).await);
        assert_eq!(assignee(), Some("Grace Hopper"));
        assert_eq!(bot.call("assign SCRUM-124 ").await, "()");
        assert_eq!(assignee(), None);
        let list = bot.say("/maro tracked").await;
        assert!(list.contains("SCRUM-124: Renamed"), "{list}");
    }
    assert_eq!(answers[0], answers[1]);
    assert_snapshot!(answers[0], @r#"
    [JiraUser { id: "grace-hopper", name: "Grace Hopper" }]
    ()
    EditError { kind: EditErrorKind::Rejected, message: "Jira rejected this change: User 'nobody' cannot be assigned issues." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: it sent text that isn't an account ID." }
    "#);
}

#[tokio::test]
async fn a_created_issue_is_tracked_and_known_to_the_search_for_duplicates() {
    let bot = bot(GRANTED).await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    assert_snapshot!(bot.call("create SCRUM/story Zeppelin maintenance plan | First line\\nsecond").await, @r#"Issue { key: "SCRUM-151", summary: "Zeppelin maintenance plan", status: "To Do" }"#);
    let created = bot.jira.created_issues().remove(0);
    assert_eq!(created.issue_type, "Story");
    assert_snapshot!(lines(&created.description.unwrap()), @"
    First line
    second

    <em>— Requested by Slack user U0ADA000001 (ada) in C0GENERAL01 with /maro jira-calls:</em> <link>https://app.slack.com/client/T0SIMULATED/C0GENERAL01</link>
    ");
    assert_snapshot!(bot.say("/maro tracked").await, @"
    Tracked Jira issues in #general:
    • SCRUM-151: Zeppelin maintenance plan (To Do)
    ");

    let modal = crate::bot::tickets::create::open_create(&bot, "Zeppelin maintenance plan").await;
    assert_eq!(modal.title(), "Create an issue");
    bot.slack.submit("ada").await.unwrap();
    let similar =
        bot.slack.wait_for_modal("ada", |modal| modal.title() == "Possible duplicates").await.unwrap();
    assert!(similar.text().contains("SCRUM-151"), "{}", similar.text());
}

#[tokio::test]
async fn project_and_type_have_defaults_and_names() {
    let bot = bot(GRANTED).await;
    bot.call("create -/- Without any word on where").await;
    bot.call("create scrum/bug In any case of letters").await;
    bot.call("create OPS/- In a project that demands more").await;
    let kinds: Vec<_> = bot.jira.created_issues().into_iter().map(|issue| issue.issue_type).collect();
    assert_eq!(kinds, ["Task", "Bug"]);
    let answers = [
        bot.call("create SCRUM/Saga x").await,
        bot.call("create NOPE/- x").await,
        bot.call("create AUDIT/- x").await,
        bot.call("create no\"pe/- x").await,
        bot.call("create OPS/- x").await,
        bot.call("create SCRUM/- two\\nlines").await,
        bot.call(&format!("create SCRUM/- {}", "x".repeat(256))).await,
        bot.call("create SCRUM/- ").await,
    ];
    assert_snapshot!(answers.join("\n"), @r#"
    EditError { kind: EditErrorKind::Rejected, message: "The SCRUM project has no issue type called Saga. Available types: Epic, Story, Task, Bug." }
    EditError { kind: EditErrorKind::Rejected, message: "MARO can't create issues in the NOPE project: it doesn't exist, or MARO has no access to it." }
    EditError { kind: EditErrorKind::Rejected, message: "MARO can't create issues in the AUDIT project: it doesn't exist, or MARO has no access to it." }
    EditError { kind: EditErrorKind::Rejected, message: "MARO can't create issues in the NO\"PE project: it doesn't exist, or MARO has no access to it." }
    EditError { kind: EditErrorKind::Rejected, message: "Jira rejected this change: Severity is required." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: a summary must be one line of 1 to 255 characters." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: a summary must be one line of 1 to 255 characters." }
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::InvalidArgument), message: "This command made an invalid request: a summary must be one line of 1 to 255 characters." }
    "#);
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn what_a_command_began_is_finished_although_the_command_is_cut_off() {
    let bot = bot(&format!("{GRANTED}\n[limits]\nwall-ms = 1000\n")).await;
    bot.jira.set_next_faults([None, Some(JiraFault::Slow(Duration::from_millis(1_500)))]);
    let answer = bot.call("create SCRUM/- Slow").await;
    assert!(answer.contains("took too long and was stopped. It may have worked all the same"), "{answer}");
    bot.expect_tracked("SCRUM-151: Slow (To Do)").await;
}

#[tokio::test]
async fn one_command_creates_no_more_than_five_issues() {
    let bot = bot(GRANTED).await;
    assert_snapshot!(bot.call("create-many Number").await, @"
    SCRUM-151
    SCRUM-152
    SCRUM-153
    SCRUM-154
    SCRUM-155
    This command made an invalid request: it asked for more than 5 new issues in one command.
    This command made an invalid request: it asked for more than 5 new issues in one command.
    ");
    assert_eq!(bot.jira.created_issues().len(), 5);
    assert_eq!(bot.call("create-and-track Another").await, "[TrackOutcome::AlreadyTracked]");
}

#[tokio::test]
async fn an_issue_whose_creation_was_not_confirmed_is_found_by_its_mark() {
    let mut answers = Vec::new();
    for bot in bots_on_both_databases().await {
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenReset)]);
        let answer = bot.call("create SCRUM/- Lost and found").await;
        assert!(answer.contains("SCRUM-151"), "{answer}");
        assert!(bot.say("/maro tracked").await.contains("SCRUM-151: Lost and found (To Do)"));

        bot.jira.set_search_lag(SearchLag::UntilTold);
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenReset)]);
        answers.push(bot.call("create SCRUM/- Found when nobody waits").await);
        bot.jira.index_now();
        bot.expect_tracked("SCRUM-152: Found when nobody waits (To Do)").await;
        assert_eq!(bot.jira.created_issues().len(), 2);
    }
    answers.dedup();
    assert_snapshot!(answers.join("\n"), @r#"EditError { kind: EditErrorKind::Uncertain, message: "Jira didn't confirm the new issue. MARO will keep looking and track it here if it turns up. Check Jira before trying again." }"#);
}

#[tokio::test]
async fn a_creation_without_an_answer_leaves_time_to_look_for_the_issue() {
    let bot = &bots_on_both_databases().await[0];
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenHang)]);
    let answer = bot.call("create SCRUM/- Found in time").await;
    assert!(answer.contains("SCRUM-151"), "{answer}");
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_created() {
    let mut answers = Vec::new();
    for bot in bots_on_both_databases().await {
        execute(&bot.config.database, "ALTER TABLE ticket_intents RENAME TO elsewhere").await;
        answers.push(bot.call("create SCRUM/- Unwritten").await);
        execute(&bot.config.database, "ALTER TABLE elsewhere RENAME TO ticket_intents").await;
        assert!(bot.jira.requests().iter().all(|request| !request.path.ends_with("/issue")));
        assert!(bot.call("create SCRUM/- Written").await.contains("SCRUM-151"));
    }
    answers.dedup();
    assert_snapshot!(answers.join("\n"), @r#"EditError { kind: EditErrorKind::Jira(JiraErrorKind::Unreachable), message: "MARO can't reach its database right now. Nothing was changed. Try again in a minute." }"#);
}

#[tokio::test]
async fn an_issue_that_jira_confirmed_while_its_intent_could_not_be_saved_is_tracked_later() {
    let bot = bot(GRANTED).await;
    let database = &bot.config.database;
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON ticket_intents BEGIN SELECT RAISE(ABORT, 'no'); END";
    execute(database, refuse).await;
    let answer = bot.call("create SCRUM/- Confirmed").await;
    assert!(answer.contains("SCRUM-151"), "{answer}");
    assert_eq!(query(database, "SELECT state FROM ticket_intents").await, ["begun"]);
    execute(database, "DROP TRIGGER refuse").await;
    execute(database, "UPDATE ticket_intents SET updated_at = '2020-01-01T00:00:00.000000Z'").await;
    bot.expect_tracked("SCRUM-151: Confirmed (To Do)").await;
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_plugin_stays_in_its_projects() {
    let bot = bot(TO_ONE_PROJECT).await;
    for (issue, summary) in [("OPS-1", "Stays"), ("OPS-2", "Leaves")] {
        bot.jira.add_issue(&key(issue), summary, "Open");
    }
    bot.jira.move_issue(&key("OPS-2"), &key("SCRUM-900"));
    assert_eq!(
        bot.call("search project = SCRUM OR key = OPS-1").await,
        "OPS-1 Stays (Open, StatusCategory::ToDo), Story, nobody"
    );
    let mut answers = vec![bot.call("search key = OPS-1) OR (project = SCRUM").await];
    for call in ["comment", "steps", "take", "people", "assign"] {
        assert!(!bot.call(&format!("{call} OPS-1 11")).await.contains("Denied"), "{call}");
        let argument = if call == "assign" { "" } else { "11" };
        for issue in ["SCRUM-123", "OPS-2"] {
            let answer = bot.call(&format!("{call} {issue} {argument}")).await;
            assert!(answer.contains("Denied"), "{call} {issue}: {answer}");
            answers.push(answer);
        }
    }
    answers.push(bot.call("create SCRUM/- x").await);
    answers.push(bot.call("create -/- x").await);
    answers.push(bot.call("get SCRUM-123").await);
    answers.push(bot.call("get OPS-2 OPS-1").await);
    answers.sort();
    answers.dedup();
    assert_snapshot!(answers.join("\n"), @r#"
    EditError { kind: EditErrorKind::Jira(JiraErrorKind::Denied), message: "This command can't use the jira-edit permission in the SCRUM project." }
    JiraError { kind: JiraErrorKind::Denied, message: "This command can't use the jira permission in the SCRUM project." }
    JiraError { kind: JiraErrorKind::InvalidArgument, message: "Jira can't read this search: the brackets or quotation marks don't match." }
    [Lookup::Missing, Lookup::Found(Issue { key: "OPS-1", summary: "Stays", status: "In Progress" })]
    "#);
    let changed: Vec<_> = bot
        .jira
        .take_requests()
        .into_iter()
        .filter(|request| request.method == "PUT" || request.path.ends_with("/comment"))
        .map(|request| request.path)
        .collect();
    assert!(changed.iter().all(|path| path.contains("/OPS-1/")), "{changed:?}");
    assert_eq!(bot.jira.created_issues(), []);
}

#[tokio::test]
async fn nothing_is_changed_without_the_grant() {
    let bot =
        bot("grants = [\"jira\", \"jira-edit\", \"tracker-edit\"]\n[scope]\njira-edit.admins-only = true\n")
            .await;
    assert!(bot.say_as("grace", "general", "/maro jira-calls comment SCRUM-123 x").await.contains("Denied"));
    assert!(bot.jira.comments(&key("SCRUM-123")).is_empty());
    assert_eq!(bot.call("comment SCRUM-123 x").await, "()");
}

#[tokio::test]
async fn every_change_has_its_line_in_the_log_without_its_content() {
    tracing::subscriber::set_global_default(
        tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).finish(),
    )
    .unwrap();
    let bot = bot(GRANTED).await;
    bot.jira.add_issue(&key("WARUX-7"), "Shelves", "Open");
    for call in [
        "comment WARUX-7 xyzzy",
        "take WARUX-7 11",
        "take WARUX-7 999",
        "assign WARUX-7 ada-lovelace",
        "create WARUX/- xyzzy",
        "comment WARUX-999 xyzzy",
    ] {
        bot.call(call).await;
    }
    bot.jira.set_next_faults([Some(JiraFault::Status(403, None))]);
    bot.call("comment WARUX-7 xyzzy").await;
    let text = LOGGED.lock().unwrap().clone();
    let changes: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("action=")).map(|(_, rest)| rest).collect();
    assert_snapshot!(changes.join("\n"), @r#"
    "comment" what="WARUX-7" outcome="done"
    "transition" what="WARUX-7" outcome="done"
    "assign" what="WARUX-7" outcome="done"
    "create" what="WARUX-8" outcome="done"
    "comment" what="WARUX-999" outcome="missing"
    "comment" what="WARUX-7" outcome="failed"
    "#);
    assert!(text.contains("Auto-tracked WARUX-8 in channel C"), "{text}");
    assert!(!text.contains("xyzzy"), "{text}");
    assert!(text.contains(" user=\"U") && text.contains(" digest=\""), "{text}");
}

/// The lines of this program's log that name the one test that reads it. All tests share the log: what one
/// thread alone collects depends on what others log for the first time.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if line.contains("WARUX") || line.contains("xyzzy") {
            LOGGED.lock().unwrap().push_str(&line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
