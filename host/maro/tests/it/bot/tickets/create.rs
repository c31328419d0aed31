//! `/maro create` and its shortcuts: from the modal to Jira, the channel and the list.

use insta::assert_snapshot;
use jiff::SignedDuration;
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_simulation::{
    jira::{controls::SearchLag, faults::JiraFault},
    slack::{
        modals::modal::Modal,
        people::{act_error::SubmitOutcome, pressing::Press},
    },
};

use crate::{
    bot::{HASTE, TestBot, key},
    built_components::PluginsFolder,
};

/// The modal that ada gets for `/maro create summary`, once it can be filled.
pub(crate) async fn open_create(bot: &TestBot, summary: &str) -> Modal {
    bot.slack.send_command("general", "ada", &format!("/maro create {summary}")).await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap()
}

/// A bot that preselects the project SCRUM.
pub(crate) async fn bot() -> TestBot {
    TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await
}

/// A modal's text as a person reads it.
pub(crate) fn read(bot: &TestBot, modal: &Modal) -> String {
    maro_simulation::slack::shown::terminal::plain(&modal.text(), &bot.slack.workspace().names())
}

/// What everyone in #general was told, oldest first, without the small line below that says who did it.
pub(crate) fn told(bot: &TestBot) -> Vec<String> {
    let names = bot.slack.workspace().names();
    let posted = bot.slack.posted("general");
    posted
        .iter()
        .map(|message| maro_simulation::slack::shown::terminal::plain(&message.text, &names))
        .collect()
}

#[tokio::test]
async fn what_slack_makes_of_addresses_and_names_is_no_part_of_a_summary() {
    let bot = bot().await;
    let typed = "Mail from <mailto:bob@corp.example|bob@corp.example> via <http://ci.example|ci.example>";
    let modal = open_create(&bot, typed).await;
    assert_eq!(modal.value("summary").as_deref(), Some("Mail from bob@corp.example via ci.example"));
    bot.slack.close("ada").await.unwrap();
    // A name that can't be found out is left out.
    let modal = open_create(&bot, "Ask <@U0NOBODY000> about R&D").await;
    assert_eq!(modal.value("summary").as_deref(), Some("Ask about R&D"));
}

#[tokio::test]
async fn nothing_of_a_long_summary_is_lost() {
    let bot = bot().await;
    let long = "The gondola's forward lamp goes out over water. ".repeat(8);
    let modal = open_create(&bot, &long).await;
    let summary = modal.value("summary").unwrap();
    assert!(summary.len() <= 255 && long.starts_with(&format!("{summary} ")), "{summary}");
    assert_eq!(modal.value("description").as_deref(), Some(long.trim()));
    bot.slack.close("ada").await.unwrap();
    // The same where names have to be asked for.
    let modal = open_create(&bot, "Lamp fails\n07:00 <@U0NOBODY000> off\n07:01 on").await;
    assert_eq!(modal.value("summary").as_deref(), Some("Lamp fails"));
    let description = modal.value("description").unwrap();
    assert!(
        description.starts_with("Lamp fails\n07:00") && description.ends_with("07:01 on"),
        "{description}"
    );
    bot.slack.close("ada").await.unwrap();
    let modal = open_create(&bot, "Lamp fails").await;
    assert_eq!(modal.value("description").unwrap_or_default(), "");
}

#[tokio::test]
async fn a_ticket_is_created_told_and_tracked() {
    let bot = bot().await;
    let modal = open_create(&bot, "Quarterly zeppelin maintenance").await;
    assert_eq!(modal.title(), "Create an issue");
    assert_eq!(modal.value("summary").as_deref(), Some("Quarterly zeppelin maintenance"));
    assert!(modal.value("project").unwrap().contains("SCRUM"), "{:?}", modal.value("project"));
    assert!(modal.value("issue_type").is_some());

    bot.slack.fill("ada", &[("description", "Line one\n• a point\n`code`")]).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Quarterly zeppelin maintenance"]);
    let below = &bot.slack.posted("general")[0].blocks[1];
    assert_eq!(
        (&below["type"], &below["elements"][0]["text"]),
        (&"context".into(), &"By <@U0ADA000001>".into())
    );
    let list = bot.say("/maro tracked").await;
    assert!(list.contains("• SCRUM-151: Quarterly zeppelin maintenance"), "{list}");
}

