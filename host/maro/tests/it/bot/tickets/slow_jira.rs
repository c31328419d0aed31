//! Jira takes longer than anybody waits, or answers what nobody expects. What it does in the end is there once, is
//! tracked and told; and what is there twice all the same is named to the person.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_simulation::jira::{controls::SearchLag, faults::JiraFault};
use maro_tickets::intents::patience::Patience;

use crate::{
    bot::{HASTE, TestBot, key, tickets::create::told, until},
    built_components::PluginsFolder,
    raw::query,
};

/// MARO gives up the wait for Jira's answer before Jira is done, and still expects it to be done.
const IMPATIENT: Patience = Patience {
    answer: Duration::from_secs(1),
    afterlife: Duration::from_secs(15),
    first_look: Duration::from_millis(400),
    ..HASTE
};

const LATE: Duration = Duration::from_secs(4);

async fn bot(patience: Patience) -> TestBot {
    let surroundings = Surroundings { patience, ..Clock::system().into() };
    TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, _| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await
}

/// Jira is done late: while its answer is waited for, after that, and after a proxy in front of it gave up.
fn late() -> [(Patience, JiraFault); 3] {
    [
        (HASTE, JiraFault::DoneLate(LATE)),
        (IMPATIENT, JiraFault::DoneLate(LATE)),
        (IMPATIENT, JiraFault::GivenUpThenDone(LATE)),
    ]
}

#[tokio::test]
async fn a_ticket_that_jira_creates_late_is_there_once() {
    let claim = async |(patience, fault): (Patience, JiraFault)| {
        let bot = bot(patience).await;
        bot.jira.set_next_faults_of("/issue", [Some(fault)]);
        bot.create("Zeppelin anchor").await;
        bot.until_told().await;
        bot.expect_at_rest(1).await;
        bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
        assert_eq!(bot.asked_for("/issue"), 1);
        bot.until_tracked(&["SCRUM-151: Zeppelin anchor"]).await;
    };
    futures_util::future::join_all(late().map(claim)).await;
}

#[tokio::test]
async fn stories_that_jira_creates_late_are_there_once() {
    let claim = async |(patience, fault): (Patience, JiraFault)| {
        let bot = bot(patience).await;
        bot.jira.set_next_faults_of("/issue/bulk", [Some(fault)]);
        bot.create_stories("Survey the north basin\nOrder two buoys").await;
        bot.until_told().await;
        bot.expect_at_rest(1).await;
        assert_eq!(bot.jira.created_issues().len(), 2);
        assert_eq!(bot.asked_for("/issue/bulk"), 1);
        bot.until_tracked(&["SCRUM-151: Survey the north basin", "SCRUM-152: Order two buoys"]).await;
    };
    futures_util::future::join_all(late().map(claim)).await;
}

#[tokio::test]
async fn a_link_that_jira_makes_late_is_finished() {
    let waited_for = async {
        let bot = bot(HASTE).await;
        // Longer than a look-up may take.
        bot.jira.set_next_faults_of("/remotelink", [Some(JiraFault::DoneLate(Duration::from_secs(9)))]);
        bot.link().await;
        bot.until_told().await;
        assert_eq!(bot.asked_for("/remotelink"), 1);
        bot
    };
    let given_up = async {
        let bot = bot(IMPATIENT).await;
        bot.jira.set_next_faults_of("/remotelink", [Some(JiraFault::DoneLate(LATE))]);
        bot.link().await;
        bot.until_modal_says("Don't send it again").await;
        assert_eq!(bot.intents().await, ["begun"]);
        until("the link", async || !bot.jira.remote_links(&key("SCRUM-123")).is_empty()).await;
        bot.end_leases().await;
        bot.until_told().await;
        bot
    };
    let (waited_for, given_up) = tokio::join!(waited_for, given_up);
    for bot in [waited_for, given_up] {
        bot.expect_at_rest(1).await;
        assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
        assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
    }
}

/// Jira's answer is waited for until long after a test has ended.
const PATIENT: Patience = Patience { answer: Duration::from_secs(300), ..HASTE };

#[tokio::test]
async fn a_ticket_is_found_while_its_answer_is_waited_for() {
    let bot = bot(PATIENT).await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenHang)]);
    let began = Instant::now();
    bot.create("Zeppelin anchor").await;
    bot.until_told().await;
    let took = began.elapsed();
    // The connection lasts longer.
    assert!(took < Duration::from_secs(15), "{took:?}");
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

/// While Jira's answer is like this, the lease is renewed.
async fn keeps_its_lease(patience: Patience, fault: JiraFault) {
    let now = Clock::system().now();
    let clock = Clock::stopped(now);
    let surroundings = Surroundings { patience, ..clock.clone().into() };
    let bot = TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, _| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    bot.jira.set_next_faults_of("/issue", [Some(fault)]);
    bot.create("Zeppelin anchor").await;
    until("Jira is asked", async || bot.asked_for("/issue") == 1).await;
    // Less than a lease.
    clock.set(now + SignedDuration::from_secs(20));
    let renewed = format!("SELECT id FROM ticket_intents WHERE updated_at > '{now:.6}'");
    until("a renewed lease", async || !query(&bot.config.database, &renewed).await.is_empty()).await;
}

