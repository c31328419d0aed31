//! `/maro stories EPIC-1`: a story a line.

use insta::assert_snapshot;
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{
        modals::modal::Modal,
        people::{act_error::SubmitOutcome, pressing::Press},
    },
};

use crate::{
    bot::{
        TestBot, key,
        tickets::create::{bot, open_create, read, told},
    },
    built_components::PluginsFolder,
    raw::execute,
};

/// The epic of the simulated project.
pub(crate) const EPIC: &str = "SCRUM-101";

/// The form that ada gets for `/maro stories epic`, or what she reads instead.
pub(crate) async fn open_stories(bot: &TestBot, epic: &str) -> Modal {
    bot.slack.send_command("general", "ada", &format!("/maro stories {epic}")).await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| !modal.text().contains("Loading from Jira")).await.unwrap()
}

/// Submits these lines and returns what ada reads in the end.
async fn submit(bot: &TestBot, lines: &str) -> Modal {
    bot.slack.fill("ada", &[("stories", lines)]).await.unwrap();
    match bot.slack.submit("ada").await.unwrap() {
        SubmitOutcome::Updated(modal) => modal,
        other => panic!("{other:?}"),
    }
}

async fn on_edition(is_cloud: bool) -> TestBot {
    // The site's address is known only once it runs, so the bot starts again.
    let mut bot = TestBot::with_plugins(PluginsFolder::shipped()).await;
    if !is_cloud {
        bot.config.jira = bot.jira.data_center_config();
        bot.restart().await;
    }
    bot
}

/// Jira takes 50 at a time.
#[tokio::test]
async fn where_jira_lets_nobody_create_the_rest_is_not_asked_for() {
    let bot = bot().await;
    open_stories(&bot, EPIC).await;
    let lines: Vec<_> = (1..=60).map(|number| format!("Rivet {number}")).collect();
    bot.jira.set_fault_of("/issue/bulk", Some(JiraFault::Status(403, None)));
    let report = submit(&bot, &lines.join("\n")).await;
    assert!(report.text().contains("Rivet 1") && report.text().contains("Rivet 60"), "{}", report.text());
    assert_eq!(bot.asked_for("/issue/bulk"), 1);
    assert!(bot.jira.created_issues().is_empty());
}

