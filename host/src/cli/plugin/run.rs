//! `maro plugin run`: one command on a simulated Slack and Jira, with everything that an author wants to see.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use crate::{
    cli::plugin::{
        recording, say,
        simulation::{Place, Simulation},
        workbench::{Workbench, component},
    },
    plugin::{recorder::Recording, tape::Ending},
};

/// How much of a call's arguments and answer is shown, in characters.
const SHOWN_LENGTH: usize = 300;

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArguments {
    /// A component or the folder of a project, which is built first, and what to type behind `/maro NAME`;
    /// the project in this folder if only the latter is given
    #[arg(value_name = "[FILE|PROJECT] 'ARGUMENTS'", num_args = 0..=2)]
    words: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Keep what happens as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

pub(super) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let (plugin, typed) = split(arguments.words);
    let workbench = Workbench::set_up(&component(&plugin).await?)?;
    workbench.warn_of_compiling();
    let mut simulation = Simulation::start(&workbench, &arguments.place).await?;
    let name = simulation.plugin()?.description.name.to_string();
    let command = format!("/maro {name} {typed}").trim_end().to_owned();
    let (shown, recording) = simulation.type_command(&arguments.place, &command).await?;
    simulation.stop().await;
    let granted: Vec<_> = workbench.grants.iter().map(|grant| grant.as_str()).collect();
    let granted = match &*granted {
        [] => "It needs no grants.".to_owned(),
        grants => format!("Granted what it needs: {}.", grants.join(", ")),
    };
    say(&format!("{command}\n\n{shown}\n\n{granted}"));
    let recording = recording.context("the plugin was not run")?;
    say(story(&recording).trim_end());
    let failed = matches!(recording.case.ending, Ending::Fault(_));
    if let Some(dir) = &arguments.record {
        say(&match recording::keep(dir, &recording.case)? {
            Some(path) => format!("Recorded in {}.", path.display()),
            None if failed => "Not recorded: it gave no answer.".to_owned(),
            None => "Not recorded: the same case is there already.".to_owned(),
        });
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The plugin and what is typed: the first word names the plugin if there is such a file or folder.
fn split(words: Vec<String>) -> (PathBuf, String) {
    let mut words = words.into_iter();
    match (words.next(), words.next()) {
        (Some(first), second) if second.is_some() || PathBuf::from(&first).exists() => {
            (PathBuf::from(first), second.unwrap_or_default())
        }
        (first, _) => (PathBuf::from("."), first.unwrap_or_default()),
    }
}

/// What happened behind the reply.
fn story(recording: &Recording) -> String {
    let mut text = String::new();
    if let Ending::Fault(fault) = &recording.case.ending {
        let _ = writeln!(text, "✗ It did not answer: {fault}");
    }
    for line in &recording.log {
        let _ = writeln!(text, "log {}: {}", line.level, line.message);
    }
    for (call, took) in recording.case.calls.iter().zip(&recording.call_times) {
        let (arguments, answer) = (shortened(&call.arguments), shortened(&call.answer));
        let _ = writeln!(text, "{} {arguments} → {answer} ({})", call.call, milliseconds(*took));
    }
    let calls = match recording.case.calls.len() {
        1 => "1 host call".to_owned(),
        count => format!("{count} host calls"),
    };
    let _ = writeln!(text, "{calls}, {} in all.", milliseconds(recording.took));
    text
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_may_be_left_out() {
        let split = |words: &[&str]| split(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(split(&[]), (PathBuf::from("."), String::new()));
        assert_eq!(split(&["SCRUM-1"]), (PathBuf::from("."), "SCRUM-1".to_owned()));
        assert_eq!(split(&["src"]), (PathBuf::from("src"), String::new()));
        assert_eq!(split(&["a/b", "SCRUM-1"]), (PathBuf::from("a/b"), "SCRUM-1".to_owned()));
    }
}
