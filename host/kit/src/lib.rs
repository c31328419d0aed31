//! `maro plugin …`: the kit for plugin authors.

pub mod build;
pub mod check;
mod contract;
mod differences;
mod embedded;
mod interpreted;
mod javascript;
mod list;
mod new;
pub mod output;
pub mod project;
mod python;
pub mod recording;
pub mod repository;
mod run;
mod rust;
mod simulation;
mod snippets;
pub mod sources;
mod story;
mod test;
pub mod toolbox;
pub mod workbench;

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::{new::NewArguments, run::RunArguments, test::TestArguments};
use maro_process::stop_signal::StopSignal;

/// The exit code that shells use for an interrupted program.
const INTERRUPTED: i32 = 130;

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Create a plugin project that builds, with a test and a README
    New(NewArguments),
    /// Build projects; without arguments, build everything in this repository's plugins/ into target/plugins
    Build {
        /// Project folders
        #[arg(value_name = "PROJECT")]
        projects: Vec<PathBuf>,
    },
    /// Describe a plugin, what it needs, and whether it would load
    Check {
        /// A component, or a project folder (which is built first)
        #[arg(default_value = ".", value_name = "FILE|PROJECT")]
        plugin: PathBuf,
    },
    /// Run commands against a simulated Slack and Jira, and show the replies
    Run(RunArguments),
    /// Run a project's tests, and replay recorded cases against a build
    Test(TestArguments),
    /// List the plugins in a folder
    List {
        /// The folder; by default, the one that this repository's plugins are built into
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

pub async fn run(command: PluginCommand) -> anyhow::Result<ExitCode> {
    let mut stop = StopSignal::listen()?;
    tokio::select! {
        exit = obey(command) => exit,
        () = stop.wait() => {
            // By now the work is dropped, and its tools are killed. A return wouldn't do: a thread may still
            // be waiting for another process.
            std::process::exit(INTERRUPTED)
        }
    }
}

async fn obey(command: PluginCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginCommand::New(arguments) => new::run(&arguments),
        PluginCommand::Build { projects } => build::run(projects).await,
        PluginCommand::Check { plugin } => check::run(&plugin).await,
        PluginCommand::Run(arguments) => run::run(arguments).await,
        PluginCommand::Test(arguments) => test::run(arguments).await,
        PluginCommand::List { dir } => list::run(dir).await,
    }
}
