//! Who may do what, as `[roles]` says. Ada is the administrator.

use maro_access::role_settings::{Member, Roles};
use maro_domain::{
    caller::Person,
    ids::{TeamId, UserId},
};
use maro_simulation::slack::{
    people::{act_error::SubmitOutcome, pressing::Press},
    web_api::faults::SlackFault,
};
use serde_json::{Value, json};

use crate::{
    bot::{
        TestBot,
        server::http::signed,
        tickets::create::{open_create, told},
        until,
    },
    built_components::PluginsFolder,
    raw::query,
};

const SCOPES: [&str; 5] = ["chat:write", "commands", "channels:read", "groups:read", "usergroups:read"];

async fn bot(roles: Roles) -> TestBot {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.roles = roles;
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    bot.slack.grant_scopes(&SCOPES);
    bot
}

fn group(id: &str) -> Member {
    Member::try_from(id.to_owned()).unwrap()
}

async fn log(bot: &TestBot) -> Vec<String> {
    let log = "SELECT action || ' ' || subject || ' ' || outcome FROM audit_log ORDER BY id";
    query(&bot.config.database, log).await
}

const NOT_LISTED: &str =
    "You can't track or untrack issues: the role track doesn't include you. Your MARO admin can change that.";

#[tokio::test]
async fn a_list_is_changed_by_those_who_may_track() {
    let ada = Member::Admins;
    let bot = bot(Roles { track: vec![ada, group("S0ONCALL")], ..Roles::default() }).await;
    bot.slack.set_user_group("S0ONCALL", &[]);
    assert_eq!(bot.say_as("grace", "general", "/maro track SCRUM-123").await, NOT_LISTED);
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    assert_eq!(bot.say_as("grace", "general", "/maro untrack SCRUM-123").await, NOT_LISTED);
    // Reading isn't tracking.
    assert!(bot.say_as("grace", "general", "/maro tracked").await.contains("SCRUM-123"));
    let expected = ["track SCRUM-123 refused", "track SCRUM-123 done", "untrack SCRUM-123 refused"];
    assert_eq!(log(&bot).await, expected);
}

#[tokio::test]
async fn a_user_group_is_asked_of_slack_and_remembered() {
    let bot = bot(Roles { track: vec![group("S0ONCALL")], ..Roles::default() }).await;
    bot.slack.set_user_group("S0ONCALL", &["grace"]);
    assert!(bot.say_as("grace", "general", "/maro track SCRUM-123").await.starts_with("Now tracking"));
    assert_eq!(
        bot.say("/maro untrack SCRUM-123").await,
        NOT_LISTED,
        "administrators aren't in it by themselves"
    );
    assert!(bot.say_as("grace", "general", "/maro untrack SCRUM-123").await.starts_with("Stopped tracking"));
    assert_eq!(bot.slack.calls_of("usergroups.users.list").len(), 1);
}

#[tokio::test]
async fn what_slack_does_not_say_is_not_allowed() {
    let beginning = "You can't track or untrack issues: MARO can't tell whether you're in the group S0ONCALL of the \
                     role track. ";
    let roles = || Roles { track: vec![group("S0ONCALL")], ..Roles::default() };
    for (scopes, fault, cure) in [
        (
            &SCOPES[..4],
            None,
            "MARO's Slack app is missing the scope usergroups:read. Your MARO admin can add it, or change the role.",
        ),
        (&SCOPES[..], None, "Slack has no such group. Your MARO admin can change the role."),
        (&SCOPES[..], Some(SlackFault::Status(503)), "Slack isn't responding. Try again in a minute."),
    ] {
        let bot = bot(roles()).await;
        bot.slack.grant_scopes(scopes);
        if let Some(fault) = fault {
            bot.slack.set_fault("usergroups.users.list", fault);
        }
        let messages = bot
            .slack
            .run_command("general", "grace", "/maro track SCRUM-123", std::time::Duration::from_secs(20))
            .await
            .unwrap();
        let names = bot.slack.workspace().names();
        let text = maro_simulation::slack::shown::terminal::message_text(&messages[0], &names);
        assert_eq!(text, format!("{beginning}{cure}"));
        assert_eq!(log(&bot).await, ["track SCRUM-123 refused"]);
    }
}

