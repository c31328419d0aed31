//! The same press or submission a second time: at once, while the first is under way, after it has ended,
//! after a restart, and after Jira's refusal. Then tickets and messages are counted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use maro_process::clock::Clock;
use maro_simulation::{
    jira::{controls::SearchLag, faults::JiraFault},
    slack::people::{act_error::SubmitOutcome, pressing::Press},
};
use serde_json::Value;

use crate::{
    bot::{
        TestBot, key,
        tickets::{
            create::{bot, open_create, told},
            stories::{EPIC, open_stories},
        },
        until,
    },
    built_components::PluginsFolder,
    raw::{execute, query},
};

/// Longer than Slack waits for an answer.
pub(crate) const SLOW: JiraFault = JiraFault::Slow(Duration::from_millis(3_500));

impl TestBot {
    /// Sends an interaction that Slack sent before, and returns what the person is shown, as JSON.
    pub(crate) async fn send_again(&self, payload: &Value) -> String {
        let answer = self.slack.send_interaction(payload).await.unwrap();
        answer.json().map(|shown| shown.to_string()).unwrap_or_default()
    }

    /// Sends pressed buttons, and waits until MARO has shown the outcome of each: it shows two views for one.
    pub(crate) async fn press_again(&self, presses: &[&Value]) {
        let before = self.slack.calls_of("views.update").len();
        futures_util::future::join_all(presses.iter().map(|press| self.send_again(press))).await;
        let shown = async || self.slack.calls_of("views.update").len() >= before + 2 * presses.len();
        until("the outcomes of presses", shown).await;
    }

    pub(crate) async fn until_told(&self) {
        until("a message in #general", async || !told(self).is_empty()).await;
    }

    /// Waits until all that was begun is over.
    pub(crate) async fn until_finished(&self) {
        until("the end of all work", async || {
            self.intents().await.iter().all(|state| state == "finished" || state == "failed")
        })
        .await;
    }

    #[track_caller]
    pub(crate) fn assert_created_once(&self, messages: &[&str]) {
        let created = self.jira.created_issues();
        assert_eq!(created.len(), messages.len(), "{created:?}");
        assert_eq!(told(self), messages);
    }
}

#[tokio::test]
async fn create_anyway_makes_one_ticket_however_often_it_is_pressed() {
    let mut bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    let form = bot.slack.submission("ada").unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let anyway = bot.slack.submission("ada").unwrap();
    assert_eq!(anyway["view"]["callback_id"], "create_issue_anyway");
    bot.slack.submit_twice("ada").await.unwrap();
    bot.until_told().await;
    bot.until_finished().await;
    for _ in 0..2 {
        for payload in [&anyway, &form] {
            let shown = bot.send_again(payload).await;
            assert!(shown.contains("Created <") && shown.contains("SCRUM-151"), "{shown}");
        }
        bot.assert_created_once(&["Created SCRUM-151: Authentication flow for users"]);
        bot.restart().await;
    }
}

#[tokio::test]
async fn a_ticket_on_its_way_is_not_asked_for_again() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin altimeter").await;
    let form = bot.slack.submission("ada").unwrap();
    bot.jira.set_next_faults_of("/issue", [Some(SLOW)]);
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("MARO is working on it"), "{shown}");
    bot.slack.wait_for_modal("ada", |modal| modal.text().contains("Done.")).await.unwrap();
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("SCRUM-151"), "{shown}");
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin altimeter"]);
    assert_eq!(bot.asked_for("/issue"), 1);
}

#[tokio::test]
async fn a_form_left_open_over_a_restart_and_a_day_creates_no_second_ticket() {
    let now = Clock::system().now();
    let clock = Clock::stopped(now);
    let hours = |hours| clock.set(now + SignedDuration::from_hours(hours));
    let default_project = |config: &mut maro_bot::config::Config, _: &_| {
        config.jira.default_project = Some("SCRUM".to_owned());
    };
    let plugins = PluginsFolder::shipped();
    let mut bot = TestBot::in_surroundings(plugins, clock.clone().into(), default_project).await;
    // So that the first ticket is not found to be similar to itself.
    bot.jira.set_search_lag(SearchLag::UntilTold);
    open_create(&bot, "Zeppelin mooring rope").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let form = bot.slack.interactions().pop().unwrap();
    // Another form has come to its question, and is left open too.
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));

    hours(23);
    forget_what_is_old(&mut bot, now).await;
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("Created <") && shown.contains("SCRUM-151"), "{shown}");
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin mooring rope"]);
    let anyway = bot.slack.submission("ada").unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let both =
        ["Created SCRUM-151: Zeppelin mooring rope", "Created SCRUM-152: Authentication flow for users"];
    bot.assert_created_once(&both);

    hours(25);
    for payload in [&form, &anyway] {
        let shown = bot.send_again(payload).await;
        assert!(shown.contains("has expired"), "{shown}");
    }
    bot.assert_created_once(&both);
}

