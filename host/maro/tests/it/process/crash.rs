//! `kill -9` at the worst moments, after which what was acknowledged is there and nothing is done twice.

use std::{iter, time::Duration};

use maro_simulation::{
    jira::faults::JiraFault,
    slack::{shown::terminal, web_api::faults::SlackFault},
};
use tokio::time::timeout;

use crate::{
    bot::key,
    process::{PATIENCE, World},
    raw::{execute, query},
};

impl World {
    pub(super) fn told(&self) -> Vec<String> {
        let names = self.slack.workspace().names();
        self.slack.posted("general").iter().map(|message| terminal::plain(&message.text, &names)).collect()
    }

    pub(super) async fn fill_create_form(&self, summary: &str) {
        self.slack.send_command("general", "ada", &format!("/maro create {summary}")).await.unwrap();
        self.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    }
}

/// Waits until it is so.
pub(super) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap();
}

#[tokio::test]
async fn every_answered_change_survives() {
    let mut world = World::start().await;
    let mut answered = Vec::new();
    for number in 101..=120 {
        let shown = world.say(&format!("/maro track SCRUM-{number}")).await;
        assert!(shown.starts_with("Now tracking"), "{shown}");
        answered.push(format!("SCRUM-{number}:"));
    }
    world.kill();
    world.run().await;
    let list = world.say("/maro tracked").await;
    for key in answered {
        assert!(list.contains(&key), "{key} is gone from\n{list}");
    }
}

