//! `MARO_JIRA_AS=person`: people see what their own accounts in Jira see, and read why they don't.

use insta::assert_snapshot;
use maro_access::JiraAs;
use maro_bot::config::Config;
use maro_jira::config::JiraCredentials;
use maro_process::secret::Secret;
use maro_simulation::{
    jira::{credentials::PERSONAL_ACCESS_TOKEN, faults::JiraFault},
    slack::people::{act_error::SubmitOutcome, pressing::Press},
};

use crate::{
    bot::{TestBot, key, tickets::create::open_create},
    built_components::PluginsFolder,
    raw::execute,
};

const SCOPES: [&str; 6] =
    ["chat:write", "commands", "channels:read", "groups:read", "users:read", "users:read.email"];

async fn bot(change: impl FnOnce(&mut Config)) -> TestBot {
    TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(&SCOPES);
        config.jira_as = JiraAs::Person;
        config.jira.default_project = Some("SCRUM".to_owned());
        change(config);
    })
    .await
}

#[tokio::test]
async fn people_see_what_their_own_accounts_see() {
    let bot = bot(|_| {}).await;
    bot.jira.hide_from("Grace Hopper", "SCRUM-123");
    assert_snapshot!(bot.say("/maro track SCRUM-123 SCRUM-124").await, @r"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    ");
    // What Grace may not see is as good as absent to her.
    assert_snapshot!(bot.say_as("grace", "general", "/maro track SCRUM-123 SCRUM-124").await, @r"
    SCRUM-123 not found in Jira
    SCRUM-124 is already tracked in this channel
    ");
    assert_snapshot!(bot.say_as("grace", "general", "/maro tracked").await, @r"
    Tracked Jira issues in #general:
    • SCRUM-123
    • SCRUM-124: Database migration (In Progress)
    ");
    assert_snapshot!(bot.say("/maro tracked").await, @r"
    Tracked Jira issues in #general:
    • SCRUM-123: User authentication flow (Open)
    • SCRUM-124: Database migration (In Progress)
    ");
}

#[tokio::test]
async fn data_center_is_asked_by_user_name() {
    let bot = bot(|config| {
        config.jira.credentials = JiraCredentials::DataCenter { token: Secret::new(PERSONAL_ACCESS_TOKEN) };
    })
    .await;
    bot.jira.hide_from("Grace Hopper", "SCRUM-123");
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking SCRUM-123"));
    assert_eq!(bot.say_as("grace", "general", "/maro track SCRUM-123").await, "SCRUM-123 not found in Jira");
}

#[tokio::test]
async fn what_cannot_be_found_out_is_not_shown_and_said() {
    let mut bot = bot(|_| {}).await;
    // Her address isn't confirmed in Slack.
    assert_snapshot!(bot.say_as("margaret", "general", "/maro track SCRUM-123").await, @"SCRUM-123 can't be \
    shown in this channel, because Slack has no confirmed email address for you, and MARO needs one to find \
    your Jira account. Confirm it in your Slack profile.");
    // His address is nobody's in Jira.
    assert_snapshot!(bot.say_as("linus", "general", "/maro track SCRUM-123").await, @"SCRUM-123 can't be \
    shown in this channel, because MARO can't find a Jira account with your email address. Make your address \
    visible in your Atlassian profile, or ask your Jira admin.");
    bot.jira.let_people_be_looked_up(false);
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"SCRUM-123 can't be shown in this channel, \
    because MARO's Jira account can't look up what you may see. A Jira admin can grant it the global \
    permission Browse users and groups.");
    bot.jira.let_people_be_looked_up(true);
    bot.slack.grant_scopes(&SCOPES[..5]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"SCRUM-123 can't be shown in this channel, \
    because MARO isn't allowed to read your email address in Slack, which it needs to find your Jira account. \
    Your MARO admin can add the scopes users:read and users:read.email to the Slack app.");
}

#[tokio::test]
async fn nobody_creates_where_they_may_not_look() {
    let bot = bot(|_| {}).await;
    bot.jira.hide_from("Ada Lovelace", "SCRUM");
    open_create(&bot, "Zeppelin logbook").await;
    // It isn't offered, so nobody could choose it.
    bot.choose_project("OPS").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    let mut forged = bot.slack.submission("ada").unwrap();
    let chosen = &mut forged["view"]["state"]["values"]["project"]["project"]["selected_option"];
    assert_eq!(chosen["value"], "OPS");
    chosen["value"] = "SCRUM".into();
    let answer = bot.slack.send_interaction(&forged).await.unwrap().json().unwrap().to_string();
    assert!(answer.contains("Issues can't be created in SCRUM from this channel"), "{answer}");
    assert_eq!(bot.jira.created_issues(), []);
}

#[tokio::test]
async fn the_person_who_asks_for_an_issue_is_its_reporter_where_jira_allows_that() {
    let bot = bot(|_| {}).await;
    open_create(&bot, "Zeppelin logbook").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let reporters = || -> Vec<_> {
        let created = bot.jira.requests().into_iter().filter(|request| request.path.ends_with("/issue"));
        let body = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
        created.map(|request| body(&request.body)["fields"]["reporter"]["id"].clone()).collect()
    };
    assert_eq!(reporters(), ["ada-lovelace"]);
    bot.jira.keep_reporters();
    open_create(&bot, "Zeppelin hangar").await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.jira.created_issues().len(), 2);
    assert_eq!(reporters()[1..], ["ada-lovelace".into(), serde_json::Value::Null]);
}

#[tokio::test]
async fn where_jira_tells_it_people_create_and_change_what_they_may() {
    let bot = bot(|_| {}).await;
    bot.jira.let_account_administer();
    bot.jira.take_permission("Ada Lovelace", "CREATE_ISSUES");
    assert_snapshot!(bot.say("/maro track SCRUM-123").await, @"Now tracking SCRUM-123: User authentication flow (Open)");
    open_create(&bot, "Zeppelin logbook").await;
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("created") };
    assert!(
        format!("{errors:?}")
            .contains("your own Jira account doesn't have the Create issues permission there"),
        "{errors:?}"
    );
    assert_eq!(bot.jira.created_issues(), []);
}

