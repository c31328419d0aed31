//! The plugins that MARO brings and that operators may add: off as they come, and what they do once they're granted.

use std::fs;

use maro_simulation::slack::{people::pressing::Press, shown::terminal};

use crate::{
    bot::{PATIENCE, TestBot, key, server::http::client},
    built_components::{self, PluginsFolder},
};

const NAMES: [&str; 5] = ["assign", "comment", "move", "search", "standup"];

/// The manifest that a plugin comes with, and with the grants that it names.
pub(crate) fn manifests(name: &str) -> (String, String) {
    let manifest = fs::read_to_string(built_components::optional().join(format!("{name}.toml"))).unwrap();
    let grants = manifest.lines().find_map(|line| line.strip_prefix("# grants = ")).unwrap();
    let granted = manifest.replace("\ngrants = []", &format!("\ngrants = {grants}"));
    assert_ne!(granted, manifest, "{name}");
    (manifest, granted)
}

/// MARO's own plugins, and these.
fn folder(is_granted: bool) -> PluginsFolder {
    NAMES.iter().fold(PluginsFolder::shipped(), |folder, name| {
        let component = fs::read(built_components::optional().join(format!("{name}.wasm"))).unwrap();
        let (as_it_comes, granted) = manifests(name);
        let manifest = if is_granted { granted } else { as_it_comes };
        folder
            .with_file(&format!("{name}.wasm"), &component)
            .with_file(&format!("{name}.toml"), manifest.as_bytes())
    })
}

#[tokio::test]
async fn each_is_off_until_it_is_granted_what_it_needs() {
    let bot = TestBot::with_plugins(folder(false)).await;
    for name in NAMES {
        let said = bot.say(&format!("/maro {name} SCRUM-123")).await;
        assert!(
            said.starts_with(&format!("/maro {name} is installed but isn't running right now.")),
            "{said}"
        );
    }
    let plugins = bot.say("/maro plugins").await;
    for grant in ["jira-edit", "storage", "clock"] {
        assert!(plugins.contains(grant), "{grant}: {plugins}");
    }
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
}

#[tokio::test]
async fn an_issue_is_moved_by_status_or_with_a_button() {
    let bot = TestBot::with_plugins(folder(true)).await;
    bot.say("/maro track SCRUM-123").await;
    let moved = bot.messages("ada", "general", "/maro move scrum-123 in progress").await.remove(0);
    let names = bot.slack.workspace().names();
    assert_eq!(terminal::message_text(&moved, &names), "@ada moved SCRUM-123 to In Progress.");
    assert_eq!(moved.visible_to, None);
    assert_eq!(
        bot.say("/maro tracked open").await.lines().nth(1),
        Some("• SCRUM-123: User authentication flow (In Progress)")
    );
    let asking = bot.messages("ada", "general", "/maro move SCRUM-123").await.remove(0);
    assert!(asking.visible_to.is_some());
    let before = bot.slack.messages().len();
    bot.slack.press_in("ada", &asking, Press::button("Finish → Done")).await.unwrap();
    let messages = bot.slack.wait_for(PATIENCE, |messages| messages.len() > before).await.unwrap();
    assert!(messages[before].text.contains("*Done*"), "{}", messages[before].text);
    assert!(bot.say("/maro move SCRUM-404 Done").await.contains("SCRUM-404 not found in Jira"));
    assert!(bot.say("/maro move Done").await.starts_with("Start with an issue key"));
}

