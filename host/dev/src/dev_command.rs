//! `maro dev`: with the plugins of this repository.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::{
    builds::Builds,
    program::program,
    rebuild::Rebuilder,
    session::{Dev, SessionSettings, say},
    session_file::DevLock,
};
use maro_kit::{
    languages::{component::toolbox, project::Project},
    repository::{self, Built},
    tryout::case_writer,
};
use maro_process::{stop_signal::StopSignal, telemetry};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Address the bot listens on
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to log: a level, or a list such as warn,maro=debug
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Playground address [default: port 3001, or a free one]
    #[arg(long, value_name = "ADDRESS")]
    page: Option<SocketAddr>,
    /// Use Socket Mode instead of HTTP
    #[arg(long)]
    socket: bool,
    /// Also build plugins/examples, in the background; the JavaScript and Python ones need their toolchains
    #[arg(long)]
    examples: bool,
    /// Also build and watch the plugin project at this path
    #[arg(long, value_name = "PROJECT")]
    plugin: Vec<PathBuf>,
    /// Record each plugin command as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Answer the HTTP requests of plugins from this file
    #[arg(long, value_name = "FILE")]
    http: Option<PathBuf>,
}

/// Runs until it's stopped.
///
/// # Errors
/// The plugins don't build, or a part can't be started.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&arguments.log);
    let mut stop_signal = StopSignal::listen_in_terminal()?;
    say("Building plugins from source…");
    let tools = toolbox(true);
    let built = stop_signal.or_exit(repository::build(&tools)).await?;
    let folder = std::env::current_dir().context("the working folder no longer exists")?;
    let Some(_lock) = DevLock::take(&folder).context("can't write to the folder .maro")? else {
        bail!(
            "maro dev is already running in this folder. Send it commands with `{} say '/maro help'`, or stop it first.",
            program()
        );
    };
    let plugins = built.output.clone();
    let rebuilder = arguments.rebuilder(built)?;
    let settings = SessionSettings {
        listen: arguments.listen,
        log: arguments.log,
        page: arguments.page,
        uses_sockets: arguments.socket,
        command: "dev",
        http: arguments.http,
    };
    let starting = Dev::start(settings, &folder, plugins, rebuilder.builds.clone());
    let dev = stop_signal.or_exit(starting).await?;
    // Recordings are made only if someone keeps them.
    if let Some(dir) = arguments.record
        && let Some(recordings) = dev.bot.recorder().listen()
    {
        say(&format!("Recording each plugin command in {}.", dir.display()));
        tokio::spawn(case_writer::keep_all(dir, recordings));
    }
    let commands = [
        "say '/maro track SCRUM-123 SCRUM-124 SCRUM-999'",
        "say '/maro tracked'",
        "say '/maro create Login flow for users'",
        "say --channel random --user grace '/maro help'",
    ];
    dev.run(&folder, rebuilder, &commands.map(str::to_owned), stop_signal).await
}

impl Arguments {
    /// What is rebuilt when its source is saved: the repository's plugins and the projects that the arguments
    /// name. Some of the repository's plugins are `built` already: those that build quickly.
    fn rebuilder(&self, built: Built) -> anyhow::Result<Rebuilder> {
        Ok(Rebuilder {
            examples: self.examples.then(|| built.sources.join("examples")),
            plugins: built.sources,
            more: self.plugin.iter().map(|folder| Project::open(folder)).collect::<Result<_, _>>()?,
            output: built.output,
            built: built.names,
            builds: Builds::default(),
        })
    }
}