#[tokio::test]
async fn one_refusal_of_jira_to_tell_opens_nothing() {
    let bot = bot(|_| {}).await;
    bot.jira.let_account_administer();
    bot.jira.take_permission("Ada Lovelace", "CREATE_ISSUES");
    bot.jira.set_next_faults_of("/permissions/check", [Some(JiraFault::Status(403, None))]);
    open_create(&bot, "Zeppelin logbook").await;
    for _ in 0..2 {
        assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Errors(_)));
    }
    assert_eq!(bot.jira.created_issues(), []);
}

#[tokio::test]
async fn people_who_may_not_link_issues_in_jira_link_none() {
    let bot = bot(|_| {}).await;
    bot.jira.let_account_administer();
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
    bot.jira.take_permission("Ada Lovelace", "LINK_ISSUES");
    bot.press_again(&[&press]).await;
    assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 0);
    assert_eq!(bot.intents().await, ["failed"]);
}

#[tokio::test]
async fn plugins_change_what_the_person_may_change() {
    let grants = "grants = [\"jira\", \"jira-edit\", \"tracker-edit\"]";
    let folder = PluginsFolder::shipped().with_fixture("jira-calls", "jira-calls", grants);
    let bot = TestBot::with_settings_of(folder, |config, slack| {
        slack.grant_scopes(&SCOPES);
        config.jira_as = JiraAs::Person;
    })
    .await;
    bot.jira.let_account_administer();
    for (permission, name, call) in [
        ("ADD_COMMENTS", "Add comments", "comment SCRUM-123 hello"),
        ("TRANSITION_ISSUES", "Transition issues", "take SCRUM-123 11"),
    ] {
        bot.jira.take_permission("Ada Lovelace", permission);
        // Somebody else may, which says nothing of her.
        assert_eq!(bot.say_as("grace", "general", &format!("/maro jira-calls {call}")).await, "()");
        let answer = bot.say(&format!("/maro jira-calls {call}")).await;
        let lacks = format!("your own Jira account doesn't have the {name} permission");
        assert!(answer.contains(&lacks), "{answer}");
    }
    // Whatever else she may do goes on, until she may not.
    let assign = "/maro jira-calls assign SCRUM-123";
    assert_eq!(bot.say(&format!("{assign} grace-hopper")).await, "()");
    assert_eq!(bot.jira.comments(&key("SCRUM-123")).len(), 1, "Grace's");
}

#[tokio::test]
async fn what_jira_does_not_say_of_a_person_is_not_shown_to_them() {
    let bot = bot(|_| {}).await;
    bot.say("/maro track SCRUM-124").await;
    for fault in [JiraFault::Status(503, None), JiraFault::Status(403, None)] {
        bot.jira.set_fault_of("user/viewissue/search", Some(fault.clone()));
        let shown = bot.say_as("grace", "general", "/maro track SCRUM-123").await;
        assert!(shown.starts_with("SCRUM-123 can't be shown in this channel, because"), "{fault:?}: {shown}");
        let listed = bot.say_as("grace", "general", "/maro tracked").await;
        assert!(
            listed.contains("SCRUM-124") && !listed.contains("Database migration"),
            "{fault:?}: {listed}"
        );
    }
    bot.jira.set_fault_of("user/viewissue/search", None);
    assert!(bot.say_as("grace", "general", "/maro SCRUM-123").await.contains("User authentication flow"));
}
