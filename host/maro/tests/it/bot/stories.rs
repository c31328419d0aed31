//! `/maro stories EPIC-1`: a story a line.

use insta::assert_snapshot;
use maro_simulation::slack::{act_error::SubmitOutcome, modal::Modal, pressing::Press};

use crate::{
    bot::{
        TestBot,
        create::{bot, open_create, read, told},
    },
    raw::execute,
};

/// The epic of the simulated project.
pub(super) const EPIC: &str = "SCRUM-101";

/// The form that ada gets for `/maro stories epic`, or what she reads instead.
pub(super) async fn open_stories(bot: &TestBot, epic: &str) -> Modal {
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
async fn what_is_no_epic_is_told() {
    let bot = bot().await;
    let modal = open_stories(&bot, "scrum-123").await;
    assert!(modal.text().contains(", not an epic, so you can't add stories to it."), "{}", modal.text());
    bot.slack.close("ada").await.unwrap();
    let modal = open_stories(&bot, "SCRUM-999").await;
    assert!(modal.text().contains("SCRUM-999 not found in Jira"), "{}", modal.text());
    bot.slack.close("ada").await.unwrap();
    assert_snapshot!(bot.say("/maro stories").await, @"Which epic? For example, /maro stories SCRUM-101");
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
    assert_eq!(told(&bot).len(), 1);
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