#[tokio::test]
async fn a_summary_is_what_was_typed() {
    let bot = bot().await;
    let modal = open_create(&bot, "R&D: a < b, &lt; and <https://x.example/?a=1&amp;b=2>").await;
    let summary = modal.value("summary").unwrap();
    assert_eq!(summary, "R&D: a < b, &lt; and https://x.example/?a=1&b=2");
}

#[tokio::test]
async fn projects_and_types_are_offered_as_one_types() {
    let bot = bot().await;
    open_create(&bot, "").await;
    let projects = bot.slack.suggestions("ada", "project", "ops").await.unwrap();
    assert!(projects.iter().any(|choice| choice.value == "OPS"), "{projects:?}");
    let types = bot.slack.suggestions("ada", "issue_type", "").await.unwrap();
    assert!(types.iter().any(|choice| choice.label == "Story"), "{types:?}");
}

#[tokio::test]
async fn what_jira_refuses_is_told_at_its_input() {
    let bot = bot().await;
    bot.jira.refuse_summaries_with("Something", "Say what.");
    open_create(&bot, "Something for another project").await;
    let refused = async || match bot.slack.submit("ada").await.unwrap() {
        SubmitOutcome::Errors(errors) => errors.into_iter().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let error = |input: &str, reason: &str| vec![(input.to_owned(), reason.to_owned())];
    assert_eq!(refused().await, error("summary", "Say what."));
    bot.slack.fill("ada", &[("summary", "Runway lights")]).await.unwrap();
    bot.choose_project("OPS").await;
    // The story chosen for SCRUM does not exist in OPS.
    assert_eq!(refused().await, error("issue_type", "Specify a valid issue type"));
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    // And OPS demands a field, which the form asks for.
    bot.slack.wait_for_modal("ada", |modal| modal.field("customfield_10050").is_some()).await.unwrap();
    bot.slack.fill("ada", &[("customfield_10050", "High")]).await.unwrap();
    let refusal = r#"{"errorMessages":[],"errors":{"customfield_77":"Berth is required."}}"#;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(400, refusal.to_owned()))]);
    // What it can't ask for is told, with the way to Jira's own form.
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else { panic!("no notice") };
    assert!(modal.text().contains("Berth is required."), "{}", modal.text());
    assert!(modal.text().contains("Create the issue in Jira instead: "), "{}", modal.text());
    assert_eq!(told(&bot), [""; 0]);
    assert_eq!(bot.jira.created_issues(), []);
    bot.choose_project("SCRUM").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Runway lights"]);
    assert_eq!(bot.jira.created_issues().len(), 1);
}

/// Whatever shape Jira's refusal has, its reason is in the form, which keeps what was typed.
#[tokio::test]
async fn jiras_reason_is_shown_whatever_its_shape() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.slack.fill("ada", &[("description", "As typed")]).await.unwrap();
    for (status, body, reason) in [
        (
            400,
            r#"{"errorMessages":null,"errors":{"fixVersions":"Fix Version/s is required."}}"#,
            "Fix Version/s is required.",
        ),
        (400, r#"{"errorMessages":"Closed until Monday.","errors":{}}"#, "Closed until Monday."),
        (
            400,
            r#"{"errors":{"customfield_1":{"message":"Choose an impact.","value":null}}}"#,
            "Choose an impact.",
        ),
        (422, r#"{"errorMessages":[{"message":"Not from here."}],"errors":null}"#, "Not from here."),
        (409, r#"{"errorMessages":[],"errors":["Berth is required."]}"#, "Berth is required."),
        (
            423,
            r#"{"errorMessages":["The site is locked for maintenance."]}"#,
            "The site is locked for maintenance.",
        ),
        (405, r#"{"message":"Not by this app."}"#, "Not by this app."),
    ] {
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(status, body.to_owned()))]);
        let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else { panic!("{body}") };
        assert!(modal.text().contains(reason), "{}", modal.text());
        assert_eq!(modal.value("summary").as_deref(), Some("Zeppelin hangar"));
        assert_eq!(modal.value("description").as_deref(), Some("As typed"));
    }
    assert_eq!((told(&bot), bot.say("/maro tracked").await.contains("hangar")), (Vec::new(), false));
    // Beside an input, where Slack can show it there.
    let body = r#"{"errors":{"summary":["Too short.","Try again."]}}"#;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(400, body.to_owned()))]);
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("no error") };
    assert_eq!(errors["summary"], "Too short. Try again.");
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin hangar"]);
}