#[tokio::test]
async fn a_worker_that_waits_for_an_answer_keeps_its_lease() {
    keeps_its_lease(PATIENT, JiraFault::Hang).await;
}

#[tokio::test]
async fn when_jira_was_asked_is_written_down_before_it_is_asked() {
    let now = Clock::system().now();
    let surroundings = Surroundings { patience: PATIENT, ..Clock::stopped(now).into() };
    let bot = TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, _| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Hang)]);
    bot.create("Zeppelin anchor").await;
    until("Jira is asked", async || bot.asked_for("/issue") == 1).await;
    // How long Jira may still be at work on it is counted from there.
    let second = now.as_second();
    let noted = format!("SELECT id FROM ticket_intents WHERE data LIKE '%\"asked_at\":{second}%'");
    assert_eq!(query(&bot.config.database, &noted).await.len(), 1);
}

#[tokio::test]
async fn what_the_index_does_not_show_is_found_by_its_key() {
    let bot = bot(HASTE).await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenReset)]);
    bot.create("Zeppelin anchor").await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    assert_eq!(bot.asked_for("/issue"), 1);
}

#[tokio::test]
async fn what_is_there_twice_is_named_to_the_person() {
    // Jira is done later than is thought possible: after it was asked again.
    let patience = Patience { looks: [Duration::from_secs(1); 5], ..HASTE };
    let fault = || Some(JiraFault::GivenUpThenDone(Duration::from_millis(7_500)));
    let ticket = async {
        let bot = bot(patience).await;
        bot.jira.set_next_faults_of("/issue", [fault(), None]);
        bot.create("Zeppelin anchor").await;
        bot.until_modal_says("created this more than once: SCRUM-151 and SCRUM-152").await;
        assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin anchor"]);
        assert_eq!(bot.intents().await, ["finished"]);
    };
    let stories = async {
        let bot = bot(patience).await;
        bot.jira.set_next_faults_of("/issue/bulk", [fault(), None]);
        bot.create_stories("Survey the north basin\nOrder two buoys").await;
        bot.until_modal_says("created this more than once: SCRUM-151 and SCRUM-153").await;
        bot.until_modal_says("created this more than once: SCRUM-152 and SCRUM-154").await;
        assert_eq!(bot.intents().await, ["finished"]);
    };
    tokio::join!(ticket, stories);
}

#[tokio::test]
async fn errors_of_another_shape_do_not_hide_what_was_created() {
    let bot = bot(HASTE).await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::OddErrors)]);
    bot.create_stories("A forbidden story\nA good story").await;
    bot.until_modal_says("This word is not allowed.").await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.until_tracked(&["SCRUM-151: A good story"]).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(bot.asked_for("/issue/bulk"), 1);
}

#[tokio::test]
async fn what_jira_refuses_when_it_is_asked_again_may_be_there_from_the_first_time() {
    // Jira is done with the first request after it was asked again, and refuses the second.
    let bot = bot(Patience { looks: [Duration::from_secs(1); 5], ..HASTE }).await;
    let late = JiraFault::GivenUpThenDone(Duration::from_millis(7_500));
    let refusal = r#"{"errorMessages":["It's there already."],"errors":{}}"#;
    bot.jira.set_next_faults_of("/issue", [Some(late), Some(JiraFault::Answer(400, refusal.to_owned()))]);
    bot.create("Zeppelin anchor").await;
    bot.until_told().await;
    bot.until_modal_says("Done.").await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor"]).await;
}

#[tokio::test]
async fn that_one_story_is_found_while_the_answer_is_waited_for_says_nothing_of_the_other() {
    let patience =
        Patience { answer: Duration::from_secs(3), first_look: Duration::from_millis(400), ..HASTE };
    let bot = bot(patience).await;
    bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::DoneThenHang)]);
    bot.create_stories("A good story\nA forbidden story").await;
    bot.until_modal_says("This word is not allowed.").await;
    bot.expect_at_rest(1).await;
    bot.until_tracked(&["SCRUM-151: A good story"]).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_worker_that_looks_for_a_ticket_keeps_its_lease() {
    let patience = Patience { afterlife: Duration::from_secs(300), ..HASTE };
    keeps_its_lease(patience, JiraFault::Reset).await;
}

#[tokio::test]
async fn the_time_in_which_jira_may_still_be_at_work_passes_while_the_bot_is_down() {
    let now = Clock::system().now();
    let clock = Clock::stopped(now);
    let surroundings = Surroundings { patience: HASTE, ..clock.clone().into() };
    let mut bot = TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, _| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Reset)]);
    // The first search is the one for similar tickets.
    let refused = std::iter::repeat_n(Some(JiraFault::Status(403, None)), 5);
    bot.jira.set_next_faults_of("/search/jql", std::iter::once(None).chain(refused));
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says("Jira didn't confirm whether this worked").await;
    // Longer than this test lasts, and over by now.
    bot.patience.afterlife = Duration::from_secs(600);
    clock.set(now + SignedDuration::from_secs(601));
    bot.restart().await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    assert_eq!(bot.asked_for("/issue"), 2);
}
