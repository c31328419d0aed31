//! What is live: a page that lost its host, and a channel with very many messages.

use maro_dev::playground::PlaygroundPage;
use serde_json::json;

use crate::playground::{SAID, Stage, playground};

#[tokio::test]
async fn a_page_catches_up_with_a_host_that_was_restarted() {
    let Some(Stage { bot, builds, page, browser }) = Stage::open().await else { return };
    bot.slack.write("grace", "general", "Before the restart").unwrap();
    browser.see(SAID, "Before the restart").await;
    let address = page.url().socket_addrs(|| None).unwrap()[0];
    page.stop().await;
    browser.see("#connection", "Connection lost").await;
    bot.slack.write("grace", "general", "During the restart").unwrap();
    let _page = PlaygroundPage::start(address, playground(&bot, &builds)).await.unwrap();
    browser.see(SAID, "During the restart").await;
    assert_eq!(browser.texts(SAID).await, ["Before the restart", "During the restart"]);
    assert_eq!(browser.texts("#connection").await, [""]);
}

#[tokio::test]
async fn thousands_of_messages_leave_few_on_the_page() {
    let Some(stage) = Stage::open().await else { return };
    for number in 1..=2_500 {
        stage.bot.slack.write("grace", "general", &format!("Message number {number}")).unwrap();
    }
    stage.hear("Message number 2500").await;
    let count = "return document.querySelectorAll('#log > .message').length";
    let on_page = stage.browser.run(count, &[]).await.as_u64().unwrap();
    assert!((200..=400).contains(&on_page), "{on_page}");
    stage.browser.click("#earlier").await;
    assert_eq!(stage.browser.run(count, &[]).await, json!(400));
}