#[tokio::test]
async fn an_empty_summary_never_reaches_jira() {
    let bot = bot().await;
    open_create(&bot, "").await;
    bot.slack.fill("ada", &[("summary", "   ")]).await.unwrap();
    match bot.slack.submit("ada").await.unwrap() {
        SubmitOutcome::Errors(errors) => assert_eq!(errors["summary"], "Enter a summary."),
        SubmitOutcome::Incomplete(_) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_similar_ticket_is_linked_instead() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no duplicates")
    };
    assert_eq!(modal.callback_id(), "create_issue_anyway");
    assert_snapshot!(read(&bot, &modal), @"
    This open issue looks similar. Link it, or create a new one: Authentication flow for users
    SCRUM-123: User authentication flow
    Open · Edsger Dijkstra
    ");
    bot.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    let modal = bot
        .slack
        .wait_for_modal("ada", |modal| modal.text().contains("Linked this conversation to <"))
        .await
        .unwrap();
    assert!(!modal.is_interactive());
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert!(bot.say("/maro tracked").await.contains("• SCRUM-123: User authentication flow (Open)"));
    let links = bot.jira.remote_links(&key("SCRUM-123"));
    assert_eq!(links.len(), 1, "{links:?}");
}

#[tokio::test]
async fn a_similar_ticket_does_not_keep_anyone_from_creating() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Authentication flow for users"]);
}

#[tokio::test]
async fn what_was_created_a_moment_ago_is_a_duplicate_before_jira_finds_it() {
    let bot = bot().await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    open_create(&bot, "Retry failed webhooks").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    open_create(&bot, "Webhooks retry after failure").await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no duplicates")
    };
    assert!(modal.text().contains("SCRUM-151"), "{}", modal.text());
}

#[tokio::test]
async fn the_five_most_similar_tickets_are_shown() {
    let bot = bot().await;
    for number in 201..=206 {
        bot.jira.add_issue(&key(&format!("SCRUM-{number}")), "Retry failed webhooks", "Open");
    }
    open_create(&bot, "Webhooks retry after failure").await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no duplicates")
    };
    let offered = modal.buttons().iter().filter(|button| button.label == "Link this one").count();
    assert_eq!(offered, 5, "{}", modal.text());
    assert!(
        read(&bot, &modal).starts_with("These open issues look similar. Link one, or create a new one: ")
    );
}

