//! `maro say`: acts as a person in a running `maro dev` and prints what Slack would show.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use reqwest::StatusCode;

use crate::{
    modal_text::modal_text,
    program::{program, starting},
    session_file::{DevSession, DevSessionError, FOLDER},
};
use maro_process::http::client::{self, ClientOptions};
use maro_simulation::slack::{
    operator::{OperatorError, TOKEN_HEADER},
    people::{
        acts::{Act, ActsToDo, Reaction, Shown},
        pressing::Press,
    },
    shown::{
        history::{Author, ShownMessage},
        terminal,
    },
    workspace::Names,
};

/// Longer than the simulation waits for a reaction and its follow-ups.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Sends a command to a running `maro dev` and prints the reply as Slack would show it. If the command opens
/// a modal, the modal is printed; use --fill, --submit, --press and --close to act in it.
#[derive(Debug, Clone, Default, Args)]
pub struct SayArguments {
    /// Channel to act in: a name, an id, or dm
    #[arg(long, short, default_value = "general")]
    pub channel: String,
    /// Who to act as: a name or an id
    #[arg(long, short, default_value = "ada")]
    pub user: String,
    /// Fill in a field of the open modal, such as summary="Log-in fails"; can be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    pub fill: Vec<String>,
    /// Submit the open modal
    #[arg(long)]
    pub submit: bool,
    /// Press a button in the open modal, or in the latest message that has it
    #[arg(long, value_name = "BUTTON")]
    pub press: Option<String>,
    /// If several buttons have this label, press the one with this number, counting from 1
    #[arg(long, value_name = "N", requires = "press")]
    pub nth: Option<usize>,
    /// If several buttons have this label, press the one next to text that contains this
    #[arg(long, value_name = "TEXT", requires = "press")]
    pub beside: Option<String>,
    /// Close the open modal
    #[arg(long)]
    pub close: bool,
    /// Use a shortcut, such as create_issue, or create_from_message together with --on-message
    #[arg(long, value_name = "SHORTCUT")]
    pub shortcut: Option<String>,
    /// Post a plain message
    #[arg(long, value_name = "TEXT")]
    pub post: Option<String>,
    /// Act on the message with this number in the output of --show: use a shortcut on it, press a button in
    /// it, or reply in its thread
    #[arg(long, value_name = "N")]
    pub on_message: Option<usize>,
    /// Print the channel and the open modal as the person sees them
    #[arg(long)]
    pub show: bool,
    /// The command, such as '/maro track SCRUM-123'; the quotes are optional
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub words: Vec<String>,
}

/// Why nothing could be shown, as a sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    #[error("Type a MARO command, such as: maro say '/maro {0}'")]
    NotMaro(String),
    #[error("{0} and {1} can't be used together.")]
    TooMuch(&'static str, &'static str),
    #[error("--on-message needs --shortcut, --press or --post.")]
    NothingOnMessage,
    #[error("--fill takes FIELD=VALUE, such as --fill summary=\"Log-in fails\", not {0:?}.")]
    NotAField(String),
    #[error(
        "No running `maro dev` found in this folder or its parents (looked for {FOLDER}). Start it with `{} {}`.",
        program(),
        starting()
    )]
    NotRunning,
    #[error("{0}. Restart maro dev with `{program} dev`.", program = program())]
    BadNote(String),
    /// The simulation refused.
    #[error("{0}")]
    Refused(String),
    /// The bot didn't accept what it was sent.
    #[error("{0}")]
    Unanswered(String),
    #[error("maro dev stopped while answering: {0}")]
    Broken(String),
}

