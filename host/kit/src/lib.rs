//! `maro plugin …`: the author's kit.

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

/// How shells tell a program that was interrupted.
const INTERRUPTED: i32 = 130;

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Write a new plugin's project: it builds, and has a test and a README
    New(NewArguments),
    /// Build projects, or without arguments all that this repository's plugins/ holds into target/plugins
    Build {
        /// Folders of projects
        #[arg(value_name = "PROJECT")]
        projects: Vec<PathBuf>,
    },
    /// Say what a plugin is, what it needs, and whether a host takes it
    Check {
        /// A component, or the folder of a project, which is built first
        #[arg(default_value = ".", value_name = "FILE|PROJECT")]
        plugin: PathBuf,
    },
    /// Run commands on a simulated Slack and Jira, and show the replies
    Run(RunArguments),
    /// Run a project's tests, and play recorded cases on a build
    Test(TestArguments),
    /// List the plugins in a folder
    List {
        /// The folder; the one of this repository's builds if there is none given
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

pub async fn run(command: PluginCommand) -> anyhow::Result<ExitCode> {
    let mut stop = StopSignal::listen()?;
    tokio::select! {
        exit = obey(command) => exit,
        () = stop.wait() => {
            // By now the work is dropped, and the tools that it ran are killed. Not a return: a thread may wait
            // for another process yet.
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