#[tokio::test]
async fn each_line_becomes_a_story_that_is_tracked() {
    let bot = bot().await;
    let modal = open_stories(&bot, EPIC).await;
    assert!(modal.text().contains(EPIC), "{}", modal.text());
    let report =
        submit(&bot, "Sign in with a passkey\n\n- Sign out everywhere\nsign in with a passkey").await;
    assert_snapshot!(read(&bot, &report), @"
    Created:
    • SCRUM-151: Sign in with a passkey
    • SCRUM-152: Sign out everywhere
    Entered more than once, so created once: sign in with a passkey.
    ");
    assert_snapshot!(told(&bot).join("\n"), @"
    Created 2 stories under SCRUM-101:
    • SCRUM-151: Sign in with a passkey
    • SCRUM-152: Sign out everywhere
    ");
    let list = bot.say("/maro tracked").await;
    assert!(
        list.contains("SCRUM-151: Sign in with a passkey") && list.contains("SCRUM-152: Sign out everywhere"),
        "{list}"
    );
}

#[tokio::test]
async fn words_behind_the_epic_are_its_first_stories() {
    let bot = bot().await;
    for (typed, is_filled_in) in [
        ("SCRUM-101 Sign in & out", true),
        ("SCRUM-101 Use UTF-8 as in SCRUM-123", true),
        // The epic's own title was copied along.
        ("SCRUM-101: Customer accounts (Open)", false),
    ] {
        open_stories(&bot, typed).await;
        match bot.slack.submit("ada").await.unwrap() {
            SubmitOutcome::Updated(report) if is_filled_in => {
                let (_, story) = typed.split_once(' ').unwrap();
                assert!(read(&bot, &report).contains(&format!(": {story}")), "{}", report.text());
                bot.slack.close("ada").await.unwrap();
            }
            SubmitOutcome::Updated(report) => panic!("{typed}: {}", report.text()),
            other => assert!(!is_filled_in, "{typed}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_epic_is_told() {
    let bot = bot().await;
    let modal = open_stories(&bot, "scrum-123").await;
    assert!(modal.text().contains(", not an epic, so you can't add stories to it."), "{}", modal.text());
    bot.slack.close("ada").await.unwrap();
    let modal = open_stories(&bot, "SCRUM-999").await;
    assert!(modal.text().contains("SCRUM-999 not found in Jira"), "{}", modal.text());
    bot.slack.close("ada").await.unwrap();
    assert_snapshot!(bot.say("/maro stories").await, @"Which epic? For example, /maro stories SCRUM-101");
    assert_snapshot!(bot.say("/maro stories SCRUM-101, SCRUM-102").await, @"You can add stories to one epic at a time, but you named SCRUM-101 and SCRUM-102.");
}

#[tokio::test]
async fn lines_are_limited_in_length_and_number() {
    let bot = bot().await;
    open_stories(&bot, EPIC).await;
    let too_many: String = (0..101).map(|number| format!("story {number}\n")).collect();
    bot.slack.fill("ada", &[("stories", &too_many)]).await.unwrap();
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
    assert_eq!(errors["stories"], "You entered 101 stories; the limit is 100 at a time.");
}

#[tokio::test]
async fn failed_lines_have_jiras_reason_and_can_be_sent_again() {
    let bot = bot().await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    open_stories(&bot, EPIC).await;
    let report = submit(&bot, "A good story\nA forbidden story").await;
    assert!(
        read(&bot, &report).contains("A forbidden story: This word is not allowed."),
        "{}",
        report.text()
    );
    assert_eq!(bot.jira.created_issues().len(), 1);

    bot.jira.refuse_no_summaries();
    bot.slack.press("ada", "Retry failed stories").await.unwrap();
    let report = bot.slack.wait_for_modal("ada", |modal| modal.text().contains("SCRUM-152")).await.unwrap();
    assert!(!report.text().contains("Couldn't create"), "{}", report.text());
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn a_report_has_every_line_however_long_they_are() {
    let bot = bot().await;
    bot.jira.refuse_summaries_with("<&>", &"Say & more. ".repeat(20));
    open_stories(&bot, EPIC).await;
    let lines: Vec<_> = (1..=14).map(|number| format!("Rivet {number} {}", "<&> ".repeat(50))).collect();
    let report = submit(&bot, &lines.join("\n")).await;
    let text = report.text();
    assert!((1..=14).all(|number| text.contains(&format!("Rivet {number} "))), "{text}");
    assert!(!text.contains('…'), "{text}");
}

#[tokio::test]
async fn lines_behind_the_epic_for_which_there_is_no_room_are_told() {
    let bot = bot().await;
    let lines: String = (1..=90).map(|number| format!("\nRivet {number} {}", "x".repeat(40))).collect();
    let form = open_stories(&bot, &format!("{EPIC}{lines}")).await;
    let stories = form.value("stories").unwrap();
    assert!(stories.len() > 2_900 && stories.ends_with("x"), "{stories}");
    let left = 90 - stories.lines().count();
    let said = format!("There's no room for the last {left} lines.");
    assert!(form.text().contains(&said), "{}", form.text());
}

#[tokio::test]
async fn many_stories_are_created_in_batches() {
    let bot = bot().await;
    open_stories(&bot, EPIC).await;
    let lines: String = (1..=75).map(|number| format!("Story number {number}\n")).collect();
    bot.slack.fill("ada", &[("stories", &lines)]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    let report =
        bot.slack.wait_for_modal("ada", |modal| modal.text().contains("Story number 75")).await.unwrap();
    assert!(read(&bot, &report).contains("SCRUM-151: Story number 1"), "{}", report.text());
    assert_eq!(bot.jira.created_issues().len(), 75);
    bot.slack.wait_for(std::time::Duration::from_secs(20), |_| told(&bot).len() == 2).await.unwrap();
    let [count, list] = &told(&bot)[..] else { panic!("{:?}", told(&bot)) };
    assert_eq!(count, "Created 75 stories under SCRUM-101. They're listed in the thread.");
    assert!(list.contains("SCRUM-225: Story number 75"), "{list}");
    let posted = bot.slack.posted("general");
    assert_eq!(posted[1].thread_ts.as_deref(), Some(posted[0].ts.as_str()));
}

#[tokio::test]
async fn a_failure_has_the_title_of_what_failed() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.slack.submit("ada").await.unwrap();
    execute(&bot.config.database, "ALTER TABLE ticket_intents RENAME TO elsewhere").await;
    bot.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    let link =
        bot.slack.wait_for_modal("ada", |modal| modal.text().contains("reach its database")).await.unwrap();
    // The question is still there, to be answered again.
    assert_eq!(link.title(), "Possible duplicates");
    assert!(read(&bot, &link).contains("SCRUM-123: User authentication flow"), "{}", link.text());
    bot.slack.close("ada").await.unwrap();

    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
    assert!(errors["stories"].contains("Nothing was created"), "{errors:?}");
    let stories = bot.slack.modal("ada").unwrap();
    assert_eq!(stories.title(), "Create stories");
    assert_eq!(stories.value("stories").as_deref(), Some("Zeppelin logbook"));
}

#[tokio::test]
async fn a_line_has_jiras_reason_whatever_its_shape() {
    let bot = bot().await;
    open_stories(&bot, EPIC).await;
    let body = r#"{"issues":[],"errors":[
        {"status":400,"failedElementNumber":0,"elementErrors":{"errorMessages":["Berth is required."],"errors":[]}},
        {"status":400,"failedElementNumber":1,"elementErrors":{"errorMessages":null,"errors":{"a":{"message":"No quay."}}}}
    ]}"#;
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::Answer(400, body.to_owned()))]);
    let report = submit(&bot, "First\nSecond").await;
    let text = read(&bot, &report);
    assert!(text.contains("First: Berth is required.") && text.contains("Second: No quay."), "{text}");
}

/// On neither edition: where the screen has no field for the epic, Jira's other address puts the stories there.
#[tokio::test]
async fn stories_get_to_their_epic_without_a_field_for_it() {
    for is_cloud in [true, false] {
        let bot = on_edition(is_cloud).await;
        bot.jira.hide_epic_links();
        open_stories(&bot, EPIC).await;
        let report = submit(&bot, "Measure the basin\nOrder two buoys").await;
        assert!(report.text().contains("Measure the basin"), "{}", report.text());
        let created = bot.jira.created_issues();
        assert!(created.iter().all(|issue| issue.parent == Some(key(EPIC))), "{created:?}");
        assert_eq!(
            (created.len(), bot.asked_for("/issue/bulk"), bot.asked_for("/epic/SCRUM-101/issue")),
            (2, 2, 1)
        );
        assert!(told(&bot)[0].starts_with("Created 2 stories under SCRUM-101:"), "{:?}", told(&bot));
        assert!(bot.say("/maro tracked").await.contains("Order two buoys"));
    }
}

#[tokio::test]
async fn stories_that_jira_does_not_put_under_their_epic_are_told() {
    let bot = bot().await;
    bot.jira.hide_epic_links();
    let refusal = r#"{"errorMessages":["The board is closed."],"errors":{}}"#;
    bot.jira.set_next_faults_of("/epic/SCRUM-101/issue", [Some(JiraFault::Answer(400, refusal.to_owned()))]);
    open_stories(&bot, EPIC).await;
    let report = submit(&bot, "Measure the basin").await;
    assert!(
        read(&bot, &report).contains("Jira didn't put the new stories under SCRUM-101: The board is closed."),
        "{}",
        report.text()
    );
    assert!(
        told(&bot)[0].starts_with("Created a story, but it isn't under SCRUM-101 yet:"),
        "{:?}",
        told(&bot)
    );
    assert!(bot.say("/maro tracked").await.contains("Measure the basin"));
}
