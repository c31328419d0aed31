//! `kill -9` while stories are created and tickets are linked, as in [`super::crash`] for single tickets.

use maro_simulation::{
    jira::faults::JiraFault,
    slack::{
        people::{act_error::SubmitOutcome, pressing::Press},
        web_api::faults::SlackFault,
    },
};

use crate::{
    bot::key,
    process::{World, crash::until},
};

impl World {
    async fn fill_stories_form(&self, lines: &str) {
        self.slack.send_command("general", "ada", "/maro stories SCRUM-101").await.unwrap();
        self.slack.wait_for_modal("ada", |modal| modal.field("stories").is_some()).await.unwrap();
        self.slack.fill("ada", &[("stories", lines)]).await.unwrap();
    }

    /// Presses the button that links SCRUM-123.
    async fn link(&self) {
        self.fill_create_form("Authentication flow for users").await;
        let shown = self.slack.submit("ada").await.unwrap();
        assert!(matches!(shown, SubmitOutcome::Updated(_)), "{shown:?}");
        self.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    }

    /// Kills the bot, and starts it when nothing fails any more.
    async fn crash(&mut self) {
        self.kill();
        self.jira.clear_fault();
        self.slack.clear_faults();
        self.end_requests().await;
        self.run().await;
    }

    fn asked_for(&self, path: &str) -> usize {
        self.jira.requests().iter().filter(|request| request.path.ends_with(path)).count()
    }

    async fn until_told(&self) {
        until(async || !self.told().is_empty()).await;
    }

    /// Waits until the intention that is no draft is finished, and finds these lines on the list.
    async fn expect_finished(&self, lines: &[&str]) {
        let open = "SELECT state FROM ticket_intents WHERE state IN ('begun', 'confirmed')";
        until(async || crate::raw::query(&self.database, open).await.is_empty()).await;
        let list = self.say("/maro tracked").await;
        assert!(lines.iter().all(|line| list.contains(line)), "{list}");
    }
}

#[tokio::test]
async fn stories_that_jira_created_during_the_crash_are_tracked_and_told_once() {
    let mut world = World::start().await;
    world.fill_stories_form("Zeppelin logbook\nZeppelin lantern").await;
    world.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::DoneThenHang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || !world.jira.created_issues().is_empty()).await;
    world.crash().await;
    world.until_told().await;
    world.expect_finished(&["SCRUM-151: Zeppelin logbook", "SCRUM-152: Zeppelin lantern"]).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Created 2 stories under SCRUM-101"), "{told:?}");
    assert_eq!(world.jira.created_issues().len(), 2);
    assert_eq!(world.asked_for("/issue/bulk"), 1);
}

#[tokio::test]
async fn of_many_stories_only_those_that_the_crash_kept_from_jira_are_asked_for_again() {
    let mut world = World::start().await;
    let lines: String = (1..=60).map(|number| format!("Story number {number}\n")).collect();
    world.fill_stories_form(&lines).await;
    // Fifty are created, and Jira never hears of the ten others.
    world.jira.set_next_faults_of("/issue/bulk", [None, Some(JiraFault::Hang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || world.asked_for("/issue/bulk") == 2).await;
    world.crash().await;
    world.until_told().await;
    // Whether its status was read by now is a matter of time.
    world.expect_finished(&["SCRUM-151: Story number 1"]).await;
    assert_eq!(world.told().len(), 2, "how many there are, and the list in a thread");
    let mut created: Vec<_> = world.jira.created_issues().into_iter().map(|issue| issue.summary).collect();
    assert_eq!(created.len(), 60);
    created.sort();
    created.dedup();
    assert_eq!(created.len(), 60, "none is there twice");
    assert_eq!(world.asked_for("/issue/bulk"), 3);
}

#[tokio::test]
async fn stories_that_jira_confirmed_before_the_crash_are_tracked_after_it() {
    let mut world = World::start().await;
    world.fill_stories_form("Zeppelin logbook\nZeppelin lantern").await;
    world.slack.set_next_faults("chat.postMessage", [Some(SlackFault::Hang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || !world.slack.calls_of("chat.postMessage").is_empty()).await;
    world.crash().await;
    world.expect_finished(&["SCRUM-151: Zeppelin logbook", "SCRUM-152: Zeppelin lantern"]).await;
    assert_eq!(world.jira.created_issues().len(), 2);
    assert_eq!(world.slack.calls_of("chat.postMessage").len(), 1, "the channel may have heard it");
}

#[tokio::test]
async fn a_link_that_jira_made_during_the_crash_is_tracked_and_told_once() {
    let mut world = World::start().await;
    world.jira.set_next_faults_of("/remotelink", [Some(JiraFault::DoneThenHang)]);
    world.link().await;
    until(async || !world.jira.remote_links(&key("SCRUM-123")).is_empty()).await;
    world.crash().await;
    world.until_told().await;
    world.expect_finished(&["SCRUM-123: User authentication flow (Open)"]).await;
    assert_eq!(world.told(), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert_eq!(world.jira.remote_links(&key("SCRUM-123")).len(), 1);
    assert!(world.jira.created_issues().is_empty(), "the draft beside it is nobody's");
}

#[tokio::test]
async fn a_link_that_jira_confirmed_before_the_crash_is_tracked_after_it() {
    let mut world = World::start().await;
    world.slack.set_next_faults("chat.postMessage", [Some(SlackFault::Hang)]);
    world.link().await;
    until(async || !world.slack.calls_of("chat.postMessage").is_empty()).await;
    world.crash().await;
    world.expect_finished(&["SCRUM-123: User authentication flow (Open)"]).await;
    assert_eq!(world.asked_for("/remotelink"), 1);
    assert_eq!(world.slack.calls_of("chat.postMessage").len(), 1, "the channel may have heard it");
}

#[tokio::test]
async fn what_a_replica_began_before_it_was_killed_is_finished_by_another() {
    let Some(mut world) = World::on_postgres().await else { return };
    let other = world.process.take().unwrap();
    world.run().await;
    world.jira.set_next_faults_of("/remotelink", [Some(JiraFault::DoneThenHang)]);
    world.link().await;
    until(async || world.asked_for("/remotelink") == 1).await;
    world.slack.close("ada").await.unwrap();
    world.fill_stories_form("Zeppelin logbook\nZeppelin lantern").await;
    world.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::DoneThenHang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || world.jira.created_issues().len() == 2).await;
    world.kill();
    world.jira.clear_fault();
    world.end_leases().await;
    world.serve(other).await;
    until(async || world.told().len() == 2).await;
    world
        .expect_finished(&[
            "SCRUM-123: User authentication flow (Open)",
            "SCRUM-151: Zeppelin logbook",
            "SCRUM-152: Zeppelin lantern",
        ])
        .await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.asked_for("/issue/bulk"), 1);
}
