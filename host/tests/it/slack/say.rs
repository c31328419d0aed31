//! `maro say` prints what Slack would show, and nothing else.

use std::path::Path;

use maro::{
    cli::{
        dev_session::DevSession,
        say::{self, SayArguments},
    },
    clock::Clock,
    domain::{
        issue::IssueKey,
        reply::{Block, Reply, Span, Visibility},
    },
    sandbox::slack::SimulatedSlack,
};
use url::Url;

use super::{answer_with, start_bot, start_slack, text};

fn arguments(channel: &str, user: &str, words: &[&str]) -> SayArguments {
    SayArguments {
        channel: channel.to_owned(),
        user: user.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn note(slack: &SimulatedSlack, folder: &Path) {
    let nowhere = Url::parse("http://127.0.0.1:1/").unwrap();
    let session = DevSession {
        bot: nowhere.clone(),
        slack: slack.url().clone(),
        jira: nowhere,
        token: slack.operator_token().clone(),
        process_id: std::process::id(),
    };
    session.write(folder).unwrap();
}

async fn start_list_bot() -> (SimulatedSlack, tempfile::TempDir) {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |command| async move {
        let key = Span::Issue(IssueKey::parse("SCRUM-123").unwrap());
        let title = vec![text("Tracked Jira issues in "), Span::Channel, text(":")];
        let items = vec![vec![key, text(": R&D <login> *now* (Open)")]];
        let visibility = if command.text == "tracked" { Visibility::Caller } else { Visibility::Channel };
        let blocks = vec![Block::Paragraph(title), Block::Items(items)];
        answer_with(&Reply { visibility, blocks }, &command)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    note(&slack, folder.path());
    (slack, folder)
}

async fn said(folder: &Path, arguments: &SayArguments) -> (String, String) {
    let shown = say::say(arguments, folder).await.unwrap();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    say::print(&shown, &mut out, &mut notes).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

async fn refused(folder: &Path, arguments: &SayArguments) -> String {
    say::say(arguments, folder).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_reply_is_printed_as_slack_shows_it_and_its_visibility_beside() {
    let (_slack, folder) = start_list_bot().await;
    let (out, notes) = said(folder.path(), &arguments("general", "ada", &["/maro tracked"])).await;
    assert_eq!(out, "Tracked Jira issues in #general:\n• SCRUM-123: R&D <login> *now* (Open)\n");
    assert_eq!(notes, "Only visible to ada\n");
    let unquoted = arguments("#random", "@grace", &["/maro", "track", "SCRUM-123"]);
    let (out, notes) = said(folder.path(), &unquoted).await;
    assert_eq!(out, "Tracked Jira issues in #random:\n• SCRUM-123: R&D <login> *now* (Open)\n");
    assert_eq!(notes, "Visible to everyone in #random\n");
}

#[tokio::test]
async fn mistakes_are_explained() {
    let (slack, folder) = start_list_bot().await;
    let folder = folder.path();
    assert_eq!(
        refused(folder, &arguments("nowhere", "ada", &["/maro tracked"])).await,
        "There is no channel \"nowhere\". There are general, engineering, random, launch, hiring, dm."
    );
    assert_eq!(
        refused(folder, &arguments("general", "bob", &["/maro tracked"])).await,
        "There is nobody called \"bob\". There are ada, grace, linus, margaret."
    );
    for words in [&["tracked"][..], &["/tracked"], &["maro tracked"]] {
        assert_eq!(
            refused(folder, &arguments("general", "ada", words)).await,
            "Type a command of MARO, such as: maro say '/maro tracked'"
        );
    }
    slack.stop().await;
    assert_eq!(
        refused(folder, &arguments("general", "ada", &["/maro tracked"])).await,
        "No maro dev is running here: start it with `cargo run -- dev`."
    );
}

#[tokio::test]
async fn without_a_dev_session_it_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        refused(folder.path(), &arguments("general", "ada", &["/maro"])).await,
        "No maro dev is running here: start it with `cargo run -- dev`."
    );
}
