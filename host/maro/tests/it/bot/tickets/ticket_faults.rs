//! Neighbours that fail while a ticket is on its way.

use std::time::Duration;

use maro_access::role_settings::Member;
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{people::act_error::SubmitOutcome, web_api::faults::SlackFault},
};

use crate::{
    bot::{
        TestBot,
        tickets::{
            create::{bot, open_create, read, told},
            double_submissions::SLOW,
        },
    },
    built_components::PluginsFolder,
};

#[tokio::test]
async fn a_channel_that_cannot_be_told_does_not_make_the_ticket_fail() {
    // The second is what Slack says of a private channel.
    for refusal in ["not_in_channel", "channel_not_found"] {
        let bot = bot().await;
        bot.slack.set_bot_in("general", false);
        bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read"]);
        open_create(&bot, "Zeppelin ballast").await;
        bot.slack.set_fault("chat.postMessage", SlackFault::Error(refusal.to_owned()));
        let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
            panic!("no word of it")
        };
        let shown = read(&bot, &modal);
        assert!(shown.starts_with("Created SCRUM-151: Zeppelin ballast"), "{shown}");
        assert!(shown.contains("Invite it with /invite"), "{refusal}: {shown}");
        bot.slack.clear_faults();
        assert!(bot.say("/maro tracked").await.contains("SCRUM-151"));
    }
}

#[tokio::test]
async fn a_limit_on_messages_is_waited_for() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin propeller").await;
    let limited = SlackFault::RateLimited { retry_after: 1 };
    bot.slack.set_next_faults("chat.postMessage", [Some(limited), None]);
    bot.slack.submit("ada").await.unwrap();
    bot.slack.wait_for(Duration::from_secs(20), |_| !told(&bot).is_empty()).await.unwrap();
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin propeller"]);
}

#[tokio::test]
async fn a_message_whose_confirmation_is_lost_is_not_sent_twice() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin gondola").await;
    bot.slack.set_next_faults("chat.postMessage", [Some(SlackFault::LostAnswer)]);
    bot.slack.submit("ada").await.unwrap();
    bot.slack.wait_for(Duration::from_secs(20), |_| !told(&bot).is_empty()).await.unwrap();
    assert!(bot.say("/maro tracked").await.contains("SCRUM-151"));
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin gondola"]);
}

#[tokio::test]
async fn a_modal_that_slack_does_not_open_is_told() {
    let bot = bot().await;
    bot.slack.set_fault("views.open", SlackFault::Error("expired_trigger_id".to_owned()));
    assert_eq!(bot.say("/maro create").await, "The form took too long to open. Try again.");
    bot.slack.set_fault("views.open", SlackFault::Error("fatal_error".to_owned()));
    assert_eq!(
        bot.say("/maro stories SCRUM-101").await,
        "MARO couldn't open the form. Try again in a moment."
    );
}

#[tokio::test]
async fn a_person_who_closes_the_form_too_early_is_told_what_came_of_it() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin is odd").await;
    bot.jira.refuse_summaries_with("odd", "No odd things.");
    bot.jira.set_next_faults_of("/issue", [Some(SLOW)]);
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    bot.slack.close("ada").await.unwrap();
    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    let heard = || bot.slack.posted(ada.direct_message.as_str());
    bot.slack.wait_for(Duration::from_secs(20), |_| !heard().is_empty()).await.unwrap();
    assert!(heard()[0].text.starts_with("MARO had a question about your issue"), "{:?}", heard());
    assert_eq!(bot.jira.created_issues(), []);
    assert_eq!(told(&bot), [""; 0]);
}

#[tokio::test]
async fn a_search_that_fails_never_keeps_anyone_from_creating() {
    for fault in [JiraFault::Html, JiraFault::Status(403, None), JiraFault::MissingScope] {
        let bot = bot().await;
        open_create(&bot, "Zeppelin rudder").await;
        // What isn't asked for again.
        bot.jira.set_next_faults_of("/search/jql", [Some(fault)]);
        let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else {
            panic!("no word of it")
        };
        let shown = read(&bot, &modal);
        assert!(shown.starts_with("Created SCRUM-151: Zeppelin rudder"), "{shown}");
        assert!(shown.contains("couldn't check for duplicates"), "{shown}");
        assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin rudder"]);
    }
}

