//! What fails and then works again: the list's table, the intents table, and Jira's searches after an answer was
//! lost. Nothing is lost, and nothing is done twice.

use jiff::SignedDuration;
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_simulation::{
    jira::{controls::SearchLag, faults::JiraFault},
    slack::{
        modals::modal::Modal,
        people::{act_error::SubmitOutcome, pressing::Press},
        shown::terminal,
    },
};
use maro_store::config::DatabaseConfig;
use sqlx::Executor as _;

use crate::{
    bot::{
        HASTE, PATIENCE, TestBot, key,
        tickets::{
            create::{open_create, told},
            stories::{EPIC, open_stories},
        },
        until,
    },
    built_components::PluginsFolder,
    log::Log,
    raw::{Raw, execute, query},
};

/// A search that fails, and is not tried again.
const REFUSED: Option<JiraFault> = Some(JiraFault::Status(403, None));

const LOST: Option<JiraFault> = Some(JiraFault::DoneThenReset);

/// With a plugin that creates issues.
fn plugins() -> PluginsFolder {
    let manifest = r#"grants = ["jira", "jira-edit", "tracker-edit"]"#;
    PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", manifest)
}

async fn bot() -> TestBot {
    TestBot::with_plugins(plugins()).await
}

impl TestBot {
    async fn execute(&self, statement: &str) {
        execute(&self.config.database, statement).await;
    }

    /// Sees that nothing is told or asked for again after all is over.
    pub(crate) async fn expect_at_rest(&self, messages: usize) {
        self.end_leases().await;
        self.until_finished().await;
        assert_eq!(told(self).len(), messages, "{:?}", told(self));
    }

    pub(crate) async fn until_modal_says(&self, text: &str) {
        let says = async || self.slack.modal("ada").is_some_and(|modal| modal.text().contains(text));
        until(text, says).await;
    }

    /// Without a look at what Slack refused: a modal that MARO wants to change may have been left for another.
    pub(crate) async fn until_tracked(&self, lines: &[&str]) {
        until("all lines on the list", async || {
            let shown = self.slack.run_command("general", "ada", "/maro tracked", PATIENCE).await.unwrap();
            let list = terminal::message_text(&shown[0], &self.slack.workspace().names());
            lines.iter().all(|line| list.contains(line))
        })
        .await;
    }

    /// Submits the create form for `summary`.
    pub(crate) async fn create(&self, summary: &str) {
        open_create(self, summary).await;
        self.slack.submit("ada").await.unwrap();
    }

    /// Submits the stories form with these lines.
    pub(crate) async fn create_stories(&self, lines: &str) {
        open_stories(self, EPIC).await;
        self.slack.fill("ada", &[("stories", lines)]).await.unwrap();
        self.slack.submit("ada").await.unwrap();
    }

