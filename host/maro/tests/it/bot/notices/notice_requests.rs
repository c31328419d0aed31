//! How often Jira is asked while much changes and several replicas tell of it: hardly more often than once in a second,
//! however many channels hear of how many changes.

use std::time::{Duration, Instant};

use maro_bot::bot::Bot;

use crate::{
    bot::{
        TestBot, key,
        notices::told::{on_postgres, told_in, waiting, webhook},
        sync::webhooks::{deliver_to, id_of},
        until,
    },
    raw::query,
};

const CHANNELS: [&str; 3] = ["general", "random", "launch"];
/// As many as one message about many shows.
const ISSUES: usize = 20;
const REPLICAS: usize = 3;

/// The time between two changes.
const PACE: Duration = Duration::from_millis(400);

fn name(number: usize) -> String {
    format!("SCRUM-{}", 70_001 + number)
}

/// Each issue is on three lists.
async fn track_all(bot: &TestBot) -> Vec<String> {
    for number in 0..ISSUES {
        bot.jira.add_issue(&key(&name(number)), &format!("Part {number}"), "Open");
    }
    let names: Vec<String> = (0..ISSUES).map(name).collect();
    for channel in CHANNELS {
        for names in names.chunks(20) {
            bot.say_as("ada", channel, &format!("/maro track {}", names.join(" "))).await;
        }
    }
    let mut ids = Vec::new();
    for name in &names {
        ids.push(id_of(bot, name).await);
    }
    ids
}

/// How many messages to channels say that an issue is done.
fn told(bot: &TestBot, number: usize) -> usize {
    let line = format!("{}: Open → Done", name(number));
    CHANNELS
        .iter()
        .flat_map(|channel| told_in(bot, channel))
        .filter(|text| text.lines().any(|told| told.contains(&line)))
        .count()
}

/// How often Jira was asked for issues.
fn asked(bot: &TestBot) -> usize {
    let path = |path: &str| path.contains("/issue") || path.contains("/search");
    bot.jira.requests().iter().filter(|request| path(&request.path)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_together_ask_jira_little_for_what_they_tell() {
    let Some(bot) = on_postgres().await else { return };
    let ids = track_all(&bot).await;
    let mut replicas: Vec<Bot> = Vec::new();
    for _ in 1..REPLICAS {
        replicas.push(bot.start_replica().await);
    }
    let mut urls = vec![bot.url("jira/webhook").to_string()];
    urls.extend(replicas.iter().map(|replica| format!("http://{}/jira/webhook", replica.address())));
    let (before, began) = (asked(&bot), Instant::now());
    for (number, id) in ids.iter().enumerate() {
        bot.jira.transition_issue(&key(&name(number)), "Done");
        let body = webhook(id, &name(number), "Open", "Done", "Grace Hopper");
        assert_eq!(deliver_to(&urls[number % urls.len()], &format!("webhook {number}"), &body).await, 204);
        tokio::time::sleep(PACE).await;
    }
    until("all are told", async || waiting(&bot).await == ["0"]).await;
    let (asked, seconds) = (asked(&bot) - before, began.elapsed().as_secs_f64());
    println!("{asked} requests in {seconds:.1} s");
    // Each was told once in each channel, alone or with others.
    let states = "SELECT state || ' ' || count(*) FROM notice_outbox WHERE kind <> 'head' GROUP BY state";
    assert_eq!(query(&bot.config.database, states).await, [format!("sent {}", ISSUES * CHANNELS.len())]);
    let often: Vec<usize> = (0..ISSUES).map(|number| told(&bot, number)).collect();
    assert_eq!(often, [CHANNELS.len(); ISSUES]);
    assert!((asked as f64) < 1.5 * seconds + 5.0, "{asked} requests in {seconds:.1} s");
    for replica in replicas {
        replica.stop().await;
    }
}
