//! `maro serve`: runs the bot until it is told to stop.

use std::process::ExitCode;

use anyhow::Context as _;

use maro_bot::{
    bot::Bot,
    config::{Config, changed_files::ConfigWatch, load, sources::IgnoredVariable},
};
use maro_process::{
    clock::Clock,
    stop_signal::{OtherSignals, StopSignal},
    telemetry::LogFilter,
    traces::{self, Collector},
};

pub(super) async fn run() -> anyhow::Result<ExitCode> {
    // Comes before anything slow: until then, a signal kills the process.
    let mut stop = StopSignal::listen()?;
    let others = OtherSignals::listen()?;
    let watch = ConfigWatch::start();
    let config = Config::load().context("MARO can't start")?;
    let network = config.network().clone();
    let collector = config.traces.clone().map(|endpoint| Collector { endpoint, network });
    let (log, sending) = traces::start(&config.log, collector.as_ref());
    for exposure in config.exposures() {
        tracing::warn!(fix = exposure.fix, "{}", exposure.what);
    }
    for key in config.placeholders() {
        tracing::error!(key, "a secret is still the placeholder of MARO's example, which anybody can read");
    }
    if !load::has_file() {
        tracing::info!("there's no maro.toml in the working folder: all settings come from the environment");
    }
    for IgnoredVariable { name: variable, fix } in load::ignored_variables() {
        tracing::warn!(variable, fix, "a variable of the environment isn't a MARO setting, and is ignored");
    }
    for key in load::overridden() {
        tracing::info!(key, "the environment overrides a different value in maro.toml");
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let drain = config.connections.drain;
    let bot = tokio::select! {
        bot = Bot::start(config, Clock::system()) => bot.context("MARO can't start")?,
        _ = stop.wait() => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(address = %bot.address(), "listening");
    if let Some(address) = bot.operator_address() {
        tracing::info!(%address, "listening for operators");
    }
    tokio::select! {
        () = follow_settings(watch, &bot, &log) => {}
        () = others.ignore() => {}
        _ = stop.wait() => {}
    }
    bot.begin_draining();
    tracing::info!(drain_secs = drain.as_secs(), "stopping");
    // A second signal means that somebody doesn't want to wait.
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        _ = stop.wait() => {}
    }
    bot.stop().await;
    if let Some(traces) = sending {
        traces.end().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes over settings that change in files, for as long as the bot runs.
async fn follow_settings(mut watch: ConfigWatch, bot: &Bot, log: &LogFilter) {
    loop {
        let change = watch.changed().await;
        for key in &change.restart {
            tracing::warn!(key, "a changed setting needs a restart");
        }
        if !change.live.is_empty() {
            bot.adjust(&change.config);
            log.replace(&change.config.log);
            tracing::info!(settings = change.live.join(", "), "changed settings are in effect");
        }
    }
}