#[tokio::test]
async fn a_comment_and_an_assignee_are_those_of_the_command() {
    let bot = TestBot::with_plugins(folder(true)).await;
    let said = bot.say("/maro comment SCRUM-123 Ready for R&D, <@U0GRACE0001|grace>").await;
    assert!(said.starts_with("@ada commented on SCRUM-123: Ready for R&D, @grace"), "{said}");
    let requests = bot.jira.requests();
    let sent = requests.iter().find(|request| request.path.ends_with("/issue/SCRUM-123/comment")).unwrap();
    let body = String::from_utf8_lossy(&sent.body).into_owned();
    assert!(body.contains("Ready for R&D, @grace") && body.contains("U0ADA000001"), "{body}");
    // People who follow the link see what was written, and what became of the issue.
    bot.jira.transition_issue(&key("SCRUM-123"), "Done");
    let page = client().get(format!("{}browse/SCRUM-123", bot.jira.base_url())).send().await.unwrap();
    let page = page.text().await.unwrap();
    bot.jira.comment_by_somebody(&key("SCRUM-124"), "Seen");
    let other = client().get(format!("{}browse/SCRUM-124", bot.jira.base_url())).send().await.unwrap();
    assert!(other.text().await.unwrap().contains("<strong>Barbara Liskov</strong><pre>Seen</pre>"));
    for words in [
        "<strong>MARO</strong><pre>Ready for R&amp;D, @grace",
        "A comment was added",
        "Status: Open → Done",
        "Reporter",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let elsewhere = bot.say("/maro comment <https://elsewhere.atlassian.net/browse/SCRUM-123> Hello").await;
    assert_eq!(elsewhere, "That link is to another Jira site.");
    assert!(bot.say("/maro comment SCRUM-123").await.starts_with("Enter the comment after the key."));
    assert!(
        bot.say("/maro assign SCRUM-123 Grace Hopper")
            .await
            .starts_with("@ada assigned SCRUM-123 to Grace Hopper.")
    );
}

#[tokio::test]
async fn what_stands_around_a_name_is_none_of_it() {
    let bot = TestBot::with_plugins(folder(true)).await;
    for typed in [
        "SCRUM-123 to Grace Hopper",
        "SCRUM 123 @Grace Hopper",
        "SCRUM-123: “Grace Hopper”.",
        "Grace Hopper to SCRUM-123",
    ] {
        let said = bot.say(&format!("/maro assign {typed}")).await;
        assert!(said.starts_with("@ada assigned SCRUM-123 to Grace Hopper."), "{typed}: {said}");
    }
    assert!(bot.say("/maro assign SCRUM-123 Nobody").await.starts_with("@ada unassigned SCRUM-123."));
    let elsewhere = "<https://elsewhere.atlassian.net/browse/SCRUM-123|SCRUM-123>";
    for command in [format!("assign {elsewhere} Grace Hopper"), format!("move {elsewhere} Done")] {
        assert_eq!(bot.say(&format!("/maro {command}")).await, "That link is to another Jira site.");
    }
    assert_eq!(bot.jira.status_and_assignee(&key("SCRUM-123")), Some(("Open".to_owned(), None)));
    let moved = bot.say("/maro move SCRUM-123 to \"in-progress\"").await;
    assert!(moved.starts_with("@ada moved SCRUM-123 to In Progress."), "{moved}");
    for typed in ["\"authentication\"", "authentication?", "User-authentication", "(authentication AND flow)"]
    {
        let found = bot.say(&format!("/maro search {typed}")).await;
        assert!(found.starts_with("• SCRUM-123: User authentication flow"), "{typed}: {found}");
    }
    assert_eq!(bot.say("/maro search *?").await, "No issues have *? in their summary.");
}

#[tokio::test]
async fn me_and_mentioned_people_are_found_by_their_address() {
    let bot = TestBot::with_plugins(folder(true)).await;
    let said = bot.say("/maro assign SCRUM-123 me").await;
    assert!(
        said.starts_with("SCRUM-123 can't be assigned to you, because MARO isn't allowed to read"),
        "{said}"
    );
    // The name that Slack writes beside it is another way.
    let said = bot.say("/maro assign SCRUM-123 <@U0GRACE0001|Grace Hopper>").await;
    assert!(said.starts_with("@ada assigned SCRUM-123 to Grace Hopper."), "{said}");
    let scopes = ["chat:write", "commands", "users:read", "users:read.email"];
    let bot = TestBot::with_settings_of(folder(true), |_, slack| slack.grant_scopes(&scopes)).await;
    let assignee = || bot.jira.status_and_assignee(&key("SCRUM-123")).and_then(|(_, assignee)| assignee);
    for (typed, said, name) in [
        ("SCRUM-123 me", "@ada assigned SCRUM-123 to themselves.", "Ada Lovelace"),
        ("<@U0GRACE0001> SCRUM-123", "@ada assigned SCRUM-123 to @grace.", "Grace Hopper"),
        ("SCRUM-123 to myself", "@ada assigned SCRUM-123 to themselves.", "Ada Lovelace"),
        ("SCRUM-123 <@U0GRACE0001|grace>", "@ada assigned SCRUM-123 to @grace.", "Grace Hopper"),
    ] {
        let answer = bot.say(&format!("/maro assign {typed}")).await;
        assert!(answer.starts_with(said), "{typed}: {answer}");
        assert_eq!(assignee(), Some(name), "{typed}");
    }
    let unknown = bot.say("/maro assign SCRUM-123 <@U0MARGARET1>").await;
    assert!(unknown.starts_with("SCRUM-123 can't be assigned to that person, because"), "{unknown}");
    for several in [
        "assign SCRUM-123, SCRUM-124 me",
        "comment SCRUM-123/SCRUM-124 Hello",
        "move SCRUM-123 and SCRUM-124 Done",
    ] {
        let said = bot.say(&format!("/maro {several}")).await;
        assert!(said.starts_with("Enter one issue at a time."), "{several}: {said}");
    }
    assert_eq!(assignee(), Some("Grace Hopper"));
}

#[tokio::test]
async fn keys_written_as_one_word_are_tracked() {
    let bot = TestBot::with_plugins(folder(false)).await;
    for (typed, tracked) in [
        ("SCRUM-123/SCRUM-124", &["SCRUM-123", "SCRUM-124"][..]),
        ("SCRUM-123|124+125", &["SCRUM-123", "SCRUM-124", "SCRUM-125"]),
        ("SCRUM-123..SCRUM-125", &["SCRUM-123", "SCRUM-124", "SCRUM-125"]),
    ] {
        let said = bot.say(&format!("/maro track {typed}")).await;
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), tracked.len(), "{typed}: {said}");
        let names = |(line, key): (&&str, &&str)| line.starts_with(&format!("Now tracking {key}: "));
        assert!(lines.iter().zip(tracked).all(names), "{typed}: {said}");
        bot.say(&format!("/maro untrack {typed}")).await;
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues"), "{typed}");
        let shown = bot.say(&format!("/maro {typed}")).await;
        assert!(tracked.iter().all(|key| shown.contains(&format!("{key}: "))), "{typed}: {shown}");
    }
}