/// Does what was asked. Prints the result to standard output, and who can see it to standard error.
///
/// Exits with 0 if the bot did what was asked, 1 if it failed or did nothing visible, 2 if nothing was sent.
pub async fn run(arguments: SayArguments, working_folder: &Path) -> ExitCode {
    let (mut out, mut notes) = (io::stdout(), io::stderr());
    // If the reader closed the pipe, it doesn't want the rest.
    match say(&arguments, working_folder).await {
        Ok(shown) => {
            let _ = print(&shown, &mut out, &mut notes);
            let has_failed = shown.messages.iter().any(|message| message.author == Author::Slack);
            ExitCode::from(match shown.reaction {
                Reaction::Shown => u8::from(has_failed),
                Reaction::Silent | Reaction::Failed => 1,
                Reaction::NotSent => 2,
            })
        }
        Err(error) => {
            let _ = writeln!(notes, "{error}");
            ExitCode::from(if matches!(error, SayError::Unanswered(_)) { 1 } else { 2 })
        }
    }
}

/// Does what the arguments ask for and returns what the workspace then shows.
///
/// # Errors
/// [`SayError`] if nothing was done, the bot didn't accept it, or the outcome is unknown.
pub async fn say(arguments: &SayArguments, working_folder: &Path) -> Result<Shown, SayError> {
    let acts = acts(arguments)?;
    let session = DevSession::find(working_folder).map_err(|error| match error {
        DevSessionError::NotFound => SayError::NotRunning,
        other => SayError::BadNote(other.to_string()),
    })?;
    let asked = ActsToDo { channel: arguments.channel.clone(), user: arguments.user.clone(), acts };
    send(&session, &asked).await
}

/// What to do, in order: fields are filled in first, and the channel is shown last.
fn acts(arguments: &SayArguments) -> Result<Vec<Act>, SayError> {
    let message = arguments.on_message;
    let press = arguments.press.as_deref().map(|label| {
        let press = arguments.nth.into_iter().fold(Press::button(label), Press::nth);
        Act::Press { press: arguments.beside.iter().fold(press, |press, text| press.beside(text)), message }
    });
    let shortcut = arguments.shortcut.clone().map(|callback_id| Act::Shortcut { callback_id, message });
    let post = arguments.post.clone().map(|text| Act::Write { text, message });
    let bare = !arguments.submit
        && !arguments.close
        && !arguments.show
        && arguments.fill.is_empty()
        && [&press, &shortcut, &post].into_iter().all(Option::is_none);
    let command = if bare || !arguments.words.is_empty() { Some(command(&arguments.words)?) } else { None };
    let mut main = [
        ("a command", command),
        ("--submit", arguments.submit.then_some(Act::Submit)),
        ("--press", press),
        ("--close", arguments.close.then_some(Act::Close)),
        ("--shortcut", shortcut),
        ("--post", post),
    ]
    .into_iter()
    .filter_map(|(name, act)| Some((name, act?)));
    let first = main.next();
    if let (Some((one, _)), Some((other, _))) = (&first, main.next()) {
        return Err(SayError::TooMuch(one, other));
    }
    let goes_with_message =
        matches!(first, Some((_, Act::Press { .. } | Act::Shortcut { .. } | Act::Write { .. })));
    if message.is_some() && !goes_with_message {
        return Err(SayError::NothingOnMessage);
    }
    let fills = arguments.fill.iter().map(|pair| field(pair));
    let last = arguments.show.then_some(Act::Look);
    fills.chain(first.map(|(_, act)| Ok(act))).chain(last.map(Ok)).collect()
}

fn command(words: &[String]) -> Result<Act, SayError> {
    let text = words.join(" ").trim().to_owned();
    let rest =
        text.strip_prefix("/maro").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if rest.is_none() {
        let meant = text.trim_start_matches('/');
        let meant = meant.strip_prefix("maro ").unwrap_or(meant).trim();
        return Err(SayError::NotMaro(if meant.is_empty() { "help".to_owned() } else { meant.to_owned() }));
    }
    Ok(Act::Command { text })
}

fn field(pair: &str) -> Result<Act, SayError> {
    let (name, value) = pair.split_once('=').ok_or_else(|| SayError::NotAField(pair.to_owned()))?;
    // A shell passes \n on as typed.
    Ok(Act::Fill { name: name.trim().to_owned(), value: value.replace("\\n", "\n") })
}

