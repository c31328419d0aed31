//! Requests with Slack's signature that Slack would not send: another person's form or button before its
//! owner has used it, and values that were never offered. They do nothing, and the owner's still works.

use maro_simulation::slack::people::{act_error::SubmitOutcome, pressing::Press};
use serde_json::Value;

use crate::bot::{
    TestBot, key,
    tickets::{
        create::{bot, open_create, told},
        stories::{EPIC, open_stories},
    },
};

/// As if another person had done it.
fn by_grace(payload: &Value) -> Value {
    let mut forged = payload.clone();
    assert_eq!(forged["user"]["id"], "U0ADA000001");
    forged["user"]["id"] = "U0GRACE0001".into();
    forged["user"]["username"] = "grace".into();
    forged
}

impl TestBot {
    /// Sends a submission, which is refused.
    async fn expect_refused(&self, submission: &Value) {
        let shown = self.send_again(submission).await;
        assert!(shown.contains("has expired"), "{shown}");
    }

    /// Waits until the bot has ended all that it does for presses, and finds that nothing has come of it.
    async fn expect_nothing_done(&mut self, created: usize) {
        self.restart().await;
        assert_eq!(self.jira.created_issues().len(), created);
        assert_eq!(told(self).len(), created);
        let asked = self.jira.requests();
        assert!(asked.iter().all(|request| !request.path.ends_with("/remotelink")), "{asked:?}");
    }
}

#[tokio::test]
async fn another_persons_form_creates_nothing() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.expect_refused(&by_grace(&bot.slack.submission("ada").unwrap())).await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let anyway = bot.slack.submission("ada").unwrap();
    bot.expect_refused(&by_grace(&anyway)).await;
    assert_eq!(bot.jira.created_issues(), []);
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    bot.assert_created_once(&["Created SCRUM-151: Authentication flow for users"]);

    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
    bot.expect_refused(&by_grace(&bot.slack.submission("ada").unwrap())).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn a_state_that_is_altered_or_of_another_form_creates_nothing() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    let create = bot.slack.submission("ada").unwrap();
    bot.slack.submit("ada").await.unwrap();
    let anyway = bot.slack.submission("ada").unwrap();
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
    let stories = bot.slack.submission("ada").unwrap();
    let forms = [&create, &anyway, &stories];
    for form in forms {
        for other in forms.iter().filter(|other| other["view"]["callback_id"] != form["view"]["callback_id"])
        {
            let mut forged = form.clone();
            forged["view"]["private_metadata"] = other["view"]["private_metadata"].clone();
            bot.expect_refused(&forged).await;
        }
        let own = form["view"]["private_metadata"].as_str().unwrap();
        for altered in [own.replacen("1.e", "1.f", 1), String::new(), "v1.e30.AAAA".to_owned()] {
            assert_ne!(altered, own);
            let mut forged = form.clone();
            forged["view"]["private_metadata"] = altered.into();
            bot.expect_refused(&forged).await;
        }
    }
    assert_eq!(bot.jira.created_issues(), []);
    assert_eq!(told(&bot), [""; 0]);
    assert_eq!(bot.intents().await, [""; 0]);
}

#[tokio::test]
async fn only_the_owner_links_and_only_what_was_offered() {
    let mut bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    let create = bot.slack.submission("ada").unwrap();
    bot.slack.submit("ada").await.unwrap();
    let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
    bot.send_again(&by_grace(&press)).await;
    for never_offered in ["SCRUM-124", "SCRUM-999", "OPS-1", "scrum-123", "SCRUM-123 ", ""] {
        let mut forged = press.clone();
        forged["actions"][0]["value"] = never_offered.into();
        bot.send_again(&forged).await;
    }
    let mut of_another_form = press.clone();
    of_another_form["view"]["private_metadata"] = create["view"]["private_metadata"].clone();
    bot.send_again(&of_another_form).await;
    bot.expect_nothing_done(0).await;
    assert_eq!(bot.intents().await, [""; 0]);

    bot.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    bot.until_told().await;
    bot.until_finished().await;
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert_eq!(bot.jira.remote_links(&key("SCRUM-124")).len(), 0);
    assert_eq!(
        bot.say("/maro tracked").await,
        "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)"
    );
}

#[tokio::test]
async fn only_the_owner_sends_failed_stories_again() {
    let mut bot = bot().await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "A good story\nA forbidden story")]).await.unwrap();
    let form = bot.slack.submission("ada").unwrap();
    bot.slack.submit("ada").await.unwrap();
    bot.jira.refuse_no_summaries();
    let press = bot.slack.press_of("ada", "Retry failed stories").unwrap();
    bot.send_again(&by_grace(&press)).await;
    for other in [&form["view"]["private_metadata"], &Value::from("SCRUM-101"), &Value::from("")] {
        let mut forged = press.clone();
        forged["actions"][0]["value"] = other.clone();
        bot.send_again(&forged).await;
    }
    bot.expect_nothing_done(1).await;
    bot.slack.press("ada", "Retry failed stories").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.text().contains("SCRUM-152")).await.unwrap();
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn another_person_chooses_no_project_in_a_form() {
    let mut bot = bot().await;
    let opened = open_create(&bot, "Zeppelin logbook").await;
    bot.slack.fill("ada", &[("project", "OPS")]).await.unwrap();
    // Its types are offered; it asks for no other fields, so the form stays.
    let chosen = bot.slack.wait_for_modal("ada", |modal| modal.hash() != opened.hash()).await.unwrap();
    let mut choice = bot.slack.interactions().pop().unwrap();
    assert_eq!(choice["actions"][0]["selected_option"]["value"], "OPS");
    choice["view"] = chosen.view.clone();
    choice["actions"][0]["selected_option"]["value"] = "ACCAN".into();
    bot.send_again(&by_grace(&choice)).await;
    let mut forged = choice.clone();
    forged["view"]["private_metadata"] = "1.e30.AAAA".into();
    bot.send_again(&forged).await;
    bot.expect_nothing_done(0).await;
    assert_eq!(bot.slack.modal("ada").unwrap().hash(), chosen.hash(), "the form is as it was");
    // The owner's choice is taken, so that the above was refused for its forger.
    bot.send_again(&choice).await;
    bot.slack.wait_for_modal("ada", |modal| modal.hash() != chosen.hash()).await.unwrap();
}
