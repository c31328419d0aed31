//! `maro plugin dev`: with one plugin, from its project's folder alone.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::sync::mpsc;

use crate::{
    builds::Builds,
    rebuild::Rebuilder,
    session::{Dev, SessionSettings, say},
    session_file::{DevLock, FOLDER},
};
use maro_kit::{
    languages::{
        component::{build_into, toolbox},
        project::Project,
    },
    tryout::{case_writer, transcript::transcript},
};
use maro_process::{stop_signal::StopSignal, telemetry};
use maro_runtime::recording::{cases::ending_lines, recorder::Recording, tape::Ending};

#[derive(Debug, Args)]
pub struct ProjectArguments {
    /// The plugin's project
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Address the bot listens on [default: a free port]
    #[arg(long, default_value = "127.0.0.1:0", hide_default_value = true, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What to log: a level, or a list such as warn,maro=debug
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
    /// Playground address [default: port 3001, or a free one]
    #[arg(long, value_name = "ADDRESS")]
    page: Option<SocketAddr>,
    /// Record each command as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Answer the plugin's HTTP requests from this file
    #[arg(long, value_name = "FILE")]
    http: Option<PathBuf>,
}

/// `maro plugin dev`: as [`crate::dev_command::run`], with one plugin, from its project's folder alone.
///
/// # Errors
/// The folder is no project, or a part can't be started.
pub async fn run(arguments: ProjectArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(&arguments.log);
    let mut stop_signal = StopSignal::listen_in_terminal()?;
    let project = Project::open(&arguments.project)?;
    let (name, folder) = (project.name.clone(), project.folder.clone());
    let Some(_lock) = DevLock::take(&folder).context("can't write to the folder .maro")? else {
        bail!("maro plugin dev is already running for {name}: stop it first.");
    };
    let output = folder.join(FOLDER).join("plugins");
    // This build tells what it downloads. If it fails, the next save is another chance.
    let tools = toolbox(true);
    if let Err(error) = stop_signal.or_exit(build_into(&project, &output, &tools)).await {
        say(&format!("✗ {:#}", error.told(format!("{name} failed to build"))));
    }
    std::fs::create_dir_all(&output).context("can't write to the folder .maro")?;
    let rebuilder = Rebuilder {
        plugins: output.clone(),
        examples: None,
        more: vec![project],
        output: output.clone(),
        built: Vec::new(),
        builds: Builds::default(),
    };
    let settings = SessionSettings {
        listen: arguments.listen,
        log: arguments.log,
        page: arguments.page,
        uses_sockets: false,
        command: "plugin dev",
        http: arguments.http,
    };
    let starting = Dev::start(settings, &folder, output, rebuilder.builds.clone());
    let dev = stop_signal.or_exit(starting).await?;
    if let Some(recordings) = dev.bot.recorder().listen() {
        tokio::spawn(show_commands(recordings, arguments.record));
    }
    dev.run(&folder, rebuilder, &[format!("say '/maro {name}'")], stop_signal).await
}

/// Shows what happened behind each command, and keeps it as a case if there is a folder for that.
async fn show_commands(mut recordings: mpsc::Receiver<Recording>, dir: Option<PathBuf>) {
    let (kept, keeping) = mpsc::channel(16);
    if let Some(dir) = dir {
        tokio::spawn(case_writer::keep_all(dir, keeping));
    }
    while let Some(recording) = recordings.recv().await {
        let case = &recording.case;
        let command = format!("/maro {} {}", case.plugin, case.arguments);
        let reply = match &case.ending {
            Ending::Fault(_) => String::new(),
            ending => ending_lines(ending).join("\n  ") + "\n  ",
        };
        let behind = transcript(&recording, false);
        say(&format!("\n{}\n  {reply}{}", command.trim_end(), behind.trim_end().replace('\n', "\n  ")));
        // Nobody keeps them if there is no folder.
        let _ = kept.send(recording).await;
    }
}