#[tokio::test]
async fn issues_are_created_by_those_who_may() {
    let bot = bot(Roles { create: vec![Member::Admins], ..Roles::default() }).await;
    let refused =
        "Only MARO admins can create or link issues (role: create). Your MARO admin can change that.";
    assert_eq!(bot.say_as("grace", "general", "/maro create Zeppelin mast").await, refused);
    assert_eq!(bot.say_as("grace", "general", "/maro stories SCRUM-1").await, refused);
    open_create(&bot, "Zeppelin mast").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed));
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin mast"]);
    assert_eq!(log(&bot).await[..2], ["create  refused", "create SCRUM-1 refused"]);
}

#[tokio::test]
async fn a_form_that_was_open_before_is_refused_too() {
    let mut bot = bot(Roles::default()).await;
    open_create(&bot, "Zeppelin mast").await;
    bot.config.roles = Roles { create: vec![group("U0NOBODY")], ..Roles::default() };
    bot.restart().await;
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else { panic!("not refused") };
    assert!(modal.text().contains("You can't create or link issues"), "{}", modal.text());
    // What was typed stays: Slack may only have been away.
    assert_eq!(modal.value("summary").as_deref(), Some("Zeppelin mast"));
    assert!(bot.jira.created_issues().is_empty());
}

#[tokio::test]
async fn what_a_channel_hears_is_chosen_by_those_who_may_and_read_by_all() {
    let bot = bot(Roles { notify: vec![Member::Admins], ..Roles::default() }).await;
    let refused = "Only MARO admins can";
    for (wish, answer) in [
        ("notify", "This channel is notified when"),
        ("notify keys", "MARO doesn't answer messages here"),
        ("notify keys on", refused),
        ("notify done", refused),
    ] {
        let shown = bot.say_as("grace", "general", &format!("/maro {wish}")).await;
        assert!(shown.starts_with(answer), "{wish}: {shown}");
    }
    assert_eq!(log(&bot).await, ["notify keys on refused", "notify done refused"]);
}

#[tokio::test]
async fn plugins_are_managed_by_those_who_may() {
    let bot = bot(Roles { plugins: vec![group("S0OPS")], ..Roles::default() }).await;
    bot.slack.set_user_group("S0OPS", &["grace"]);
    let refused = bot.say("/maro plugins disable track").await;
    assert!(refused.starts_with("You can't reload plugins or turn them on and off:"), "{refused}");
    let done = bot.say_as("grace", "general", "/maro plugins disable track").await;
    assert!(done.contains("off"), "{done}");
    assert_eq!(log(&bot).await, ["plugins disable track refused", "plugin disable track done"]);
}

#[tokio::test]
async fn what_a_channel_hears_is_set_by_those_who_may() {
    let roles = Roles { notify: vec![Member::Admins], ..Roles::default() };
    let bot = bot(roles).await;
    bot.say("/maro track SCRUM-124").await;
    let refused = "Only MARO admins can change this channel's notifications (role: notify). Your MARO admin can \
                   change that.";
    for wish in ["off", "digest weekly mon 9:00", "SCRUM-124 off", "SCRUM-124 on"] {
        assert_eq!(bot.say_as("grace", "general", &format!("/maro notify {wish}")).await, refused, "{wish}");
    }
    // To read it changes nothing.
    assert!(
        bot.say_as("grace", "general", "/maro notify").await.starts_with("This channel is notified when")
    );
    assert!(bot.say("/maro notify SCRUM-124 off").await.contains("be notified about it any more"));
    let log = log(&bot).await;
    let refusals = log.iter().filter(|line| line.starts_with("notify") && line.ends_with("refused")).count();
    assert_eq!(refusals, 4, "{log:?}");
    // Each role is its own.
    let roles = Roles { track: vec![Member::Admins], create: vec![Member::Admins], ..Roles::default() };
    let bot = self::bot(roles).await;
    assert!(bot.say_as("grace", "general", "/maro notify off").await.starts_with("From now on"));
}