#[tokio::test]
async fn what_was_created_ten_minutes_ago_is_compared_however_much_jira_finds() {
    let now: jiff::Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
    let surroundings = Surroundings { patience: HASTE, ..Clock::stopped(now).into() };
    let bot = TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, _| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    // They share a word with it, and are about something else.
    for number in 201..=260 {
        bot.jira.add_issue(
            &key(&format!("SCRUM-{number}")),
            &format!("Webhooks of customer {number}"),
            "Open",
        );
    }
    bot.jira.set_search_lag(SearchLag::UntilTold);
    open_create(&bot, "Retry failed webhooks").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    bot.clock.set(now + SignedDuration::from_mins(9));
    open_create(&bot, "Webhooks retry after failure").await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no duplicates")
    };
    let shown = read(&bot, &modal);
    assert!(shown.contains("Retry failed webhooks\njust created · unassigned"), "{shown}");
    bot.slack.close("ada").await.unwrap();
    // By then, Jira's search knows what there is.
    bot.clock.set(now + SignedDuration::from_mins(11));
    open_create(&bot, "Webhooks retry after failure").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
}

#[tokio::test]
async fn a_double_click_creates_one_ticket() {
    let bot = bot().await;
    open_create(&bot, "Mute notification sounds").await;
    bot.slack.submit_twice("ada").await.unwrap();
    let heard = bot.slack.wait_for(std::time::Duration::from_secs(20), |_| !told(&bot).is_empty()).await;
    assert!(heard.is_some());
    assert_eq!(told(&bot), ["Created SCRUM-151: Mute notification sounds"]);
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_replayed_submission_creates_nothing() {
    let bot = bot().await;
    open_create(&bot, "Walrus census spreadsheet").await;
    bot.slack.submit("ada").await.unwrap();
    let submission = bot.slack.interactions().pop().unwrap();
    assert_eq!(submission["type"], "view_submission");
    bot.slack.send_interaction(&submission).await.unwrap();
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(told(&bot).len(), 1);

    // With other words it is the same form.
    let mut changed = submission.clone();
    changed["view"]["state"]["values"]["summary"]["summary"]["value"] = "Penguin census spreadsheet".into();
    assert_ne!(changed, submission);
    let answer = bot.slack.send_interaction(&changed).await.unwrap();
    let shown = answer.json().unwrap().to_string();
    assert!(shown.contains("SCRUM-151") && shown.contains("Walrus"), "{shown}");
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(told(&bot).len(), 1);
}

#[tokio::test]
async fn a_ticket_whose_creation_nobody_heard_of_is_found_again() {
    let bot = bot().await;
    open_create(&bot, "Keyboard shortcuts for the board").await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenReset)]);
    bot.slack.submit("ada").await.unwrap();
    let heard = bot.slack.wait_for(std::time::Duration::from_secs(20), |_| !told(&bot).is_empty()).await;
    assert!(heard.is_some(), "the channel heard nothing");
    assert_eq!(told(&bot), ["Created SCRUM-151: Keyboard shortcuts for the board"]);
    assert_eq!(bot.jira.created_issues().len(), 1, "it was not created twice");
    assert!(bot.say("/maro tracked").await.contains("SCRUM-151"));
}

#[tokio::test]
async fn jira_failing_leaves_the_form_as_it_was() {
    let bot = bot().await;
    open_create(&bot, "Offline mode").await;
    bot.jira.set_fault(JiraFault::Status(403, None));
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else { panic!("no notice") };
    assert!(modal.text().contains("Jira doesn't allow MARO to do this"), "{}", modal.text());
    assert_eq!(modal.value("summary").as_deref(), Some("Offline mode"));
    bot.jira.clear_fault();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Offline mode"]);
}

