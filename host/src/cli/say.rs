//! `maro say`: types a command into the workspace of a running `maro dev` and prints what Slack would show.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use reqwest::{Client, StatusCode};
use serde::de::DeserializeOwned;

use crate::{
    cli::{
        dev_session::{DevSession, DevSessionError},
        terminal,
    },
    sandbox::slack::{
        history::{Author, ShownMessage},
        operator::{CommandShown, CommandToType, Refusal, TOKEN_HEADER},
        workspace::Names,
    },
};

/// Longer than the sandbox waits for a late answer.
const TIMEOUT: Duration = Duration::from_secs(45);

const NOT_RUNNING: &str = "No maro dev is running here: start it with `cargo run -- dev`.";

/// Sends a command to a running `maro dev` and prints the reply as Slack would show it.
#[derive(Debug, Clone, Args)]
pub struct SayArguments {
    /// The channel to type in: a name, an id, or dm.
    #[arg(long, short, default_value = "general")]
    pub channel: String,
    /// The person who types: a name or an id.
    #[arg(long, short, default_value = "ada")]
    pub user: String,
    /// The command, such as '/maro track SCRUM-123'; quoted or in several words.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub words: Vec<String>,
}

/// Why nothing could be shown, in a sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    #[error("Type a command of MARO, such as: maro say '/maro {0}'")]
    NotMaro(String),
    #[error("{NOT_RUNNING}")]
    NotRunning,
    #[error("{0}. Start maro dev anew with `cargo run -- dev`.")]
    BadNote(String),
    /// The sandbox would not type the command.
    #[error("{0}")]
    Refused(String),
    #[error("maro dev broke off while it answered: {0}")]
    Broken(String),
}

/// Says it, prints the reply to standard output and who sees it to standard error.
///
/// Ends with 0 if the bot replied, 1 if it failed or kept silent, 2 if nothing was sent.
pub async fn run(arguments: SayArguments, working_folder: &Path) -> ExitCode {
    let (mut out, mut notes) = (io::stdout(), io::stderr());
    // Whoever closed the pipe does not want the rest.
    match say(&arguments, working_folder).await {
        Ok(shown) if shown.messages.is_empty() => {
            let _ = writeln!(notes, "The bot said nothing within 30 seconds.");
            ExitCode::from(1)
        }
        Ok(shown) => {
            let _ = print(&shown, &mut out, &mut notes);
            let has_failed = shown.messages.iter().any(|message| message.author == Author::Slack);
            ExitCode::from(u8::from(has_failed))
        }
        Err(error) => {
            let _ = writeln!(notes, "{error}");
            ExitCode::from(2)
        }
    }
}

/// Types the command and returns what the workspace then shows.
///
/// # Errors
/// [`SayError`] if nothing was typed, or the outcome is unknown.
pub async fn say(arguments: &SayArguments, working_folder: &Path) -> Result<CommandShown, SayError> {
    let text = arguments.words.join(" ").trim().to_owned();
    let rest =
        text.strip_prefix("/maro").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if rest.is_none() {
        let meant = text.trim_start_matches('/');
        let meant = meant.strip_prefix("maro ").unwrap_or(meant).trim();
        return Err(SayError::NotMaro(if meant.is_empty() { "help".to_owned() } else { meant.to_owned() }));
    }
    let session = DevSession::find(working_folder).map_err(|error| match error {
        DevSessionError::NotFound => SayError::NotRunning,
        other => SayError::BadNote(other.to_string()),
    })?;
    let command = CommandToType { channel: arguments.channel.clone(), user: arguments.user.clone(), text };
    send(&session, &command).await
}

/// Prints exactly the lines that Slack shows to `out`, and a note on who sees them to `notes`.
///
/// # Errors
/// If either cannot be written.
pub fn print(shown: &CommandShown, out: &mut impl Write, notes: &mut impl Write) -> io::Result<()> {
    for message in &shown.messages {
        writeln!(out, "{}", terminal::message_text(message, &shown.names))?;
        out.flush()?;
        writeln!(notes, "{}", visibility(message, &shown.names))?;
    }
    Ok(())
}

fn visibility(message: &ShownMessage, names: &Names) -> String {
    let name =
        |names: &std::collections::BTreeMap<String, String>, id: &String| names.get(id).unwrap_or(id).clone();
    match &message.visible_to {
        Some(user) => format!("Only visible to {}", name(&names.users, user)),
        None if message.channel.starts_with('D') => "Visible in this direct message".to_owned(),
        None => format!("Visible to everyone in #{}", name(&names.channels, &message.channel)),
    }
}

async fn send(session: &DevSession, command: &CommandToType) -> Result<CommandShown, SayError> {
    let broken = |error: reqwest::Error| SayError::Broken(error.without_url().to_string());
    let address =
        session.slack.join("/sandbox/commands").map_err(|error| SayError::Broken(error.to_string()))?;
    let request = client()
        .map_err(broken)?
        .post(address)
        .header(TOKEN_HEADER, session.token.expose())
        .body(serde_json::to_vec(command).map_err(|error| SayError::Broken(error.to_string()))?);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(SayError::NotRunning),
        Err(error) => return Err(broken(error)),
    };
    let status = response.status();
    let body = response.bytes().await.map_err(broken)?;
    if status == StatusCode::OK {
        return read(&body);
    }
    match serde_json::from_slice::<Refusal>(&body) {
        // Another session's token: the note is of one that has ended.
        Ok(_) if status == StatusCode::FORBIDDEN => Err(SayError::NotRunning),
        Ok(refusal) => Err(SayError::Refused(refusal.error)),
        // Somebody else listens there now.
        Err(_) => Err(SayError::NotRunning),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SayError> {
    serde_json::from_slice(body).map_err(|_| SayError::NotRunning)
}

fn client() -> Result<Client, reqwest::Error> {
    // Fails only if a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(TIMEOUT).no_proxy().tls_certs_only([]).build()
}