    /// Links the ticket that is like this one.
    pub(crate) async fn link(&self) {
        open_create(self, "Authentication flow for users").await;
        assert!(matches!(self.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
        self.slack.press("ada", Press::button("Link this one").beside("SCRUM-123")).await.unwrap();
    }
}

async fn on_both_databases(claim: impl AsyncFn(TestBot)) {
    let on_sqlite = async { claim(bot().await).await };
    let on_postgres = async {
        if let Some(bot) = TestBot::on_postgres(plugins()).await {
            claim(bot).await;
        }
    };
    tokio::join!(on_sqlite, on_postgres);
}

#[tokio::test]
async fn what_could_not_be_tracked_is_tracked_when_the_lists_are_back() {
    on_both_databases(async |bot| {
        bot.execute("ALTER TABLE channel_tracked_issues RENAME TO elsewhere").await;
        let not_yet = "couldn't be added to this channel's list yet";
        bot.create("Zeppelin anchor").await;
        bot.until_modal_says(not_yet).await;
        bot.link().await;
        bot.until_modal_says(not_yet).await;
        bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
        bot.until_modal_says(not_yet).await;
        bot.say("/maro jira-calls create SCRUM/- Zeppelin mast").await;
        until("four unfinished intentions", async || bot.intents().await == ["confirmed"; 4]).await;
        assert_eq!(told(&bot).len(), 3, "{:?}", told(&bot));
        // Taken over while the table is away, they stay unfinished.
        bot.end_leases().await;
        until("one more look at all", async || {
            let states = bot.intents().await;
            assert_eq!(states, ["confirmed"; 4]);
            let renewed = "SELECT id FROM ticket_intents WHERE updated_at < '2021-01-01T00:00:00.000000Z'";
            query(&bot.config.database, renewed).await.is_empty()
        })
        .await;

        bot.execute("ALTER TABLE elsewhere RENAME TO channel_tracked_issues").await;
        bot.end_leases().await;
        bot.until_tracked(&[
            "SCRUM-151: Zeppelin anchor",
            "SCRUM-123: User authentication flow (Open)",
            "SCRUM-152: Zeppelin logbook",
            "SCRUM-153: Zeppelin lantern",
            "SCRUM-154: Zeppelin mast",
        ])
        .await;
        bot.expect_at_rest(3).await;
        assert_eq!(bot.intents().await, ["finished"; 4]);
        assert_eq!(bot.jira.created_issues().len(), 4);
        assert_eq!(bot.asked_for("/remotelink"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_back_in_a_moment_costs_nobody_a_word() {
    let Some(bot) = TestBot::on_postgres(plugins()).await else { return };
    // What a sequence counts stays counted although the change is undone.
    bot.execute(
        "CREATE SEQUENCE tries; \
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('tries') < 3 THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON channel_tracked_issues \
             FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    open_create(&bot, "Zeppelin anchor").await;
    match bot.slack.submit("ada").await.unwrap() {
        SubmitOutcome::Closed => {}
        // Under load it is later, and done without a word all the same.
        SubmitOutcome::Updated(modal) => {
            assert!(modal.text().contains("MARO is working on it"), "{}", modal.text());
            bot.until_modal_says("Done.").await;
        }
        other => panic!("{other:?}"),
    }
    bot.until_finished().await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor"]).await;
}

/// Keeps intents from reaching this state in the database.
async fn refuse_state(bot: &TestBot, state: &str) {
    let DatabaseConfig::Sqlite { .. } = bot.config.database else { panic!("not SQLite") };
    bot.execute(&format!(
        "CREATE TRIGGER refuse BEFORE UPDATE ON ticket_intents WHEN NEW.state = '{state}' \
         BEGIN SELECT RAISE(ABORT, 'no'); END"
    ))
    .await;
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_asked_of_jira_and_works_later() {
    on_both_databases(async |bot| {
        let unavailable = "MARO can't reach its database";
        open_create(&bot, "Authentication flow for users").await;
        let form = bot.slack.submission("ada").unwrap();
        bot.slack.submit("ada").await.unwrap();
        let anyway = bot.slack.submission("ada").unwrap();
        let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
        open_stories(&bot, EPIC).await;
        bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
        let stories = bot.slack.submission("ada").unwrap();

        bot.execute("ALTER TABLE ticket_intents RENAME TO elsewhere").await;
        for (payload, typed) in [
            (&form, r#""errors":{"summary":"#),
            (&anyway, "Authentication flow for users"),
            (&stories, r#""errors":{"stories":"#),
        ] {
            let shown = bot.send_again(payload).await;
            assert!(shown.contains(unavailable) && shown.contains("Nothing was created"), "{shown}");
            assert!(shown.contains(typed), "{shown}");
        }
        bot.send_again(&press).await;
        until("word of the press", async || {
            let shown = bot.slack.calls_of("views.update");
            shown.iter().any(|call| {
                let view = call.arguments.to_string();
                view.contains(unavailable) && view.contains("Link this one") && view.contains("SCRUM-123")
            })
        })
        .await;
        assert_eq!((bot.asked_for("/issue"), bot.asked_for("/issue/bulk")), (0, 0));
        assert_eq!(bot.asked_for("/remotelink"), 0);

        bot.execute("ALTER TABLE elsewhere RENAME TO ticket_intents").await;
        for payload in [&anyway, &stories, &press] {
            bot.send_again(payload).await;
        }
        until("all messages", async || told(&bot).len() == 3).await;
        bot.until_finished().await;
        bot.expect_at_rest(3).await;
        assert_eq!(bot.jira.created_issues().len(), 2);
        assert_eq!(bot.asked_for("/remotelink"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_form_that_meets_a_locked_file_keeps_its_text() {
    let bot = bot().await;
    let Raw::Sqlite(mut other) = Raw::connect(&bot.config.database).await else { panic!("not SQLite") };
    let says = |modal: &Modal| modal.text().contains("Nothing was created");

    open_create(&bot, "Crane 4 stops at half height").await;
    bot.slack.fill("ada", &[("description", "Since the storm.")]).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    // The file is waited for longer than Slack waits.
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let form = bot.slack.wait_for_modal("ada", says).await.unwrap();
    assert_eq!(form.value("summary").as_deref(), Some("Crane 4 stops at half height"));
    assert_eq!(form.value("description").as_deref(), Some("Since the storm."));
    other.execute("ROLLBACK").await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    bot.assert_created_once(&["Created SCRUM-151: Crane 4 stops at half height"]);

    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Order two buoys")]).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let form = bot.slack.wait_for_modal("ada", says).await.unwrap();
    assert_eq!(form.value("stories").as_deref(), Some("Order two buoys"));
    other.execute("ROLLBACK").await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    bot.expect_at_rest(2).await;
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn jira_is_not_asked_before_the_intent_is_saved() {
    let bot = bot().await;
    refuse_state(&bot, "begun").await;
    open_create(&bot, "Zeppelin anchor").await;
    let form = bot.slack.submission("ada").unwrap();
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
    assert!(errors["summary"].contains("Nothing was created"), "{errors:?}");
    bot.create_stories("Zeppelin logbook").await;
    bot.until_modal_says("Don't send it again").await;
    assert_eq!((bot.asked_for("/issue"), bot.asked_for("/issue/bulk")), (0, 0));
    bot.execute("DROP TRIGGER refuse").await;
    // The ticket is a draft, which is for its person to send again; the stories are begun.
    bot.send_again(&form).await;
    bot.end_leases().await;
    until("both messages", async || told(&bot).len() == 2).await;
    bot.expect_at_rest(2).await;
    assert_eq!((bot.asked_for("/issue"), bot.asked_for("/issue/bulk")), (1, 1));
    assert_eq!(bot.jira.created_issues().len(), 2);
}

#[tokio::test]
async fn statuses_are_followed_again_after_jira_and_the_lists_were_away() {
    let bot = TestBot::with_settings(plugins(), |config| {
        config.sync_interval = std::time::Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.jira.set_fault(JiraFault::Status(403, None));
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    let asked = || bot.jira.requests().iter().filter(|request| request.path.ends_with("/bulkfetch")).count();
    let before = asked();
    until("two rounds in vain", async || asked() >= before + 2).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123: User authentication flow (Open)"));
    bot.jira.clear_fault();
    bot.until_tracked(&["SCRUM-123: User authentication flow (In Review)"]).await;

    bot.execute("ALTER TABLE channel_tracked_issues RENAME TO elsewhere").await;
    bot.jira.transition_issue(&key("SCRUM-124"), "In Review");
    // A round fails where it reads the list, without a question to Jira.
    let shown = bot.say("/maro tracked").await;
    assert!(shown.contains("database"), "{shown}");
    bot.execute("ALTER TABLE elsewhere RENAME TO channel_tracked_issues").await;
    bot.until_tracked(&["SCRUM-124: Database migration (In Review)"]).await;
}

#[tokio::test]
async fn what_jira_confirmed_while_intents_could_not_be_saved_is_told_and_tracked_later() {
    let bot = bot().await;
    refuse_state(&bot, "confirmed").await;
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says("SCRUM-151 was created, but MARO can't reach its database").await;
    bot.link().await;
    bot.until_modal_says("Don't send it again").await;
    bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
    bot.until_modal_says("Don't send it again").await;
    assert_eq!(bot.intents().await, ["begun"; 3]);
    assert_eq!(told(&bot), [""; 0]);
    // Nothing follows from what isn't saved: after a crash, nobody would know that it did.
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));

    bot.execute("DROP TRIGGER refuse").await;
    bot.end_leases().await;
    until("all messages", async || told(&bot).len() == 3).await;
    bot.until_tracked(&["SCRUM-151:", "SCRUM-123:", "SCRUM-152:", "SCRUM-153:"]).await;
    bot.expect_at_rest(3).await;
    assert_eq!(bot.intents().await, ["finished"; 3]);
    assert_eq!(bot.jira.created_issues().len(), 3);
}

#[tokio::test]
async fn stories_that_jira_created_are_not_lost_when_their_epic_cannot_be_read() {
    let bot = bot().await;
    refuse_state(&bot, "confirmed").await;
    bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
    bot.until_modal_says("MARO can't reach its database").await;
    bot.execute("DROP TRIGGER refuse").await;
    bot.jira.set_next_faults_of("/issue/SCRUM-101", [REFUSED]);
    bot.end_leases().await;
    bot.until_told().await;
    bot.until_tracked(&["SCRUM-151: Zeppelin logbook", "SCRUM-152: Zeppelin lantern"]).await;
    bot.expect_at_rest(1).await;
    assert_eq!(bot.jira.created_issues().len(), 2);
}

/// Of five looks two show nothing and three fail.
const ALTERNATING: [Option<JiraFault>; 5] = [None, REFUSED, None, REFUSED, REFUSED];

#[tokio::test]
async fn two_looks_that_show_nothing_between_others_that_fail_are_no_proof() {
    let bot = bot().await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue", [LOST]);
    // The first search is the one for similar tickets.
    bot.jira.set_next_faults_of("/search/jql", [None].into_iter().chain(ALTERNATING));
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says("Jira didn't confirm whether this worked").await;
    assert_eq!((bot.asked_for("/issue"), bot.asked_for("/search/jql")), (1, 6));
    assert_eq!(bot.intents().await, ["begun"]);
    bot.jira.index_now();
    bot.end_leases().await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor"]).await;
}

#[tokio::test]
async fn what_stays_unknown_is_told_once_however_often_recovery_looks() {
    let bot = bot().await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue", [LOST]);
    bot.jira.set_next_faults_of("/search/jql", [None].into_iter().chain(ALTERNATING).chain(ALTERNATING));
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says("Jira didn't confirm whether this worked").await;
    // A person who closes it would be told in a direct message.
    bot.slack.close("ada").await.unwrap();
    let looks = bot.asked_for("/search/jql");
    bot.end_leases().await;
    until("recovery looks again", async || bot.asked_for("/search/jql") >= looks + 5).await;
    bot.jira.index_now();
    bot.end_leases().await;
    bot.until_told().await;
    bot.until_finished().await;
    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    let heard = bot.slack.posted(ada.direct_message.as_str());
    assert!(heard.iter().all(|message| !message.text.contains("didn't confirm")), "{heard:?}");
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

#[tokio::test]
async fn stories_are_not_asked_for_again_before_it_is_sure_that_they_are_not_there() {
    let bot = bot().await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue/bulk", [LOST]);
    bot.jira.set_next_faults_of("/search/jql", ALTERNATING);
    bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
    bot.until_modal_says("Jira didn't confirm whether this worked").await;
    assert_eq!((bot.asked_for("/issue/bulk"), bot.asked_for("/search/jql")), (1, 5));
    assert_eq!(bot.intents().await, ["begun"]);
    bot.jira.index_now();
    bot.end_leases().await;
    bot.until_told().await;
    bot.until_tracked(&["SCRUM-151: Zeppelin logbook", "SCRUM-152: Zeppelin lantern"]).await;
    bot.expect_at_rest(1).await;
    assert_eq!(bot.jira.created_issues().len(), 2);
    assert_eq!(bot.asked_for("/issue/bulk"), 1);
}

#[tokio::test]
async fn what_a_plugin_created_is_not_given_up_before_it_is_sure_that_it_is_not_there() {
    let bot = bot().await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue", [LOST]);
    // The command itself looks three times.
    bot.jira.set_next_faults_of("/search/jql", [None, None, None].into_iter().chain(ALTERNATING));
    let answer = bot.say("/maro jira-calls create SCRUM/- Zeppelin mast").await;
    assert!(answer.contains("Uncertain"), "{answer}");
    until("all looks", async || bot.asked_for("/search/jql") == 8).await;
    bot.jira.index_now();
    bot.end_leases().await;
    bot.until_tracked(&["SCRUM-151: Zeppelin mast"]).await;
    bot.expect_at_rest(0).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(bot.asked_for("/issue"), 1);
}

#[tokio::test]
async fn what_a_plugin_waited_for_in_vain_is_looked_for_at_once() {
    // No lease ever ends.
    let clock = Clock::stopped(Clock::system().now());
    let bot = TestBot::in_surroundings(plugins(), clock.into(), |_, _| {}).await;
    bot.jira.set_search_lag(SearchLag::UntilTold);
    bot.jira.set_next_faults_of("/issue", [LOST]);
    let answer = bot.say("/maro jira-calls create SCRUM/- Zeppelin mast").await;
    assert!(answer.contains("Uncertain"), "{answer}");
    bot.jira.index_now();
    bot.until_tracked(&["SCRUM-151: Zeppelin mast"]).await;
    bot.until_finished().await;
    assert_eq!(bot.asked_for("/issue"), 1);
}

#[tokio::test]
async fn what_is_surely_not_there_is_created_once_more_and_no_oftener() {
    let first = async {
        let bot = bot().await;
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Reset), None]);
        bot.create("Zeppelin anchor").await;
        bot.until_told().await;
        bot.expect_at_rest(1).await;
        bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
        assert_eq!(bot.asked_for("/issue"), 2);
    };
    let second = async {
        let bot = bot().await;
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Reset), Some(JiraFault::Reset)]);
        bot.create("Zeppelin anchor").await;
        bot.until_modal_says("MARO couldn't find the issue").await;
        assert_eq!(bot.asked_for("/issue"), 2);
        assert_eq!(bot.intents().await, ["failed"]);
        // The form is there to be sent again.
        bot.slack.submit("ada").await.unwrap();
        bot.until_told().await;
        bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
    };
    // A story that Jira refused in an answer that was lost, beside one that it created.
    let stories = async {
        let bot = bot().await;
        bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
        bot.jira.set_next_faults_of("/issue/bulk", [LOST]);
        bot.create_stories("A good story\nA forbidden story").await;
        bot.until_modal_says("This word is not allowed.").await;
        bot.expect_at_rest(1).await;
        assert_eq!(bot.jira.created_issues().len(), 1);
        assert_eq!(bot.asked_for("/issue/bulk"), 2);
        bot.until_tracked(&["SCRUM-151: A good story"]).await;
    };
    let lost_stories = async {
        let bot = bot().await;
        bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::Reset), Some(JiraFault::Reset)]);
        bot.create_stories("Zeppelin logbook").await;
        bot.until_modal_says("MARO couldn't find the issue").await;
        assert_eq!(bot.asked_for("/issue/bulk"), 2);
        assert_eq!(bot.jira.created_issues(), []);
    };
    tokio::join!(first, second, stories, lost_stories);
}

#[tokio::test]
async fn stories_whose_creation_nobody_heard_of_are_found_again() {
    on_both_databases(async |bot| {
        bot.jira.set_next_faults_of("/issue/bulk", [LOST]);
        bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
        bot.until_told().await;
        bot.until_modal_says("SCRUM-152").await;
        bot.until_tracked(&["SCRUM-151: Zeppelin logbook", "SCRUM-152: Zeppelin lantern"]).await;
        bot.expect_at_rest(1).await;
        assert_eq!(bot.jira.created_issues().len(), 2);
        assert_eq!(bot.asked_for("/issue/bulk"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_link_that_nobody_heard_of_is_made_once() {
    let bot = bot().await;
    bot.jira.set_next_faults_of("/remotelink", [LOST]);
    bot.link().await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123: User authentication flow"]);
    assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
    bot.until_tracked(&["SCRUM-123: User authentication flow (Open)"]).await;
}

#[tokio::test]
async fn a_bot_that_is_alone_waits_for_no_lease_after_its_start() {
    let now = Clock::system().now();
    let clock = Clock::stopped(now);
    let mut bot = TestBot::in_surroundings(plugins(), clock.clone().into(), |_, _| {}).await;
    // As a crash leaves it before the ticket is tracked.
    bot.execute("ALTER TABLE channel_tracked_issues RENAME TO elsewhere").await;
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says("couldn't be added to this channel's list yet").await;
    assert_eq!(bot.intents().await, ["confirmed"]);
    bot.execute("ALTER TABLE elsewhere RENAME TO channel_tracked_issues").await;
    // From then on the clock stands still, and no lease ends.
    clock.set(now + SignedDuration::from_secs(1));
    bot.restart().await;
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor"]).await;
    bot.until_finished().await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

#[tokio::test]
async fn what_was_untracked_does_not_come_back_after_a_crash() {
    on_both_databases(async |bot| {
        bot.create("Zeppelin anchor").await;
        bot.until_told().await;
        bot.link().await;
        bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
        until("three messages", async || told(&bot).len() == 3).await;
        // Without a look at what Slack refused, as in `until_tracked`.
        let say = async |typed: &str| {
            let shown = bot.slack.run_command("general", "ada", typed, PATIENCE).await.unwrap();
            terminal::message_text(&shown[0], &bot.slack.workspace().names())
        };
        say("/maro jira-calls create SCRUM/- Zeppelin mast").await;
        bot.until_finished().await;
        let untracked = say("/maro untrack SCRUM-123 SCRUM-151 SCRUM-152 SCRUM-153 SCRUM-154").await;
        assert_eq!(untracked.matches("Stopped tracking").count(), 5, "{untracked}");
        // As a crash leaves it just after an issue is on the list.
        bot.execute(
            "UPDATE ticket_intents \
             SET state = 'confirmed', data = replace(data, '\"is_tracked\":true', '\"is_tracked\":false') \
             WHERE state = 'finished'",
        )
        .await;
        bot.expect_at_rest(3).await;
        assert_eq!(bot.intents().await, ["finished"; 4]);
        let list = say("/maro tracked").await;
        assert!(list.starts_with("No Jira issues are tracked"), "{list}");
    })
    .await;
}

#[tokio::test]
async fn that_an_issue_is_tracked_is_saved_before_anything_else_is_asked() {
    let bot = bot().await;
    bot.jira.set_fault_of("/bulkfetch", Some(JiraFault::Slow(std::time::Duration::from_secs(4))));
    let asked = bot.say("/maro jira-calls create SCRUM/- Zeppelin mast");
    let saved = until("it's saved", async || {
        let tracked =
            "SELECT id FROM ticket_intents WHERE state = 'confirmed' AND data LIKE '%\"is_tracked\":true%'";
        !query(&bot.config.database, tracked).await.is_empty()
    });
    tokio::join!(asked, saved);
}

/// More than all rounds of looks.
fn always_refused() -> impl Iterator<Item = Option<JiraFault>> {
    std::iter::repeat_n(Some(JiraFault::Answer(400, SEARCH_REFUSED.to_owned())), 500)
}

const SEARCH_REFUSED: &str =
    r#"{"errorMessages":["The value 'SCRUM' does not exist for the field 'project'."],"errors":{}}"#;

#[tokio::test]
async fn what_cannot_be_searched_for_is_given_up_after_hours_and_told() {
    let now = Clock::system().now();
    let clock = Clock::stopped(now);
    let hours = |hours| clock.set(now + SignedDuration::from_hours(hours));
    let surroundings = Surroundings { patience: HASTE, ..clock.clone().into() };
    let bot = TestBot::in_surroundings(plugins(), surroundings, |_, _| {}).await;
    bot.jira.set_next_faults_of("/issue", [LOST]);
    bot.jira.set_next_faults_of("/issue/bulk", [LOST]);
    // The first search is the one for similar tickets.
    bot.jira.set_next_faults_of("/search/jql", [None].into_iter().chain(always_refused()));
    let unconfirmed = "Jira didn't confirm whether this worked";
    bot.create("Zeppelin anchor").await;
    bot.until_modal_says(unconfirmed).await;
    bot.slack.close("ada").await.unwrap();
    bot.create_stories("Zeppelin logbook\nZeppelin lantern").await;
    bot.until_modal_says(unconfirmed).await;
    bot.slack.close("ada").await.unwrap();

    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    let heard = || bot.slack.posted(ada.direct_message.as_str());
    let searches = bot.asked_for("/search/jql");
    hours(5);
    // Five looks for each of two.
    until("recovery looks again", async || bot.asked_for("/search/jql") >= searches + 10).await;
    assert_eq!((bot.intents().await, heard().len()), (vec!["begun".to_owned(); 2], 0));
    hours(7);
    until("both are told", async || heard().len() == 2).await;
    bot.until_finished().await;
    let mut heard: Vec<_> = heard().into_iter().map(|message| message.text).collect();
    heard.sort();
    assert!(heard[0].contains("Zeppelin logbook") && heard[0].contains("Zeppelin lantern"), "{heard:?}");
    assert!(heard[1].contains("Zeppelin anchor") && heard[1].contains("couldn't find it"), "{heard:?}");
    assert_eq!((bot.asked_for("/issue"), bot.asked_for("/issue/bulk")), (1, 1));
}

#[tokio::test]
async fn what_this_release_cannot_read_is_left_alone_and_logged_once() {
    let bot = bot().await;
    bot.create("Zeppelin anchor").await;
    bot.until_told().await;
    bot.until_finished().await;
    let (log, _guard) = Log::start();
    bot.execute("UPDATE ticket_intents SET state = 'begun', data = '{\"of\":\"another release\"}'").await;
    for _ in 0..3 {
        bot.end_leases().await;
        let renewed = "SELECT id FROM ticket_intents WHERE updated_at > '2021-01-01T00:00:00.000000Z'";
        let is_taken_over = async || !query(&bot.config.database, renewed).await.is_empty();
        until("it's taken over", is_taken_over).await;
    }
    let count = |text: &str| log.text().lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("can't read an intent's record"), 1, "{}", log.text());
    assert_eq!(count("couldn't take over unfinished work"), 1, "{}", log.text());
    assert_eq!(bot.intents().await, ["begun"]);
}