/// Prints exactly the lines that Slack shows to `out`, and remarks about them to `notes`.
///
/// # Errors
/// If either can't be written to.
pub fn print(shown: &Shown, out: &mut impl Write, notes: &mut impl Write) -> io::Result<()> {
    let names = &shown.names;
    if shown.is_closed {
        writeln!(notes, "The modal is closed.")?;
    }
    if let Some(messages) = &shown.channel {
        print_channel(messages, names, out)?;
    } else {
        for message in &shown.messages {
            writeln!(out, "{}", terminal::message_text(message, names))?;
            out.flush()?;
            let beside = terminal::buttons_beside(message);
            if !beside.is_empty() {
                writeln!(notes, "{}", buttons_note(&beside))?;
            }
            writeln!(notes, "{}", visibility(message, names))?;
        }
    }
    if let Some(modal) = &shown.modal {
        writeln!(out, "{}", modal_text(modal, names))?;
        out.flush()?;
    }
    match shown.reaction {
        Reaction::Silent => writeln!(notes, "The bot did nothing visible."),
        Reaction::NotSent => writeln!(notes, "Nothing was sent because the modal is incomplete."),
        Reaction::Shown | Reaction::Failed => Ok(()),
    }
}

/// How to press one of the buttons next to each line: the labels are in brackets.
fn buttons_note(labels: &[String]) -> String {
    let (noun, first) = (if labels.len() == 1 { "button" } else { "buttons" }, &labels[0]);
    format!(
        "Each line has a {} {noun}; use --press '{}' --beside KEY",
        labels.join(" "),
        first.trim_matches(['[', ']']),
    )
}

fn print_channel(messages: &[ShownMessage], names: &Names, out: &mut impl Write) -> io::Result<()> {
    for (number, message) in (1..).zip(messages) {
        let author = match (message.author, &message.user) {
            (Author::Person, Some(user)) => names.users.get(user).unwrap_or(user).as_str(),
            (Author::Slack, _) => "Slackbot",
            _ => "maro",
        };
        let parent = message.thread_ts.as_ref().and_then(|thread| {
            messages.iter().position(|parent| parent.ts == *thread).map(|index| index + 1)
        });
        let to = parent.map(|parent| format!(" (in the thread of {parent})")).unwrap_or_default();
        let only = if message.visible_to.is_some() { " (only visible to you)" } else { "" };
        let text = terminal::text_with_buttons(message, names).replace('\n', "\n   ");
        writeln!(out, "{number}. {author}{to}{only}: {text}")?;
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

async fn send(session: &DevSession, asked: &ActsToDo) -> Result<Shown, SayError> {
    let broken = |error: reqwest::Error| SayError::Broken(error.without_url().to_string());
    let address =
        session.slack.join("/simulation/acts").map_err(|error| SayError::Broken(error.to_string()))?;
    let request = client::build(&ClientOptions::loopback(TIMEOUT))
        .map_err(broken)?
        .post(address)
        .header(TOKEN_HEADER, session.token.expose())
        .body(serde_json::to_vec(asked).map_err(|error| SayError::Broken(error.to_string()))?);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(SayError::NotRunning),
        Err(error) => return Err(broken(error)),
    };
    let status = response.status();
    let body = response.bytes().await.map_err(broken)?;
    if status == StatusCode::OK {
        return serde_json::from_slice(&body).map_err(|_| SayError::NotRunning);
    }
    match serde_json::from_slice::<OperatorError>(&body) {
        // The token belongs to another session: the one in the note has ended.
        Ok(_) if status == StatusCode::FORBIDDEN => Err(SayError::NotRunning),
        Ok(refusal) if status == StatusCode::BAD_GATEWAY => Err(SayError::Unanswered(refusal.error)),
        Ok(refusal) => Err(SayError::Refused(refusal.error)),
        // Another program is listening there now.
        Err(_) => Err(SayError::NotRunning),
    }
}
