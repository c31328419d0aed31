//! `maro serve`: the bot, until it is told to stop.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{clock::Clock, config::Config, server::bot::Bot, telemetry};

pub(super) async fn run() -> anyhow::Result<ExitCode> {
    let config = Config::load().context("MARO cannot start")?;
    telemetry::start(&config.log);
    let bot = Bot::start(config, Clock::system()).await.context("MARO cannot start")?;
    tracing::info!(address = %bot.address(), "listening");
    wait_for_stop_signal().await?;
    tracing::info!("stopping");
    bot.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn wait_for_stop_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