#[tokio::test]
async fn what_jira_forbids_is_said_with_its_reason() {
    let bot = bot().await;
    open_create(&bot, "Offline mode").await;
    for (body, reason) in [
        (
            r#"{"errorMessages":["You can't create issues in this project."],"errors":{}}"#,
            "You can't create issues",
        ),
        (r#"{"errors":{"project":"Only leads add issues here."}}"#, "Only leads add issues here."),
        (r#"{"message":"Blocked by the rule \"freeze\"."}"#, "Blocked by the rule \"freeze\"."),
    ] {
        bot.jira.set_fault_of("/issue", Some(JiraFault::Answer(403, body.to_owned())));
        let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
            panic!("no notice")
        };
        let text = modal.text();
        assert!(text.contains("Jira doesn't allow MARO to do this. Nothing was changed."), "{text}");
        assert!(text.contains(&format!("Jira says: {reason}")), "{text}");
        assert_eq!(modal.value("summary").as_deref(), Some("Offline mode"));
    }
    bot.jira.set_fault_of("/issue", None);
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Offline mode"]);
}

#[tokio::test]
async fn a_message_becomes_a_ticket_and_hears_of_it_in_its_thread() {
    let bot = bot().await;
    let text = "The <https://x.example/export|export button> does nothing\n*every* time";
    let message = bot.slack.write("grace", "general", text).unwrap();
    bot.slack.use_message_shortcut("ada", &message, "create_from_message").await.unwrap();
    let modal = bot.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    assert_eq!(modal.value("summary").as_deref(), Some("The export button does nothing"));
    assert!(modal.value("description").unwrap().contains("http"), "{:?}", modal.value("description"));
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let posted = bot.slack.posted("general");
    assert_eq!(posted.last().unwrap().thread_ts.as_deref(), Some(message.ts.as_str()));
}

#[tokio::test]
async fn a_ticket_that_is_linked_instead_leads_to_the_message_that_it_is_about() {
    let bot = bot().await;
    let message = bot.slack.write("grace", "general", "Authentication flow for users").unwrap();
    bot.slack.use_message_shortcut("ada", &message, "create_from_message").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    bot.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    bot.slack
        .wait_for_modal("ada", |modal| modal.text().contains("Linked this conversation to <"))
        .await
        .unwrap();
    let links = bot.jira.remote_links(&key("SCRUM-123"));
    let [link] = &*links else { panic!("{links:?}") };
    assert!(link.url.ends_with(&format!("/p{}", message.ts.replace('.', ""))), "{}", link.url);
    let posted = bot.slack.posted("general");
    assert_eq!(posted.last().unwrap().thread_ts.as_deref(), Some(message.ts.as_str()));
}

#[tokio::test]
async fn the_shortcut_from_anywhere_asks_for_the_channel() {
    let bot = bot().await;
    bot.slack.use_shortcut("ada", "create_issue").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("channel").is_some()).await.unwrap();
    bot.slack.fill("ada", &[("summary", "Archive projects in bulk"), ("channel", "general")]).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Archive projects in bulk"]);
}

#[tokio::test]
async fn the_types_offered_are_those_of_the_project_that_was_chosen() {
    let bot = bot().await;
    open_create(&bot, "Hangar door sensor").await;
    assert_eq!(bot.types_offered("").await, ["Epic", "Story", "Task", "Bug"]);
    let ops = bot.choose_project("OPS").await;
    assert!(ops.value("project").unwrap().contains("OPS"), "{:?}", ops.value("project"));
    assert_eq!(ops.value("summary").as_deref(), Some("Hangar door sensor"));
    assert_eq!(bot.types_offered("").await, ["Task", "Bug", "Initiative", "Epic"]);
    assert_eq!(bot.types_offered("sto").await, [""; 0]);
}

#[tokio::test]
async fn whatever_is_created_says_who_asked_and_where() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin logbook").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    crate::bot::tickets::stories::open_stories(&bot, crate::bot::tickets::stories::EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin hangar")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    let created = bot.jira.created_issues();
    assert_eq!(created.len(), 2);
    for (issue, command) in created.into_iter().zip(["create", "stories"]) {
        let description = issue.description.unwrap().to_string();
        let line = format!("Requested by Slack user U0ADA000001 in C0GENERAL01 with /maro {command}:");
        assert!(description.contains(&line), "{description}");
        assert!(
            description.contains("https://app.slack.com/client/T0SIMULATED/C0GENERAL01"),
            "{description}"
        );
    }
}
