//! Whole requests to the running bot, rightly signed and otherwise altered at random.

use arbtest::arbtest;
use maro_jira::webhooks::signature as webhook_signature;
use maro_process::{clock::Clock, secret::Secret};
use maro_slack::signature;

use crate::{
    bot::{
        TestBot,
        server::http::{client, text},
    },
    built_components::PluginsFolder,
    fuzz::Corpus,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_signed_request_is_answered_and_none_stops_the_bot() {
    let secret = Secret::new("a webhook secret");
    let configured = secret.clone();
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.webhook_secret = Some(configured);
    })
    .await;
    let targets = ["slack/commands", "slack/interactions", "slack/events", "jira/webhook"];
    let corpora = ["commands", "interactions", "events", "webhooks"].map(Corpus::read);
    let client = client();
    let send = async |path: &str, body: Vec<u8>| {
        let timestamp = Clock::system().now().as_second().to_string();
        let signing = bot.config.slack.signing_secret.clone().unwrap();
        // An interaction travels in a form.
        let body = match path {
            "slack/interactions" => {
                let payload: String = url::form_urlencoded::byte_serialize(&body).collect();
                format!("payload={payload}").into_bytes()
            }
            _ => body,
        };
        let request = client
            .post(bot.url(path))
            .header("x-slack-signature", signature::sign(&signing, &timestamp, &body))
            .header("x-slack-request-timestamp", timestamp)
            .header(webhook_signature::SIGNATURE_HEADER, webhook_signature::sign(&secret, &body))
            .body(body);
        let status = request.send().await.expect("an answer").status().as_u16();
        assert!([200, 204, 400].contains(&status), "{path}: {status}");
    };
    for (path, corpus) in targets.iter().zip(&corpora) {
        for body in &corpus.0 {
            send(path, body.clone()).await;
        }
    }
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        arbtest(|random| {
            let number = random.int_in_range(0..=3)?;
            let body = corpora[number].altered(random)?;
            runtime.block_on(send(targets[number], body));
            Ok(())
        })
        .run();
    });
    assert!(text(&bot, "metrics").await.ends_with("# EOF\n"));
    let ready = text(&bot, "readyz").await;
    assert!(ready.starts_with("ready: 3 plugins serve"), "the bot is not as it was: {ready}");
    send("slack/commands", corpora[0].0[0].clone()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_about_notices_is_done_or_answered_with_how_to_say_it() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-124").await;
    let corpus = Corpus::read("notify");
    let ask = async |wish: &[u8]| {
        let wish = String::from_utf8_lossy(wish).replace(char::is_control, " ");
        let answer = bot.say(&format!("/maro notify {wish}")).await;
        assert!(!answer.trim().is_empty() && !answer.contains("incident"), "{wish:?}: {answer}");
    };
    for wish in &corpus.0 {
        ask(wish).await;
    }
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        arbtest(|random| {
            let mut wish = corpus.altered(random)?;
            wish.truncate(2_000);
            runtime.block_on(ask(&wish));
            Ok(())
        })
        .run();
    });
    assert_eq!(bot.slack.problems(), [""; 0]);
}
