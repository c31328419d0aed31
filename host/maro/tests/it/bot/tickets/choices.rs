//! A choice in the create form, and what is offered, kept and created after it.

use maro_simulation::{
    jira::faults::JiraFault,
    slack::{
        modals::modal::Modal,
        people::{act_error::SubmitOutcome, pressing::Press},
    },
};
use serde_json::json;

use crate::bot::{
    TestBot, key,
    tickets::{
        create::{bot, open_create, told},
        stories::open_stories,
    },
};

impl TestBot {
    /// Chooses a project as ada, and waits for the form that the bot makes of it.
    pub(crate) async fn choose_project(&self, project: &str) -> Modal {
        let before = self.slack.modal("ada").unwrap();
        self.slack.fill("ada", &[("project", project)]).await.unwrap();
        self.slack.wait_for_modal("ada", |modal| modal.hash() != before.hash()).await.unwrap()
    }

    /// The names of the types that ada is offered.
    pub(crate) async fn types_offered(&self, typed: &str) -> Vec<String> {
        let offered = self.slack.suggestions("ada", "issue_type", typed).await.unwrap();
        offered.into_iter().map(|choice| choice.label).collect()
    }

    /// The key and the type of the only ticket that was created.
    fn only_ticket(&self) -> (String, String) {
        let mut created = self.jira.created_issues();
        assert_eq!(created.len(), 1, "{created:?}");
        let ticket = created.remove(0);
        (ticket.key.into_string(), ticket.issue_type)
    }
}

fn ticket(key: &str, issue_type: &str) -> (String, String) {
    (key.to_owned(), issue_type.to_owned())
}

#[tokio::test]
async fn without_a_default_project_types_are_offered_once_a_project_is_chosen() {
    let bot = TestBot::with_settings(crate::built_components::PluginsFolder::shipped(), |config| {
        config.jira.default_project = None;
    })
    .await;
    let modal = open_create(&bot, "Zeppelin logbook").await;
    assert_eq!((modal.value("project"), modal.value("issue_type")), (None, None));
    assert_eq!(bot.types_offered("").await, [""; 0]);
    let chosen = bot.choose_project("OPS").await;
    assert_eq!(chosen.value("summary").as_deref(), Some("Zeppelin logbook"));
    assert_eq!(bot.types_offered("").await, ["Task", "Bug", "Initiative", "Epic"]);
    assert_eq!(bot.types_offered(" bu ").await, ["Bug"]);
    assert_eq!(bot.types_offered("story").await, [""; 0]);
    // Another choice counts from then on.
    bot.choose_project("ACCAN").await;
    assert_eq!(bot.types_offered("").await, ["Task", "Story", "Epic"]);
    bot.slack.fill("ada", &[("issue_type", "Epic")]).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.only_ticket(), ticket("ACCAN-1", "Epic"));
    assert_eq!(told(&bot), ["Created ACCAN-1: Zeppelin logbook"]);
}

#[tokio::test]
async fn a_type_chosen_before_the_project_is_that_of_the_same_name() {
    let bot = bot().await;
    let modal = open_create(&bot, "Zeppelin logbook").await;
    assert_eq!(modal.value("issue_type").as_deref(), Some("Story"));
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    // In this project the types have ids of their own.
    let chosen = bot.choose_project("ACCAN").await;
    assert_eq!(chosen.value("issue_type").as_deref(), Some("Task"));
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.only_ticket(), ticket("ACCAN-1", "Task"));
    assert!(bot.say("/maro tracked").await.contains("• ACCAN-1: Zeppelin logbook"));
}

#[tokio::test]
async fn a_form_that_jira_refused_keeps_its_project_and_the_types_of_it() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin logbook").await;
    bot.choose_project("OPS").await;
    bot.slack.fill("ada", &[("issue_type", "Bug"), ("description", "Leather")]).await.unwrap();
    // This project demands a severity, for which the form has no input yet.
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no form to correct")
    };
    assert!(modal.text().contains("Jira also requires: Severity."), "{}", modal.text());
    assert!(modal.value("project").unwrap().contains("OPS"), "{:?}", modal.value("project"));
    assert_eq!(modal.value("issue_type").as_deref(), Some("Bug"));
    assert_eq!(modal.value("summary").as_deref(), Some("Zeppelin logbook"));
    assert_eq!(modal.value("description").as_deref(), Some("Leather"));
    assert_eq!(bot.types_offered("").await, ["Task", "Bug", "Initiative", "Epic"]);
    bot.choose_project("SCRUM").await;
    assert_eq!(bot.types_offered("").await, ["Epic", "Story", "Task", "Bug"]);
    bot.slack.wait_for_modal("ada", |modal| modal.field("Severity").is_none()).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.only_ticket(), ticket("SCRUM-151", "Bug"));
}

