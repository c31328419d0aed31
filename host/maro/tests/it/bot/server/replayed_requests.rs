//! The same signed request, sent again: byte by byte, to the bot that handled it, to another one, and after a
//! restart. It acts once, and the sender of a copy is told nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use maro_domain::ids::ChannelId;
use maro_process::clock::Clock;
use maro_simulation::slack::people::{act_error::SubmitOutcome, pressing::Press};
use maro_slack::signature;
use serde_json::Value;

use crate::{
    bot::{
        TestBot,
        server::http::client,
        tickets::create::{open_create, told},
        until,
    },
    built_components::PluginsFolder,
    raw::query,
};

/// A request as Slack signed it.
struct Sent {
    path: &'static str,
    body: String,
    timestamp: String,
    signature: String,
}

impl Sent {
    fn new(bot: &TestBot, path: &'static str, body: String) -> Self {
        let timestamp = Clock::system().now().as_second().to_string();
        let secret = bot.config.slack.signing_secret.clone().unwrap();
        let signature = signature::sign(&secret, &timestamp, body.as_bytes());
        Self { path, body, timestamp, signature }
    }

    fn command(bot: &TestBot, text: &str) -> Self {
        let channel = channel(bot);
        let user = bot.slack.workspace().people[0].id.clone();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("command", "/maro"),
                ("text", text),
                ("channel_id", channel.as_str()),
                ("user_id", user.as_str()),
                ("trigger_id", &format!("{:x}", next_trigger())),
            ])
            .finish();
        Self::new(bot, "slack/commands", body)
    }

    fn interaction(bot: &TestBot, payload: &Value) -> Self {
        let payload = payload.to_string();
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).finish();
        Self::new(bot, "slack/interactions", body)
    }

    /// Sends it, and returns the body of the answer.
    async fn send(&self, to: &str) -> String {
        let response = client()
            .post(format!("{to}/{}", self.path))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", &self.timestamp)
            .header("x-slack-signature", &self.signature)
            .body(self.body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }
}

/// Slack gives each command another.
fn next_trigger() -> usize {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

fn channel(bot: &TestBot) -> ChannelId {
    bot.slack.workspace().channels[0].id.clone()
}

fn address(bot: &maro_bot::bot::Bot) -> String {
    format!("http://{}", bot.address())
}

async fn log(bot: &TestBot) -> Vec<String> {
    let log = "SELECT action || ' ' || subject || ' ' || coalesce(plugin, '-') || ' ' || outcome
        FROM audit_log ORDER BY id";
    query(&bot.config.database, log).await
}

#[tokio::test]
async fn a_command_sent_again_acts_once_and_says_nothing() {
    let mut bot = TestBot::start().await;
    let track = Sent::command(&bot, "track SCRUM-123");
    let untrack = Sent::command(&bot, "untrack SCRUM-123");
    let listed = Sent::command(&bot, "tracked");
    assert!(track.send(&address(bot.bot())).await.contains("Now tracking"));
    assert_eq!(track.send(&address(bot.bot())).await, "");
    assert!(listed.send(&address(bot.bot())).await.contains("SCRUM-123"));
    assert_eq!(listed.send(&address(bot.bot())).await, "", "what changes nothing is answered once, too");
    assert!(untrack.send(&address(bot.bot())).await.contains("Stopped tracking"));
    assert_eq!(track.send(&address(bot.bot())).await, "");
    bot.restart().await;
    for again in [&track, &untrack, &track] {
        assert_eq!(again.send(&address(bot.bot())).await, "", "after a restart");
    }
    let by_others = Sent::command(&bot, "track SCRUM-123 SCRUM-132");
    assert!(by_others.send(&address(bot.bot())).await.contains("Now tracking"));
    bot.restart().await;
    assert_eq!(untrack.send(&address(bot.bot())).await, "", "what was tracked since stays");
    let expected = [
        "track SCRUM-123 track done",
        "untrack SCRUM-123 untrack done",
        "track SCRUM-123 track done",
        "track SCRUM-132 track done",
    ];
    assert_eq!(log(&bot).await, expected);
    let late = crate::bot::server::http::text(&bot, "metrics").await;
    assert!(late.contains("reason=\"replayed\""), "{late}");
}

#[tokio::test]
async fn a_command_sent_to_two_bots_acts_once() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    let replica = bot.start_replica().await;
    let (ours, theirs) = (address(bot.bot()), address(&replica));
    let track = Sent::command(&bot, "track SCRUM-123");
    assert!(track.send(&ours).await.contains("Now tracking"));
    assert_eq!(track.send(&theirs).await, "");
    let untrack = Sent::command(&bot, "untrack SCRUM-123");
    assert!(untrack.send(&theirs).await.contains("Stopped tracking"));
    assert_eq!(untrack.send(&ours).await, "");
    // At the same moment.
    for round in 0..8 {
        let both = Sent::command(&bot, &format!("track SCRUM-{}", 123 + round));
        let (one, other) = tokio::join!(both.send(&ours), both.send(&theirs));
        assert!(one.is_empty() != other.is_empty(), "{one} {other}");
        let both = Sent::command(&bot, &format!("untrack SCRUM-{}", 123 + round));
        let (one, other) = tokio::join!(both.send(&ours), both.send(&theirs));
        assert!(one.is_empty() != other.is_empty(), "{one} {other}");
    }
    assert_eq!(log(&bot).await.iter().filter(|line| line.contains("SCRUM-124")).count(), 2);
    let disable = Sent::command(&bot, "plugins disable track");
    assert!(disable.send(&ours).await.contains("off"));
    let enable = Sent::command(&bot, "plugins enable track");
    assert!(enable.send(&ours).await.contains("on"));
    assert_eq!(disable.send(&theirs).await, "");
    assert_eq!(
        query(&bot.config.database, "SELECT count(*) || '' FROM plugin_switches WHERE enabled_at IS NULL")
            .await,
        ["0"]
    );
    replica.stop().await;
}