#[tokio::test]
async fn a_link_that_jira_refuses_tracks_nothing() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.slack.submit("ada").await.unwrap();
    bot.jira.set_fault(JiraFault::Status(403, None));
    bot.slack
        .press(
            "ada",
            maro_simulation::slack::people::pressing::Press::button("Link this one").beside("SCRUM-123"),
        )
        .await
        .unwrap();
    let modal =
        bot.slack.wait_for_modal("ada", |modal| modal.text().contains("doesn't allow")).await.unwrap();
    assert!(read(&bot, &modal).starts_with("Jira doesn't allow MARO to do this"));
    // The question is still there, to be answered in another way.
    assert_eq!(modal.title(), "Possible duplicates");
    assert!(read(&bot, &modal).contains("SCRUM-123"), "{}", modal.text());
    assert_eq!(told(&bot), [""; 0]);
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
}

#[tokio::test]
async fn duplicates_are_looked_for_as_long_as_it_takes() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.jira.set_next_faults_of("/search/jql", [Some(JiraFault::Slow(Duration::from_secs(4)))]);
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    let modal =
        bot.slack.wait_for_modal("ada", |modal| modal.title() == "Possible duplicates").await.unwrap();
    assert!(read(&bot, &modal).contains("SCRUM-123"), "{}", modal.text());
    assert_eq!(bot.jira.created_issues(), []);
}

/// The form that says that duplicates couldn't be looked for.
async fn unanswered(
    bot: &maro_simulation::slack::SimulatedSlack,
) -> maro_simulation::slack::modals::modal::Modal {
    bot.submit("ada").await.unwrap();
    bot.wait_for_modal("ada", |modal| modal.text().contains("couldn't check for duplicates")).await.unwrap()
}

#[tokio::test]
async fn a_person_who_waits_in_vain_for_the_search_decides() {
    let bot = bot().await;
    open_create(&bot, "Authentication flow for users").await;
    bot.slack.fill("ada", &[("description", "As typed")]).await.unwrap();
    let away = || Some(JiraFault::Status(503, None));
    bot.jira.set_next_faults_of("/search/jql", std::iter::repeat_with(away).take(6));
    let form = unanswered(&bot.slack).await;
    assert_eq!(form.view["submit"]["text"], "Try again");
    assert_eq!(form.value("description").as_deref(), Some("As typed"));
    assert_eq!((bot.jira.created_issues().len(), told(&bot)), (0, Vec::new()));
    // Jira is back, and the same form looks again.
    bot.jira.set_next_faults_of("/search/jql", []);
    crate::bot::until("the search is answered", async || {
        bot.slack.submit("ada").await.unwrap();
        bot.slack.modal("ada").is_some_and(|modal| modal.title() == "Possible duplicates")
    })
    .await;
    bot.slack.close("ada").await.unwrap();

    open_create(&bot, "Zeppelin rudder").await;
    bot.jira.set_next_faults_of("/search/jql", std::iter::repeat_with(away).take(6));
    unanswered(&bot.slack).await;
    bot.slack.fill("ada", &[("summary", "Zeppelin elevator")]).await.unwrap();
    bot.slack.press("ada", "Create anyway").await.unwrap();
    bot.slack.wait_for(Duration::from_secs(20), |_| !told(&bot).is_empty()).await.unwrap();
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin elevator"]);
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn closing_the_form_cancels_what_has_not_begun() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin rudder").await;
    bot.jira.set_next_faults_of("/search/jql", [Some(JiraFault::Slow(Duration::from_secs(4)))]);
    let SubmitOutcome::Updated(progress) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no progress")
    };
    assert!(read(&bot, &progress).contains("nothing is created"), "{}", progress.text());
    bot.slack.close("ada").await.unwrap();
    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    let heard = || bot.slack.posted(ada.direct_message.as_str());
    bot.slack.wait_for(Duration::from_secs(20), |_| !heard().is_empty()).await.unwrap();
    let said = "You closed the form before MARO started on your issue, so nothing was created.";
    assert!(heard()[0].text.starts_with(said), "{:?}", heard());
    assert_eq!((bot.jira.created_issues().len(), told(&bot)), (0, Vec::new()));
    // The search would have found something, and so it asks nothing.
    open_create(&bot, "Authentication flow for users").await;
    bot.jira.set_next_faults_of("/search/jql", [Some(JiraFault::Slow(Duration::from_secs(4)))]);
    bot.slack.submit("ada").await.unwrap();
    bot.slack.close("ada").await.unwrap();
    bot.slack.wait_for(Duration::from_secs(20), |_| heard().len() > 1).await.unwrap();
    assert!(heard()[1].text.starts_with(said), "{:?}", heard());
    assert_eq!(bot.jira.created_issues(), []);
}

