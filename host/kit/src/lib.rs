//! `maro plugin …`: the kit for plugin authors.

mod commands;
pub mod languages;
pub mod output;
pub mod repository;
pub mod tryout;

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::commands::{
    check::CheckArguments, compile::CompileArguments, docs::DocsArguments, new::NewArguments,
    run::RunArguments, test::TestArguments,
};
use maro_process::stop_signal::StopSignal;

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
    Check(CheckArguments),
    /// Run commands against a simulated Slack and Jira, and show the replies
    Run(RunArguments),
    /// Run a project's tests, and replay recorded cases against a build
    Test(TestArguments),
    /// Precompile plugins for an image, so the bot needn't compile them at start
    Compile(CompileArguments),
    /// Print the interface: what each function does, what it limits and how it fails
    Docs(DocsArguments),
    /// List the plugins in a folder
    List {
        /// The folder; by default, the one that this repository's plugins are built into
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

pub async fn run(command: PluginCommand) -> anyhow::Result<ExitCode> {
    StopSignal::listen_in_terminal()?.or_exit(obey(command)).await
}

async fn obey(command: PluginCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginCommand::New(arguments) => commands::new::run(&arguments),
        PluginCommand::Build { projects } => commands::build::run(projects).await,
        PluginCommand::Check(arguments) => commands::check::run(&arguments).await,
        PluginCommand::Run(arguments) => commands::run::run(arguments).await,
        PluginCommand::Test(arguments) => commands::test::run(arguments).await,
        PluginCommand::Compile(arguments) => commands::compile::run(&arguments).await,
        PluginCommand::Docs(arguments) => commands::docs::run(&arguments),
        PluginCommand::List { dir } => commands::list::run(dir).await,
    }
}
