//! The command line: `maro serve`, `dev`, `say`, `doctor`, `migrate`, `backup`, `restore`, `audit`, `plugin`.

use std::{future::Future, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use crate::{audit, database, doctor, serve};
use maro_process::telemetry::error_chain;
use maro_runtime::{
    engine::{Effort, target_processor::Cpu},
    loading::compiler_process::{self, CompilerLimits},
};

/// How long blocking work may take to end once everything else has.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// A Slack bot that tracks Jira issues for each channel
#[derive(Debug, Parser)]
#[command(name = "maro", version, arg_required_else_help = true)]
#[cfg_attr(
    not(feature = "kit"),
    command(after_help = "This build only runs the bot: it has no `maro dev`, `maro say` or `maro plugin`.")
)]
#[cfg_attr(
    all(feature = "kit", not(feature = "dev")),
    command(after_help = "This build has no `maro dev` or `maro say`.")
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bot using settings from the environment and maro.toml
    Serve,
    /// Run the bot locally against a simulated Slack workspace and Jira site
    #[cfg(feature = "dev")]
    Dev(maro_dev::dev_command::Arguments),
    /// Send a command to a running `maro dev` and print the reply as Slack would show it
    #[cfg(feature = "dev")]
    Say(maro_dev::say::SayArguments),
    /// Check every setting against the real services and report what to fix, without changing anything
    Doctor,
    /// Bring the database's tables up to date and exit
    ///
    /// `maro serve` does this, too; use this to run it with an account that has more rights.
    Migrate,
    /// Copy the SQLite database into a new file, even while the bot is running
    ///
    /// For PostgreSQL, it prints the pg_dump command to use instead.
    Backup {
        /// The file to create; only its owner can read it
        file: PathBuf,
    },
    /// Replace the SQLite database with a backup while the bot is stopped
    ///
    /// The backup is checked first, and the previous database is kept beside the new one. For PostgreSQL, it prints
    /// the pg_restore command to use instead.
    Restore {
        /// A file created by `maro backup`
        file: PathBuf,
    },
    /// Export the audit log: who changed what, when and where
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Create, build, check, run and test plugins
    #[cfg(feature = "kit")]
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Compile a component from standard input to standard output, for another `maro`
    #[command(name = compiler_process::SUBCOMMAND, hide = true)]
    CompileComponent {
        #[command(flatten)]
        limits: CompilerLimits,
        #[arg(long)]
        has_pool: bool,
        #[arg(long, value_enum)]
        cpu: Option<Cpu>,
        #[arg(long)]
        quick: bool,
    },
}

#[cfg(feature = "kit")]
#[derive(Debug, Subcommand)]
enum PluginCommand {
    #[command(flatten)]
    Kit(maro_kit::PluginCommand),
    /// Try a plugin on a page in the browser, against a simulated Slack and Jira, rebuilt at each save
    #[cfg(feature = "dev")]
    Dev(maro_dev::plugin_dev_command::ProjectArguments),
}

/// Runs the command that was typed. Errors go to standard error.
pub(crate) fn run() -> ExitCode {
    compiler_process::enable();
    let result = match CommandLine::parse().command {
        Command::Serve => on_runtime(serve::run()),
        Command::Doctor => on_runtime(doctor::run()),
        Command::Migrate => on_runtime(database::migrate()),
        Command::Backup { file } => on_runtime(database::backup(&file)),
        Command::Restore { file } => on_runtime(database::restore(&file)),
        Command::Audit(command) => on_runtime(audit::run(command)),
        #[cfg(feature = "dev")]
        Command::Dev(arguments) => on_runtime(maro_dev::dev_command::run(arguments)),
        #[cfg(feature = "dev")]
        Command::Say(arguments) => {
            on_runtime(async { Ok(maro_dev::say::run(arguments, &std::env::current_dir()?).await) })
        }
        #[cfg(feature = "kit")]
        Command::Plugin(PluginCommand::Kit(command)) => on_runtime(maro_kit::run(command)),
        #[cfg(feature = "dev")]
        Command::Plugin(PluginCommand::Dev(arguments)) => {
            on_runtime(maro_dev::plugin_dev_command::run(arguments))
        }
        Command::CompileComponent { limits, has_pool, cpu, quick } => {
            let effort = if quick { Effort::Quick } else { Effort::Full };
            compiler_process::serve(limits, has_pool, cpu, effort).map_err(anyhow::Error::from)
        }
    };
    result.unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
}

fn on_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // Reading a file may block forever. That must not keep the process alive.
    runtime.shutdown_timeout(END_TIMEOUT);
    result
}

#[expect(clippy::print_stderr, reason = "this is the command line's own output")]
fn report(error: &anyhow::Error) {
    eprintln!("{}", error_chain(error.as_ref()));
}
