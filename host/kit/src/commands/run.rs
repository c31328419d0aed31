//! `maro plugin run`: runs commands against a simulated Slack and Jira, with everything an author wants to
//! see.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use url::Url;

use crate::{
    commands::{check, new::SHIPPED},
    languages::{component::component, project::Project},
    output::say,
    tryout::{
        case_writer,
        left_out::left_out,
        simulation::{Scene, Simulation},
        single_plugin::SinglePlugin,
        transcript::transcript,
    },
};
use maro_bot::commands::choosing::host_commands::RESERVED_NAMES;
use maro_runtime::{
    policy::{grants::Grant, secrets::HeldSecrets},
    recording::{recorder::Recording, tape::Ending},
};

#[derive(Debug, Args)]
pub struct RunArguments {
    /// A component, or a project folder (which is built first); by default, the project in this folder. Then
    /// what to type after `/maro NAME`: each argument is one command, and all run on the same host
    #[arg(value_name = "[FILE|PROJECT] ['ARGUMENTS' …]", num_args = 0.., allow_negative_numbers = true)]
    words: Vec<String>,
    #[command(flatten)]
    place: Scene,
    /// Show each call in full
    #[arg(long)]
    full: bool,
    /// Record what happens as a case in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

pub(crate) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let (plugin, typed) = split(&arguments.words, Path::new("."))?;
    let component = component(&plugin, true).await?;
    let single = SinglePlugin::set_up(&component)?;
    single.warn_of_compiling();
    let mut simulation = Simulation::start(&single, &arguments.place).await?;
    let loaded = simulation.plugin()?;
    let name = loaded.name().to_string();
    if let Some(problem) = single.name_problem(&loaded) {
        say(&format!("✗ A host won't load this file: {problem}."));
    }
    let log_lines = loaded.manifest().limits.log_lines as usize;
    let granted: Vec<_> = single.grants.iter().map(|grant| grant.as_str()).collect();
    let granted = match &*granted {
        [] => "It needs no grants.".to_owned(),
        grants => format!("It was granted what it needs: {}.", grants.join(", ")),
    };
    let mut exit = ExitCode::SUCCESS;
    for typed in typed {
        let command = format!("/maro {name} {typed}").trim_end().to_owned();
        let shown = simulation.type_command(&arguments.place, &command).await?;
        let recording = shown.recording.context("the plugin didn't run")?;
        say(&format!("{command}\n\n{}\n\n{}{granted}", shown.text, beside(&recording, &shown.questions)));
        say(transcript(&recording, arguments.full).trim_end());
        if !single.grants.contains(&Grant::Clock) && shown.text.contains("1970") {
            say(STOPPED_CLOCK);
        }
        for warning in warnings(&name, &shown.commands, recording.log.len(), log_lines) {
            say(&warning);
        }
        if let Ending::Reply(reply) = &recording.case.ending {
            left_out(reply, shown.commands.len()).iter().for_each(|sentence| say(sentence));
        }
        if matches!(recording.case.ending, Ending::Fault(_)) {
            exit = ExitCode::FAILURE;
        }
        for warning in missing_secrets(&recording, &loaded.manifest().secrets) {
            say(&warning);
        }
        for request in simulation.unanswered() {
            say(&format!("✗ The file of --http has no answer to {request}."));
        }
        if let Some(dir) = &arguments.record {
            say(&keep(dir, &recording)?);
        }
    }
    if let Some(sentence) = simulation.keep_answers(&arguments.place)? {
        say(&sentence);
    }
    simulation.stop().await;
    if plugin.is_dir() {
        check::warn_of_grants(&component);
    }
    Ok(exit)
}

/// To the author of a reply from before there was Slack.
const STOPPED_CLOCK: &str = "✗ The reply mentions 1970: your language's own clock stands at its start unless plugin.toml \
                             grants it. Add \"clock\" to `grants` there.";

/// What Slack does with a reply besides showing it, a line each: who sees it, and what it asks before a press.
fn beside(recording: &Recording, questions: &[(String, String)]) -> String {
    let visibility = match &recording.case.ending {
        Ending::Reply(reply) => reply["visibility"].as_str().unwrap_or_default(),
        Ending::Usage(_) | Ending::Failed(_) | Ending::Fault(_) => "",
    };
    let mut lines = match visibility {
        "Channel" => "Everyone in the channel sees it.\n".to_owned(),
        "Update" => {
            "Everyone in the channel sees it. From a button of such a message, it takes that message's place.\n"
                .to_owned()
        }
        _ => String::new(),
    };
    for (label, question) in questions {
        lines += &format!("[{label}] asks first: {question}\n");
    }
    lines
}

