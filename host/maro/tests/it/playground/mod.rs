//! The playground as people use it: what `maro dev` starts, in a real browser.

mod browser;
mod commands;
mod live;
mod markup;
mod plugins;
mod tickets;
mod time;
#[expect(dead_code, reason = "pictures for the README take more of it")]
mod webdriver;
mod who_may_use_it;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use maro_dev::{
    builds::Builds,
    playground::{PlaygroundPage, state::Playground},
};
use maro_process::{clock::Clock, secret::Secret};

use crate::{bot::TestBot, built_components::PluginsFolder, playground::browser::Browser};

/// The key Enter, as browsers' drivers take it.
const ENTER: char = '\u{e007}';

/// What each message of the channel says.
const SAID: &str = "#log > .message > .content > .said";

/// A bot, its page, and a browser that looks at it.
struct Stage {
    bot: TestBot,
    builds: Builds,
    page: PlaygroundPage,
    browser: Browser,
}

/// A bot that hears of changes in Jira, as the one of `maro dev`.
async fn bot() -> TestBot {
    let secret = Secret::new("a webhook secret");
    let bot =
        TestBot::in_surroundings(PluginsFolder::shipped(), Clock::turnable().into(), |config, slack| {
            slack.grant_all_scopes();
            slack.unfurl_links_to(config.jira.base_url.host_str().unwrap());
            config.plugins.hot_reload = true;
            config.jira.webhook_secret = Some(secret.clone());
        })
        .await;
    bot.jira.send_webhooks(bot.url("jira/webhook"), secret).unwrap();
    bot
}

fn playground(bot: &TestBot, builds: &Builds) -> Playground {
    Playground {
        slack: Arc::clone(&bot.slack),
        jira: Arc::clone(&bot.jira),
        registry: Arc::clone(bot.bot().registry()),
        builds: builds.clone(),
        clock: bot.clock.clone(),
    }
}

async fn page(bot: &TestBot, builds: &Builds) -> PlaygroundPage {
    PlaygroundPage::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), playground(bot, builds)).await.unwrap()
}

impl Stage {
    /// `None` where there is no browser.
    async fn open() -> Option<Self> {
        let browser = Browser::open().await?;
        let (bot, builds) = (bot().await, Builds::default());
        let page = page(&bot, &builds).await;
        browser.go(&page.url()).await;
        browser.see("#channel-title", "general").await;
        Some(Self { bot, builds, page, browser })
    }

    /// Types a line into the message box and sends it.
    async fn say(&self, line: &str) {
        self.browser.type_into("#message", &format!("{line}{ENTER}")).await;
    }

    /// Waits for a message with this text; the whole of what the latest such one says.
    async fn hear(&self, text: &str) -> String {
        self.browser.see(SAID, text).await
    }
}