#[tokio::test]
async fn what_is_found_is_tracked_with_a_button() {
    let bot = TestBot::with_plugins(folder(true)).await;
    let found = bot.messages("ada", "general", "/maro search authentication").await.remove(0);
    let names = bot.slack.workspace().names();
    let shown = terminal::text_with_buttons(&found, &names);
    assert!(shown.starts_with("• SCRUM-123: User authentication flow (Open, "), "{shown}");
    let before = bot.slack.messages().len();
    bot.slack.press_in("ada", &found, Press::button("Track").beside("SCRUM-123")).await.unwrap();
    let messages = bot.slack.wait_for(PATIENCE, |messages| messages.len() > before).await.unwrap();
    assert!(messages[before].text.starts_with("Now tracking"), "{}", messages[before].text);
    assert!(bot.say("/maro search zzzz").await.starts_with("No issues have zzzz in their summary."));
}

#[tokio::test]
async fn a_standup_shows_the_list_by_status() {
    let bot = TestBot::with_plugins(folder(true)).await;
    assert!(bot.say("/maro standup").await.starts_with("Nothing is tracked in #general yet."));
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-125").await;
    let shown = bot.say("/maro standup").await;
    assert!(
        shown.starts_with("Standup in #general:\nOpen (1)\n• SCRUM-123: User authentication flow"),
        "{shown}"
    );
    assert!(shown.contains("In Progress (1)\n• SCRUM-124: Database migration"), "{shown}");
    bot.jira.transition_issue(&key("SCRUM-124"), "Done");
    assert_eq!(bot.say("/maro standup").await, shown, "what Jira says now isn't known yet");
}

#[tokio::test]
async fn a_standup_names_what_cannot_be_shown() {
    let mut bot = TestBot::with_plugins(folder(true)).await;
    bot.say("/maro track SCRUM-123 SCRUM-125").await;
    bot.config.access = toml::from_str("projects = [\"OPS\"]").unwrap();
    bot.restart().await;
    let shown = bot.say("/maro standup").await;
    assert!(shown.contains("\nCan't be shown in this channel: SCRUM-123, SCRUM-125"), "{shown}");
}