/// Starts the bot again, and waits until it has forgotten what is over and old.
async fn forget_what_is_old(bot: &mut TestBot, now: Timestamp) {
    let old = now - SignedDuration::from_hours(24 * 30);
    let row = format!(
        "INSERT INTO ticket_intents \
             (id, kind, channel_id, user_id, state, data, version, created_at, updated_at) \
         VALUES ('old', 'create', 'C1', 'U1', 'finished', '{{}}', 1, '{old:.6}', '{old:.6}')"
    );
    execute(&bot.config.database, &row).await;
    bot.restart().await;
    let ids = "SELECT id FROM ticket_intents WHERE id = 'old'";
    until("the end of what is old", async || query(&bot.config.database, ids).await.is_empty()).await;
}

#[tokio::test]
async fn what_jira_refused_is_corrected_and_created_once() {
    let mut bot = bot().await;
    for (round, ticket) in ["SCRUM-151", "SCRUM-152"].into_iter().enumerate() {
        bot.jira.refuse_summaries_with("odd", "No odd things.");
        open_create(&bot, &format!("Zeppelin {round} is odd")).await;
        let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else {
            panic!("no errors")
        };
        assert_eq!(errors["summary"], "No odd things.");
        let refused = bot.slack.interactions().pop().unwrap();
        // What was refused is nobody's work, also after a restart.
        if round > 0 {
            bot.restart().await;
        }
        assert_eq!(bot.intents().await.last().unwrap(), "failed");
        // Sent again as it is, it is refused again.
        let SubmitOutcome::Errors(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
        bot.jira.refuse_no_summaries();
        let summary = ["Harbour crane inspection", "Violin strings order"][round];
        bot.slack.fill("ada", &[("summary", summary)]).await.unwrap();
        bot.slack.submit_twice("ada").await.unwrap();
        until("another message", async || told(&bot).len() > round).await;
        let message = format!("Created {ticket}: {summary}");
        assert_eq!(told(&bot)[round], message);
        bot.until_finished().await;
        let shown = bot.send_again(&refused).await;
        assert!(shown.contains(ticket), "{shown}");
        assert_eq!(bot.jira.created_issues().len(), round + 1);
        assert_eq!(told(&bot).len(), round + 1);
    }
}

#[tokio::test]
async fn what_jira_refused_after_create_anyway_is_corrected_and_created_once() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.slack.fill("ada", &[("description", "Since *Monday*")]).await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let anyway = bot.slack.submission("ada").unwrap();
    bot.jira.refuse_summaries_with("flow", "No flows.");
    // The modal with the similar tickets has no inputs to put errors beside.
    let SubmitOutcome::Updated(form) = bot.slack.submit("ada").await.unwrap() else { panic!("no form") };
    assert!(form.text().contains("No flows."), "{}", form.text());
    assert_eq!(form.value("summary").as_deref(), Some("Authentication flow for users"));
    assert_eq!(form.value("description").as_deref(), Some("Since *Monday*"));
    assert_eq!(bot.intents().await, ["failed"]);
    let shown = bot.send_again(&anyway).await;
    assert!(shown.contains("No flows."), "{shown}");
    assert_eq!(bot.jira.created_issues(), []);

    bot.slack.fill("ada", &[("summary", "Harbour crane inspection")]).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let shown = bot.send_again(&anyway).await;
    assert!(shown.contains("Created <"), "{shown}");
    bot.assert_created_once(&["Created SCRUM-151: Harbour crane inspection"]);
    assert_eq!(bot.slack.problems(), [""; 0]);
}