#[tokio::test]
async fn shortcuts_are_for_those_who_may_create() {
    let bot = bot(Roles { create: vec![Member::Admins], ..Roles::default() }).await;
    let message = bot.slack.write_as_app("general", json!({ "text": "Tide gauge 6" })).unwrap();
    bot.slack.use_message_shortcut("grace", &message, "create_from_message").await.unwrap();
    let is_noted =
        async |count| log(&bot).await.iter().filter(|line| line.ends_with("refused")).count() == count;
    until("it is refused", async || is_noted(1).await).await;
    bot.slack.use_shortcut("grace", "create_issue").await.unwrap();
    until("it is refused", async || is_noted(2).await).await;
    assert!(bot.slack.calls_of("views.open").is_empty());
    bot.slack.use_shortcut("ada", "create_issue").await.unwrap();
    until("the form opens", async || !bot.slack.calls_of("views.open").is_empty()).await;
}

/// What somebody of another workspace reads who has the same id as somebody of the bot's own.
pub(crate) async fn say_from_elsewhere(bot: &TestBot, user: &str, text: &str) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("command", "/maro"),
            ("text", text),
            ("channel_id", "C0GENERAL01"),
            ("user_id", user),
            ("team_id", "T09QUARRY7"),
        ])
        .finish();
    let answer = signed(bot, "slack/commands", body.as_bytes(), 0).send().await.unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_role_of_somebody_is_not_that_of_a_namesake_elsewhere() {
    let grace = "U0GRACE0001";
    for track in [group(grace), group("S0ONCALL"), Member::Admins] {
        let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
            config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()];
            config.admins = vec![Person { user: UserId::parse(grace).unwrap(), foreign_team: None }];
            config.roles = Roles { track: vec![track.clone()], ..Roles::default() };
        })
        .await;
        bot.slack.grant_scopes(&SCOPES);
        bot.slack.set_user_group("S0ONCALL", &["grace"]);
        let foreign = say_from_elsewhere(&bot, grace, "track SCRUM-123").await;
        assert!(foreign.contains("(role: track)") || foreign == NOT_LISTED, "{track:?}: {foreign}");
        let own = bot.say_as("grace", "general", "/maro track SCRUM-123").await;
        assert!(own.starts_with("Now tracking"), "{track:?}: {own}");
        let foreign = say_from_elsewhere(&bot, grace, "plugins disable track").await;
        assert!(!foreign.contains("is off"), "{foreign}");
    }
}

#[tokio::test]
async fn an_admin_may_be_written_with_the_bots_own_workspace() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        let own = TeamId::parse("T0SIMULATED").unwrap();
        config.admins = vec![Person { user: UserId::parse("U0GRACE0001").unwrap(), foreign_team: Some(own) }];
    })
    .await;
    until("she's known for an admin", async || {
        !bot.say_as("grace", "general", "/maro plugins reload").await.contains("Only MARO admins")
    })
    .await;
}

#[tokio::test]
async fn a_press_of_a_namesake_elsewhere_does_nothing() {
    let grace = "U0GRACE0001";
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()];
        config.roles = Roles { track: vec![group(grace)], ..Roles::default() };
    })
    .await;
    assert!(bot.say_as("grace", "general", "/maro track SCRUM-123").await.starts_with("Now tracking"));
    let list = bot.messages("grace", "general", "/maro tracked").await.remove(0);
    bot.slack.press_in("grace", &list, Press::button("Stop tracking").beside("SCRUM-123")).await.unwrap();
    until("it's removed", async || log(&bot).await.contains(&"untrack SCRUM-123 done".to_owned())).await;
    assert!(bot.say_as("grace", "general", "/maro track SCRUM-123").await.starts_with("Now tracking"));
    let mut foreign = bot.slack.interactions().pop().unwrap();
    assert_eq!((&foreign["type"], &foreign["user"]["id"]), (&json!("block_actions"), &json!(grace)));
    foreign["user"]["team_id"] = json!("T09QUARRY7");
    bot.slack.send_interaction(&foreign).await.unwrap();
    until("it's refused", async || log(&bot).await.contains(&"untrack SCRUM-123 refused".to_owned())).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123"));
}
