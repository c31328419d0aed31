//! The operators' channel hears once of each file that couldn't be loaded.

use std::time::Duration;

use insta::assert_snapshot;
use maro_simulation::slack::{shown::terminal, web_api::faults::SlackFault};

use crate::{
    bot::{TestBot, until},
    built_components::PluginsFolder,
    plugin_changes::{Changes, put},
    raw::query,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A bot that watches its folder and tells #engineering.
async fn bot(plugins: PluginsFolder) -> TestBot {
    TestBot::with_settings_of(plugins, |config, slack| {
        config.plugins.hot_reload = true;
        let channels = &slack.workspace().channels;
        config.plugins.channel =
            channels.iter().find(|channel| channel.name == "engineering").map(|channel| channel.id.clone());
    })
    .await
}

/// What the channel has been told, once it has heard of `file`.
async fn told(bot: &TestBot, file: &str) -> Vec<String> {
    let is_told = |shown: &str| shown.contains(file);
    let waiting = bot.slack.wait_for(PATIENCE, |messages| {
        messages.iter().any(|message| message.is_posted && is_told(&message.text))
    });
    assert!(waiting.await.is_some(), "nobody is told of {file}");
    let names = bot.slack.workspace().names();
    let posted = bot.slack.posted("engineering");
    posted.iter().map(|message| terminal::message_text(message, &names)).collect()
}

#[tokio::test]
async fn the_channel_is_told_once_of_each_file_that_could_not_be_loaded() {
    let mut bot = bot(PluginsFolder::shipped().with_file("first.wasm", b"?")).await;
    assert_snapshot!(told(&bot, "first.wasm").await.join("\n---\n"), @"• first.wasm couldn't be loaded: it isn't WebAssembly: build it with maro plugin build.");
    assert!(bot.slack.posted("engineering")[0].text.contains("build it with `maro plugin build`"));
    let folder = bot.plugins_folder().to_owned();
    put(&folder, "track.toml", b"grants = []");
    assert_snapshot!(told(&bot, "track.wasm").await[1], @r#"• track.wasm couldn't be loaded: it needs jira, tracker-edit, which is no longer granted: to let it run again, add "jira", "tracker-edit" to grants in track.toml."#);

    // Neither another look nor a restart repeats it; another content is news.
    bot.say("/maro plugins reload").await;
    bot.restart().await;
    put(&folder, "first.wasm", b"!");
    let mut changes = Changes::of(bot.bot().registry());
    changes.refusal("first.wasm").await;
    put(&folder, "last.wasm", b"?");
    let told = told(&bot, "last.wasm").await.join("\n");
    assert_eq!(told.matches("track.wasm").count(), 1, "{told}");
    assert_eq!(told.matches("first.wasm").count(), 2, "{told}");
}

#[tokio::test]
async fn what_the_channel_could_not_be_told_it_is_told_next_time() {
    let mut bot = bot(PluginsFolder::shipped()).await;
    bot.slack.set_fault("chat.postMessage", SlackFault::Error("fatal_error".to_owned()));
    let asked = bot.slack.calls_of("chat.postMessage").len();
    put(bot.plugins_folder(), "first.wasm", b"?");
    let claims = "SELECT file_name FROM plugin_refusals";
    until("it was tried in vain", async || {
        bot.slack.calls_of("chat.postMessage").len() > asked
            && query(&bot.config.database, claims).await.is_empty()
    })
    .await;
    bot.slack.clear_faults();
    bot.restart().await;
    told(&bot, "first.wasm").await;
}

#[tokio::test]
async fn a_channel_that_cannot_be_told_holds_nothing_up() {
    let bot = bot(PluginsFolder::shipped()).await;
    bot.slack.set_bot_in("engineering", false);
    let mut changes = Changes::of(bot.bot().registry());
    for number in 0..3 {
        let file = format!("broken-{number}.wasm");
        put(bot.plugins_folder(), &file, b"?");
        changes.refusal(&file).await;
    }
    assert_eq!(bot.bot().registry().plugins().refused.len(), 3);
}
