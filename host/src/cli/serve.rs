//! `maro serve`: the bot, until it is told to stop.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{clock::Clock, config::Config, server::bot::Bot, telemetry};

pub(super) async fn run() -> anyhow::Result<ExitCode> {
    // Before anything that takes time: until then the signal ends the process by force.
    let mut stop = StopSignal::listen()?;
    let config = Config::load().context("MARO cannot start")?;
    telemetry::start(&config.log);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let bot = tokio::select! {
        bot = Bot::start(config, Clock::system()) => bot.context("MARO cannot start")?,
        () = stop.wait() => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(address = %bot.address(), "listening");
    stop.wait().await;
    tracing::info!("stopping");
    bot.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and SIGINT, which from here on no longer end the process by force.
pub(super) struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?,
        })
    }

    /// Waits for the first, which may have come already.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