/// Ada reads that her form was closed in time.
async fn is_told_that_nothing_was_created(bot: &TestBot) {
    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    let heard = || bot.slack.posted(ada.direct_message.as_str());
    bot.slack.wait_for(Duration::from_secs(30), |_| !heard().is_empty()).await.unwrap();
    assert!(heard()[0].text.starts_with("You closed the form before MARO started"), "{:?}", heard());
    assert_eq!(bot.jira.created_issues(), []);
}

#[tokio::test]
async fn closing_a_form_that_is_not_even_a_draft_cancels_it() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin rudder").await;
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    bot.slack.close("ada").await.unwrap();
    is_told_that_nothing_was_created(&bot).await;
}

#[tokio::test]
async fn closing_a_form_that_is_tried_again_cancels_it() {
    let mut bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
        config.roles.create = vec![Member::try_from("S0ONCALL".to_owned()).unwrap()];
    })
    .await;
    bot.slack.grant_scopes(&["chat:write", "commands", "channels:read", "groups:read", "usergroups:read"]);
    bot.slack.set_user_group("S0ONCALL", &["ada"]);
    open_create(&bot, "Zeppelin is odd").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    bot.jira.refuse_summaries_with("odd", "No odd things.");
    let SubmitOutcome::Errors(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
    assert_eq!(bot.intents().await, ["failed"]);
    bot.slack.fill("ada", &[("summary", "Zeppelin rudder")]).await.unwrap();
    // Nothing is remembered, so Slack and Jira are asked for longer than the window shows the form.
    bot.restart().await;
    bot.slack.set_next_faults("usergroups.users.list", [Some(SlackFault::Slow(Duration::from_secs(2)))]);
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let SubmitOutcome::Updated(progress) = bot.slack.submit("ada").await.unwrap() else {
        panic!("no progress")
    };
    assert!(read(&bot, &progress).contains("nothing is created"), "{}", progress.text());
    bot.slack.close("ada").await.unwrap();
    is_told_that_nothing_was_created(&bot).await;
}

#[tokio::test]
async fn closing_the_form_leaves_alone_what_has_begun() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin rudder").await;
    bot.jira.set_next_faults_of("/issue", [Some(SLOW)]);
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    bot.slack.close("ada").await.unwrap();
    bot.slack.wait_for(Duration::from_secs(20), |_| !told(&bot).is_empty()).await.unwrap();
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin rudder"]);
    let ada = bot.slack.workspace().people.iter().find(|person| person.name == "ada").unwrap();
    assert_eq!(bot.slack.posted(ada.direct_message.as_str()).len(), 0);
}

#[tokio::test]
async fn a_form_that_comes_back_has_its_selects_as_they_were() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.choose_project("OPS").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    let form =
        bot.slack.wait_for_modal("ada", |modal| modal.field("customfield_10050").is_some()).await.unwrap();
    let kind = form.field("customfield_10050").unwrap().kind;
    bot.slack.fill("ada", &[("customfield_10050", "High")]).await.unwrap();
    let away = || Some(JiraFault::Status(503, None));
    bot.jira.set_next_faults_of("/search/jql", std::iter::repeat_with(away).take(6));
    let form = unanswered(&bot.slack).await;
    let field = form.field("customfield_10050").unwrap();
    assert_eq!((field.kind, field.value.as_deref()), (kind, Some("High")));
}
