//! Every change that somebody makes has its entry in the audit log: who, where, what and what came of it.

use maro_simulation::slack::people::{act_error::SubmitOutcome, pressing::Press};

use crate::{
    bot::{TestBot, tickets::create::open_create, until},
    built_components::PluginsFolder,
    raw::query,
};

/// What the log has got since an entry.
async fn since(bot: &TestBot, id: usize) -> Vec<String> {
    let log = format!(
        "SELECT action || ' ' || subject || ' ' || coalesce(plugin, '-') || ' ' || outcome || ' ' || user_id || ' ' || channel_id
         FROM audit_log ORDER BY id LIMIT 1000 OFFSET {id}"
    );
    query(&bot.config.database, &log).await
}

async fn changes_are_noted(bot: TestBot) {
    let (ada, general) = {
        let workspace = bot.slack.workspace();
        (workspace.people[0].id.to_string(), workspace.channels[0].id.to_string())
    };
    let mut known = 0;
    // Each step, and what the log has after it.
    let steps: [(&str, &[&str]); 12] = [
        ("/maro track SCRUM-123 SCRUM-124", &["track SCRUM-123 track done", "track SCRUM-124 track done"]),
        ("/maro untrack SCRUM-124", &["untrack SCRUM-124 untrack done"]),
        ("/maro notify all", &["notify all - done"]),
        ("/maro notify digest daily 09:00", &["notify digest daily 9:00 - done"]),
        ("/maro notify SCRUM-123 off", &["notify off SCRUM-123 - done"]),
        ("/maro notify keys on", &["notify keys on - done"]),
        ("/maro plugins disable tracked", &["plugin disable tracked - done"]),
        ("/maro plugins enable tracked", &["plugin enable tracked - done"]),
        ("/maro plugins reload", &["plugin reload all - begun"]),
        ("/maro tracked", &[]),
        ("/maro track SCRUM-123", &[]),
        ("/maro untrack SCRUM-999", &[]),
    ];
    for (typed, expected) in steps {
        bot.say(typed).await;
        let noted = since(&bot, known).await;
        known += noted.len();
        let expected: Vec<String> = expected.iter().map(|entry| format!("{entry} {ada} {general}")).collect();
        assert_eq!(noted, expected, "{typed}");
    }
    // What is pressed is noted as what is typed: a removal from the list, and its Undo.
    let list = bot.messages("ada", "general", "/maro tracked").await.remove(0);
    bot.slack.press_in("ada", &list, Press::button("Stop tracking").beside("SCRUM-123")).await.unwrap();
    until("it's noted", async || since(&bot, known).await.len() == 1).await;
    assert_eq!(since(&bot, known).await, [format!("untrack SCRUM-123 untrack done {ada} {general}")]);
    known += 1;
    // A ticket, and what follows from it.
    open_create(&bot, "Zeppelin mast").await;
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    bot.until_finished().await;
    let mut noted = since(&bot, known).await;
    known += noted.len();
    noted.sort();
    let expected = ["create SCRUM - begun", "create SCRUM-151 - done", "track SCRUM-151 - done"];
    assert_eq!(noted, expected.map(|entry| format!("{entry} {ada} {general}")));
    // What waits for the person's answer has changed nothing.
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    assert_eq!(since(&bot, known).await, [""; 0]);
}

#[tokio::test]
async fn every_change_has_its_entry() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
    });
    changes_are_noted(bot.await).await;
}

#[tokio::test]
async fn every_change_has_its_entry_on_postgresql() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    changes_are_noted(bot).await;
}