#[tokio::test]
async fn a_ticket_that_jira_created_during_the_crash_is_tracked_and_told_once() {
    let mut world = World::start().await;
    world.fill_create_form("Zeppelin hangar roof").await;
    // The search for duplicates is answered; the creation is done, and its answer never comes.
    world.jira.set_next_faults([None, Some(JiraFault::DoneThenHang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || !world.jira.created_issues().is_empty()).await;
    world.kill();
    world.jira.clear_fault();
    world.run().await;
    world.slack.wait_for(PATIENCE, |_| !world.told().is_empty()).await.unwrap();
    assert_eq!(world.told(), ["Created SCRUM-151: Zeppelin hangar roof"]);
    assert_eq!(world.jira.created_issues().len(), 1);
    let list = world.say("/maro tracked").await;
    assert!(list.contains("SCRUM-151: Zeppelin hangar roof"), "{list}");
}

#[tokio::test]
async fn what_jira_confirmed_before_the_crash_is_tracked_after_it() {
    let mut world = World::start().await;
    world.fill_create_form("Zeppelin wind vane").await;
    // Slack takes the message to the channel and never says so: the crash comes while the bot waits.
    world.slack.set_next_faults("chat.postMessage", [Some(SlackFault::Hang)]);
    world.slack.submit("ada").await.unwrap();
    until(async || !world.slack.calls_of("chat.postMessage").is_empty()).await;
    world.kill();
    world.slack.clear_faults();
    world.run().await;
    let list = world.say("/maro tracked").await;
    assert!(list.contains("SCRUM-151: Zeppelin wind vane"), "{list}");
    assert_eq!(world.jira.created_issues().len(), 1);
    assert_eq!(world.slack.calls_of("chat.postMessage").len(), 1, "the channel may have heard it");
}

/// What `jira-calls` creates in the tests of crashes.
const CREATE: &str = "/maro jira-calls create SCRUM/- Zeppelin mooring mast";

impl World {
    /// Types [`CREATE`] while `fault` befalls the creation in Jira and nothing works after it, and waits
    /// until Jira has heard of it.
    async fn create_under(&self, fault: Option<JiraFault>) {
        // The types of the project are asked for first.
        let after = iter::repeat_n(Some(JiraFault::Hang), 100);
        self.jira.set_next_faults([None, fault].into_iter().chain(after));
        self.slack.send_command("general", "ada", CREATE).await.unwrap();
        until(async || self.creations_asked_for() == 1).await;
    }

    fn creations_asked_for(&self) -> usize {
        let is_creation = |method: &str, path: &str| method == "POST" && path.ends_with("/issue");
        self.jira.requests().iter().filter(|request| is_creation(&request.method, &request.path)).count()
    }

    /// Starts the bot on a Jira that works again, when nobody can be at work any more.
    async fn run_after_the_lease(&mut self) {
        self.jira.clear_fault();
        self.end_leases().await;
        self.end_requests().await;
        self.run().await;
    }

    /// Makes it long ago that Jira was asked, so that it can't be at work on anything any more.
    pub(super) async fn end_requests(&self) {
        let aged = r#"UPDATE ticket_intents SET data = replace(data, '"asked_at":1', '"asked_at":-1')"#;
        execute(&self.database, aged).await;
    }

    pub(in crate::process) async fn end_leases(&self) {
        execute(&self.database, "UPDATE ticket_intents SET updated_at = '2020-01-01T00:00:00.000000Z'").await;
    }

    /// Waits until the only intention is in this state.
    async fn until_intent_is(&self, state: &str) {
        until(async || query(&self.database, "SELECT state FROM ticket_intents").await == [state]).await;
    }

    /// Waits until the bot has tracked, refreshed, noted and closed what [`CREATE`] wants.
    async fn expect_creation_recovered(&self) {
        let log = self.process.as_ref().unwrap();
        log.logged("taking over unfinished work").await;
        self.until_intent_is("finished").await;
        let list = self.say("/maro tracked").await;
        assert!(list.contains("SCRUM-151: Zeppelin mooring mast (To Do)"), "{list}");
        assert_eq!(self.jira.created_issues().len(), 1);
        assert_eq!(self.creations_asked_for(), 1);
    }
}

async fn on_both_databases(claim: impl AsyncFn(World)) {
    let on_sqlite = async { claim(World::start().await).await };
    let on_postgres = async {
        if let Some(world) = World::on_postgres().await {
            claim(world).await;
        }
    };
    tokio::join!(on_sqlite, on_postgres);
}

#[tokio::test]
async fn what_jira_created_for_a_plugin_during_the_crash_is_tracked() {
    on_both_databases(async |mut world| {
        world.create_under(Some(JiraFault::DoneThenHang)).await;
        world.kill();
        assert_eq!(world.jira.created_issues().len(), 1);
        world.run_after_the_lease().await;
        world.expect_creation_recovered().await;
        let change = world.process.as_ref().unwrap().logged("a plugin made a change").await;
        for (field, value) in
            [("plugin", "jira-calls"), ("action", "create"), ("what", "SCRUM-151"), ("outcome", "done")]
        {
            assert_eq!(change[field], value, "{change}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_jira_confirmed_to_a_plugin_before_the_crash_is_tracked_without_a_search() {
    on_both_databases(async |mut world| {
        world.create_under(None).await;
        // The bot waits for Jira, which shows it the new issue later.
        world.until_intent_is("confirmed").await;
        world.kill();
        world.run_after_the_lease().await;
        world.expect_creation_recovered().await;
        assert!(world.jira.requests().iter().all(|request| !request.path.contains("/search")));
    })
    .await;
}

#[tokio::test]
async fn what_jira_never_created_for_a_plugin_is_not_created_after_the_crash() {
    on_both_databases(async |mut world| {
        world.create_under(Some(JiraFault::Hang)).await;
        world.kill();
        world.run_after_the_lease().await;
        let warning = "Jira didn't confirm an issue that a plugin asked for, and MARO couldn't find it";
        let entry = world.process.as_ref().unwrap().logged(warning).await;
        assert_eq!((&entry["level"], &entry["project"]), (&"WARN".into(), &"SCRUM".into()), "{entry}");
        world.until_intent_is("failed").await;
        assert_eq!(world.creations_asked_for(), 1);
        assert!(world.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    })
    .await;
}

#[tokio::test]
async fn a_replica_takes_over_what_a_plugin_began_in_one_that_was_killed() {
    let Some(mut world) = World::on_postgres().await else { return };
    let other = world.process.take().unwrap();
    world.run().await;
    world.create_under(Some(JiraFault::DoneThenHang)).await;
    world.kill();
    world.jira.clear_fault();
    world.end_leases().await;
    world.serve(other).await;
    world.expect_creation_recovered().await;
}

#[tokio::test]
async fn a_notice_that_was_on_its_way_is_never_told_twice_and_later_ones_are_told() {
    on_both_databases(async |mut world| {
        world.say("/maro track SCRUM-123 SCRUM-124").await;
        // Slack takes the first message of the notice and never says so.
        world.slack.set_next_faults("chat.postMessage", [Some(SlackFault::Hang)]);
        world.jira.transition_issue(&key("SCRUM-124"), "Done");
        world.say("/maro track SCRUM-124").await;
        until(async || !world.slack.calls_of("chat.postMessage").is_empty()).await;
        world.kill();
        world.slack.clear_faults();
        world.run().await;
        world.jira.transition_issue(&key("SCRUM-123"), "Done");
        world.say("/maro track SCRUM-123").await;
        let is_told = |key: &str| {
            let change = format!("{key}: ");
            world.told().iter().filter(|told| told.starts_with(&change) && told.contains('→')).count()
        };
        until(async || is_told("SCRUM-123") == 1).await;
        let open = "SELECT CAST(id AS TEXT) FROM notice_outbox WHERE state IN ('waiting', 'sending')";
        until(async || query(&world.database, open).await.is_empty()).await;
        assert!(is_told("SCRUM-124") <= 1, "{:?}", world.told());
        assert_eq!(is_told("SCRUM-123"), 1, "{:?}", world.told());
        let heads = world.told().iter().filter(|told| told.starts_with("SCRUM-124: Database")).count();
        assert!(heads <= 1, "{:?}", world.told());
    })
    .await;
}