#[tokio::test]
async fn a_form_sent_to_two_bots_acts_once() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    open_create(&bot, "Zeppelin barometer").await;
    let form = Sent::interaction(&bot, &bot.slack.submission("ada").unwrap());
    let replica = bot.start_replica().await;
    let (ours, theirs) = (address(bot.bot()), address(&replica));
    form.send(&ours).await;
    bot.until_told().await;
    bot.until_finished().await;
    for again in [&ours, &theirs] {
        assert_eq!(form.send(again).await, "");
    }
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin barometer"]);
    let log = log(&bot).await;
    assert_eq!(log[0], "create SCRUM - begun");
    assert!(log.contains(&"create SCRUM-151 - done".to_owned()), "{log:?}");
    assert!(log.contains(&"track SCRUM-151 - done".to_owned()), "{log:?}");
    replica.stop().await;
}

#[tokio::test]
async fn what_slack_means_twice_is_answered_twice() {
    let bot = TestBot::start().await;
    let check = "{\"type\":\"url_verification\",\"challenge\":\"abc\",\"token\":\"x\"}";
    let check = Sent::new(&bot, "slack/events", check.to_owned());
    for _ in 0..2 {
        assert_eq!(check.send(&address(bot.bot())).await, "abc");
    }
    // The same words a second later are another request.
    open_create(&bot, "Zeppelin mast").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed));
    until("a message", async || !told(&bot).is_empty()).await;
}

/// What the bot said in #general or to anybody in it.
fn said(bot: &TestBot) -> usize {
    bot.slack.messages().iter().filter(|message| message.user.is_none()).count()
}

#[tokio::test]
async fn a_press_and_a_shortcut_sent_again_act_once_and_say_nothing() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    let list = bot.messages("ada", "general", "/maro tracked").await.remove(0);
    bot.slack.press_in("ada", &list, Press::button("Stop tracking").beside("SCRUM-123")).await.unwrap();
    let rows = "SELECT issue_key FROM channel_tracked_issues ORDER BY issue_key";
    until("it's removed", async || query(&bot.config.database, rows).await.is_empty()).await;
    let message = bot.slack.write_as_app("general", serde_json::json!({ "text": "See SCRUM-124" })).unwrap();
    bot.slack.use_message_shortcut("ada", &message, "track_from_message").await.unwrap();
    until("it's tracked", async || query(&bot.config.database, rows).await == ["SCRUM-124"]).await;
    let sent = bot.slack.interactions();
    let [press, shortcut] = &sent[..] else { panic!("{sent:#?}") };
    let (press, shortcut) = (Sent::interaction(&bot, press), Sent::interaction(&bot, shortcut));
    bot.say("/maro track SCRUM-123").await;
    bot.say("/maro untrack SCRUM-124").await;
    press.send(&address(bot.bot())).await;
    shortcut.send(&address(bot.bot())).await;
    until("both have acted", async || query(&bot.config.database, rows).await == ["SCRUM-124"]).await;
    bot.say("/maro track SCRUM-123").await;
    bot.say("/maro untrack SCRUM-124").await;
    // After a restart nothing but the database knows them.
    let mut bot = bot;
    bot.restart().await;
    let before = said(&bot);
    press.send(&address(bot.bot())).await;
    shortcut.send(&address(bot.bot())).await;
    let replayed =
        async || crate::bot::server::http::text(&bot, "metrics").await.contains("reason=\"replayed\"} 2");
    until("both were seen to be replays", replayed).await;
    assert_eq!(query(&bot.config.database, rows).await, ["SCRUM-123"]);
    assert_eq!(said(&bot), before);
}