#[tokio::test]
async fn stories_are_created_once_however_often_their_form_is_sent() {
    let mut bot = bot().await;
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin compass\nZeppelin sextant")]).await.unwrap();
    let form = bot.slack.submission("ada").unwrap();
    bot.jira.set_next_faults_of("/issue/bulk", [Some(SLOW)]);
    bot.slack.submit_twice("ada").await.unwrap();
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("MARO is working on it"), "{shown}");
    bot.until_told().await;
    bot.until_finished().await;
    for _ in 0..2 {
        let shown = bot.send_again(&form).await;
        assert!(shown.contains("SCRUM-151") && shown.contains("SCRUM-152"), "{shown}");
        bot.restart().await;
    }
    bot.until_finished().await;
    assert_eq!(bot.jira.created_issues().len(), 2);
    assert_eq!(bot.asked_for("/issue/bulk"), 1);
    assert_eq!(told(&bot).len(), 1);
}

#[tokio::test]
async fn failed_stories_are_sent_again_once_however_often_the_button_is_pressed() {
    let mut bot = bot().await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "A good story\nA forbidden story")]).await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    bot.jira.refuse_no_summaries();
    let press = bot.slack.press_of("ada", "Retry failed stories").unwrap();
    bot.jira.set_next_faults_of("/issue/bulk", [Some(SLOW)]);
    bot.press_again(&[&press, &press]).await;
    until("the second message", async || told(&bot).len() > 1).await;
    bot.until_finished().await;
    bot.press_again(&[&press]).await;
    bot.restart().await;
    bot.press_again(&[&press]).await;
    bot.until_finished().await;
    assert_eq!(bot.jira.created_issues().len(), 2);
    assert_eq!(bot.asked_for("/issue/bulk"), 2);
    assert_eq!(told(&bot).len(), 2, "{:?}", told(&bot));
}

#[tokio::test]
async fn failed_stories_can_be_sent_again_after_the_database_was_away() {
    let bot = bot().await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "A forbidden story")]).await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    bot.jira.refuse_no_summaries();
    execute(&bot.config.database, "ALTER TABLE ticket_intents RENAME TO mislaid").await;
    let press = bot.slack.press_of("ada", "Retry failed stories").unwrap();
    bot.press_again(&[&press]).await;
    execute(&bot.config.database, "ALTER TABLE mislaid RENAME TO ticket_intents").await;
    let press = bot.slack.press_of("ada", "Retry failed stories").expect("the button is gone");
    bot.press_again(&[&press]).await;
    bot.until_told().await;
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_ticket_is_linked_once_however_often_the_button_is_pressed() {
    let mut bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
    bot.jira.set_next_faults_of("/remotelink", [Some(SLOW)]);
    bot.press_again(&[&press, &press]).await;
    bot.until_told().await;
    bot.until_finished().await;
    bot.press_again(&[&press]).await;
    bot.restart().await;
    bot.press_again(&[&press]).await;
    bot.until_finished().await;
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert_eq!(bot.asked_for("/remotelink"), 1);
    assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
    assert!(bot.jira.created_issues().is_empty());
}

#[tokio::test]
async fn a_person_who_presses_the_buttons_of_two_tickets_links_both() {
    let bot = bot().await;
    bot.jira.add_issue(&key("SCRUM-201"), "User authentication flow for robots", "Open");
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let keys = ["SCRUM-123", "SCRUM-201"];
    let [one, other] =
        keys.map(|key| bot.slack.press_of("ada", Press::button("Link this one").beside(key)).unwrap());
    bot.press_again(&[&one]).await;
    bot.press_again(&[&other]).await;
    let list = bot.say("/maro tracked").await;
    for name in keys {
        assert_eq!(bot.jira.remote_links(&key(name)).len(), 1, "{name}");
        assert!(list.contains(name), "{list}");
    }
    assert_eq!(told(&bot).len(), 2, "{:?}", told(&bot));
    assert!(bot.jira.created_issues().is_empty());
}

#[tokio::test]
async fn a_ticket_whose_link_jira_refused_can_be_linked_again() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
    bot.jira.set_next_faults_of("/remotelink", [Some(JiraFault::Status(403, None))]);
    bot.press_again(&[&press]).await;
    assert_eq!(bot.intents().await, ["failed"]);
    assert_eq!(told(&bot), [""; 0]);
    bot.press_again(&[&press]).await;
    bot.press_again(&[&press]).await;
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
}