#[tokio::test]
async fn of_several_similar_tickets_the_one_that_was_chosen_is_linked() {
    let bot = bot().await;
    bot.jira.add_issue(&key("SCRUM-201"), "User authentication flow for robots", "Open");
    open_create(&bot, "Authentication flow for users").await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no duplicates")
    };
    let offered = modal.text();
    assert!(offered.contains("SCRUM-123") && offered.contains("SCRUM-201"), "{offered}");
    let other = if offered.find("SCRUM-123") < offered.find("SCRUM-201") { "SCRUM-201" } else { "SCRUM-123" };
    bot.slack.press("ada", Press::button("Link this one").beside(other)).await.unwrap();
    bot.slack
        .wait_for_modal("ada", |modal| modal.text().contains("Linked this conversation to <"))
        .await
        .unwrap();
    for issue in ["SCRUM-123", "SCRUM-201"] {
        let is_chosen = issue == other;
        assert_eq!(bot.jira.remote_links(&key(issue)).len(), usize::from(is_chosen), "{issue}");
        assert_eq!(told(&bot)[0].contains(issue), is_chosen, "{:?}", told(&bot));
        assert_eq!(bot.say("/maro tracked").await.contains(issue), is_chosen, "{issue}");
    }
}

#[tokio::test]
async fn stories_stand_under_the_epic_that_was_named_and_in_its_project() {
    let bot = bot().await;
    bot.jira.add_epic(&key("ACCAN-7"), "Airships", "Open");
    let modal = open_stories(&bot, "accan-7").await;
    assert!(modal.text().contains("ACCAN-7") && modal.text().contains("Airships"), "{}", modal.text());
    bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let created = bot.jira.created_issues().remove(0);
    assert_eq!(created.parent, Some(key("ACCAN-7")));
    assert_eq!(bot.only_ticket(), ticket("ACCAN-8", "Story"));
    assert_eq!(told(&bot), ["Created a story under ACCAN-7:\n• ACCAN-8: Zeppelin logbook"]);
}

#[tokio::test]
async fn a_channel_is_kept_by_a_form_that_comes_back() {
    let bot = bot().await;
    bot.slack.use_shortcut("ada", "create_issue").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("channel").is_some()).await.unwrap();
    bot.slack.fill("ada", &[("summary", "Zeppelin logbook"), ("channel", "random")]).await.unwrap();
    let away = || Some(JiraFault::Status(503, None));
    bot.jira.set_next_faults_of("/search/jql", std::iter::repeat_with(away).take(6));
    bot.slack.submit("ada").await.unwrap();
    let is_back = |modal: &Modal| modal.text().contains("couldn't check for duplicates");
    let form = bot.slack.wait_for_modal("ada", is_back).await.unwrap();
    let workspace = bot.slack.workspace();
    let random = workspace.place("random", workspace.person("ada").unwrap()).unwrap().id;
    let element = form.view["blocks"].as_array().unwrap().iter().find(|block| block["block_id"] == "channel");
    let element = &element.unwrap()["element"];
    assert_eq!(element["initial_conversation"], json!(random.as_str()), "{element}");
    assert!(element.get("default_to_current_conversation").is_none(), "{element}");
}

#[tokio::test]
async fn a_project_that_offers_no_types_says_so() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin logbook").await;
    let none = json!({ "startAt": 0, "maxResults": 200, "total": 0, "issueTypes": [] });
    bot.jira.set_fault_of("/OPS/issuetypes", Some(JiraFault::Answer(200, none.to_string())));
    bot.choose_project("OPS").await;
    let says = |text: &'static str| move |modal: &Modal| modal.text().contains(text);
    let form =
        bot.slack.wait_for_modal("ada", says("MARO can't create issues in the OPS project")).await.unwrap();
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin logbook"));
    // Nor does an outage pass in silence.
    bot.jira.set_fault_of("/ACCAN/issuetypes", Some(JiraFault::Status(500, None)));
    bot.choose_project("ACCAN").await;
    bot.slack.wait_for_modal("ada", says("Jira is having problems right now.")).await.unwrap();
    bot.jira.set_fault_of("/ACCAN/issuetypes", None);
    crate::bot::until("Jira is back", async || {
        bot.slack.press("ada", Press::button("Try again")).await.ok();
        bot.slack.modal("ada").is_some_and(|form| form.field("labels").is_some())
    })
    .await;
    let form = bot.slack.modal("ada").unwrap();
    assert!(form.value("project").unwrap().contains("ACCAN"), "{:?}", form.value("project"));
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin logbook"));
}

#[tokio::test]
async fn a_channel_chosen_before_the_project_is_kept() {
    let bot = bot().await;
    bot.slack.use_shortcut("ada", "create_issue").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("channel").is_some()).await.unwrap();
    bot.slack.fill("ada", &[("summary", "Zeppelin logbook"), ("channel", "random")]).await.unwrap();
    let chosen = bot.choose_project("ACCAN").await;
    assert!(chosen.value("channel").is_some());
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.only_ticket(), ticket("ACCAN-1", "Story"));
    assert_eq!(told(&bot), [""; 0]);
    assert_eq!(bot.slack.posted("random").len(), 1);
    let list = bot.say_as("grace", "random", "/maro tracked").await;
    assert!(list.contains("• ACCAN-1: Zeppelin logbook"), "{list}");
}