/// What else would go wrong on a host: buttons whose command doesn't exist, and log lines over the limit.
fn warnings(name: &str, commands: &[String], logged: usize, log_lines: usize) -> Vec<String> {
    let is_known = |word: &str| word == name || RESERVED_NAMES.contains(&word) || SHIPPED.contains(&word);
    let lost = commands.iter().filter(|command| !command.split_whitespace().next().is_some_and(is_known));
    let mut warnings: Vec<_> = lost
        .map(|command| {
            format!(
                "✗ A button runs /maro {command}, which isn't a command of this plugin or of MARO. To run this plugin's \
                 own command, start it with {name}."
            )
        })
        .collect();
    warnings.dedup();
    if let Some(dropped @ 1..) = logged.checked_sub(log_lines) {
        warnings.push(format!(
            "✗ {dropped} of these {logged} log lines would be dropped: `log-lines` is {log_lines}."
        ));
    }
    warnings
}

/// The secrets that a command wanted and nobody has set, with the lines that set each for a try.
fn missing_secrets(recording: &Recording, secrets: &HeldSecrets) -> Vec<String> {
    let requests = recording.case.calls.iter().filter(|call| call.call == "http.send");
    let mut told = BTreeMap::new();
    for request in requests.map(|call| &call.arguments["request"]) {
        let headers = request["headers"].as_array().into_iter().flatten();
        let url = request["url"].as_str().and_then(|url| Url::parse(url).ok());
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("api.example.com");
        for name in
            headers.filter_map(|header| header["value"].as_str()).flat_map(|value| secrets.missing(value))
        {
            told.entry(name).or_insert_with(|| host.to_owned());
        }
    }
    let sentence = |(name, host): (String, String)| {
        format!(
            "✗ plugin.toml has no secret {name}. To try the plugin with one, add these lines; on the bot, its operator \
             sets the real one:\n\n[secrets]\n{name} = {{ value = \"a-made-up-secret\", hosts = [\"{host}\"] }}"
        )
    };
    told.into_iter().map(sentence).collect()
}

/// Records a case. Returns a sentence about the outcome.
fn keep(dir: &Path, recording: &Recording) -> anyhow::Result<String> {
    Ok(match case_writer::keep(dir, &recording.case)? {
        Some(path) => format!("Recorded in {}.", path.display()),
        None if matches!(recording.case.ending, Ending::Fault(_)) => {
            "Not recorded because it didn't answer.".to_owned()
        }
        None => "Not recorded because the same case is already there.".to_owned(),
    })
}

/// The plugin, and at least one command to type. The first word is the plugin if there is such a file or
/// folder.
fn split<'a>(words: &'a [String], folder: &Path) -> anyhow::Result<(PathBuf, Vec<&'a str>)> {
    let (plugin, typed) = match words.split_first() {
        // No text is a command without arguments.
        Some((first, typed)) if !first.is_empty() && folder.join(first).exists() => {
            (PathBuf::from(first), typed)
        }
        Some((first, _)) if Project::find(folder)?.is_none() => {
            bail!("there is no component or project called {first} here, and this folder isn't a project")
        }
        _ => (PathBuf::from("."), words),
    };
    let typed = typed.iter().map(String::as_str);
    Ok((plugin, if typed.len() == 0 { vec![""] } else { typed.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_go_wrong_on_a_host_is_told() {
        let commands = ["note 2", "untrack A-1", "help", "delete X", "delete X"].map(str::to_owned);
        assert_eq!(
            warnings("note", &commands, 100, 32),
            [
                "✗ A button runs /maro delete X, which isn't a command of this plugin or of MARO. To run this plugin's \
                 own command, start it with note.",
                "✗ 68 of these 100 log lines would be dropped: `log-lines` is 32.",
            ]
        );
        assert!(warnings("note", &commands[..3], 32, 32).is_empty());
    }

    #[test]
    fn the_plugin_may_be_left_out_in_a_project() {
        let folder = tempfile::tempdir().unwrap();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let told = |given: &[&str]| match split(&words(given), folder.path()) {
            Ok((plugin, typed)) => format!("{} {typed:?}", plugin.display()),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            told(&["nosuch", "SCRUM-1"]),
            "there is no component or project called nosuch here, and this folder isn't a project"
        );
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("plugin.py"), "").unwrap();
        assert_eq!(told(&[]), ". [\"\"]");
        assert_eq!(told(&["SCRUM-1"]), ". [\"SCRUM-1\"]");
        assert_eq!(told(&[""]), ". [\"\"]");
        assert_eq!(told(&["", "a"]), ". [\"\", \"a\"]");
        assert_eq!(told(&["src"]), "src [\"\"]");
        assert_eq!(told(&["src", "-1", "list"]), "src [\"-1\", \"list\"]");
        assert_eq!(told(&["add a", "list"]), ". [\"add a\", \"list\"]");
    }
}
