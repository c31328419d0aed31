//! Runs external tools. Their output is shown and kept, and a tool that nobody waits for any more is killed.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    path::PathBuf,
    pin::Pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::anyhow;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::languages::tool_environment;

/// How much of the beginning and of the end of a tool's output is kept, in bytes each. Some say what matters first,
/// others last.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Whether a line of a tool's standard output is kept.
type Filter = fn(&str) -> bool;

/// How long a tool may take to bundle a plugin with its interpreter. This runs the plugin's code outside its
/// functions.
const COMPONENTIZING: Duration = Duration::from_secs(5 * 60);

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the build was stopped")]
    Stopped,
    /// Something that the build needs isn't on this machine. The sentence says what to install.
    #[error("{0}")]
    Missing(String),
    /// A tool ran and failed: its output, and whether that was shown already.
    #[error("{output}")]
    Failed { output: String, is_shown: bool },
    #[error(
        "the build didn't finish within {minutes} minutes: does the source have an endless loop outside its \
        functions?"
    )]
    Endless { minutes: u64 },
    #[error("{what}")]
    File { what: String, source: io::Error },
}

impl BuildError {
    /// For `map_err` on file operations. `what` says what went wrong.
    pub(crate) fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }

    /// Adds a sentence of ours after a tool's output, if `explanation` has one.
    pub(crate) fn explained(
        self,
        explanation: impl FnOnce(&str) -> Option<String>,
        toolbox: &Toolbox,
    ) -> Self {
        match self {
            Self::Failed { output, is_shown } => {
                let Some(sentence) = explanation(&output) else { return Self::Failed { output, is_shown } };
                if is_shown {
                    toolbox.say(&sentence);
                }
                Self::Failed { output: format!("{}\n{sentence}", output.trim_end()), is_shown }
            }
            error => error,
        }
    }

    /// The error for the command line, ending with the `outcome`, but without output that its reader has
    /// already seen.
    pub fn told(self, outcome: String) -> anyhow::Error {
        match self {
            Self::Failed { is_shown: true, .. } => anyhow!("{outcome}; see above for the reason"),
            Self::Failed { output, .. } => anyhow!("{output}\n{outcome}; see above for the reason"),
            error => anyhow::Error::from(error).context(outcome),
        }
    }
}

/// Tests that passed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tested {
    pub(crate) ran: usize,
    /// Files with tests that no tool has run, each with the cure.
    pub(crate) unfound: Vec<String>,
}

/// Work that tools do for a project.
pub(crate) type ToolWork<'a, T> = Pin<Box<dyn Future<Output = Result<T, BuildError>> + Send + 'a>>;

/// How tools run.
#[derive(Debug, Clone)]
pub struct Toolbox {
    /// The folder for tools that a build downloads.
    pub cache: PathBuf,
    /// Whether their standard error is shown while they run.
    pub echo: bool,
    /// Kills the tools and all processes that they started.
    pub stop: CancellationToken,
}

impl Toolbox {
    /// As this one, for tools of which nothing is shown.
    pub(crate) fn silent(&self) -> Self {
        Self { echo: false, ..self.clone() }
    }

    /// Runs a tool to its end. Returns what it wrote to standard output.
    ///
    /// # Errors
    /// [`BuildError::Missing`] with `absence` if it can't be started, [`BuildError::Failed`] with its output,
    /// or [`BuildError::Stopped`].
    pub(crate) async fn run(&self, command: Command, absence: &str) -> Result<String, BuildError> {
        self.ended(self.finish(command, absence, self.echo, None).await?)
    }

    /// As [`Toolbox::run`], for a tool of whose standard output only some lines matter.
    ///
    /// # Errors
    /// As [`Toolbox::run`].
    pub(crate) async fn run_for(
        &self,
        command: Command,
        absence: &str,
        filter: Filter,
    ) -> Result<String, BuildError> {
        self.ended(self.finish(command, absence, self.echo, Some(filter)).await?)
    }

    fn ended(&self, Ended { out, said, status }: Ended) -> Result<String, BuildError> {
        if status.success() {
            return Ok(out);
        }
        let is_shown = self.echo && !said.trim().is_empty();
        let output = [said, out].into_iter().find(|text| !text.trim().is_empty());
        let output = output.unwrap_or_else(|| format!("it ended with {status}"));
        Err(BuildError::Failed { output, is_shown })
    }

    /// As [`Toolbox::run`], for a tool that runs the plugin's own code. That code may never end, so there is
    /// a time limit.
    ///
    /// # Errors
    /// As [`Toolbox::run`], and [`BuildError::Endless`].
    pub(crate) async fn componentize(&self, command: Command, absence: &str) -> Result<String, BuildError> {
        self.run_within(command, absence, COMPONENTIZING).await
    }

    async fn run_within(
        &self,
        command: Command,
        absence: &str,
        limit: Duration,
    ) -> Result<String, BuildError> {
        let ended = timeout(limit, self.run(command, absence)).await;
        ended.unwrap_or(Err(BuildError::Endless { minutes: limit.as_secs() / 60 }))
    }

    /// Runs tests. Returns their output if they pass.
    ///
    /// # Errors
    /// As [`Toolbox::run`], with both output streams: some tests say on one what failed and on the other why.
    pub(crate) async fn run_tests(&self, command: Command, absence: &str) -> Result<String, BuildError> {
        let Ended { out, said, status } = self.finish(command, absence, false, None).await?;
        let output = format!("{}\n{}", out.trim(), said.trim()).trim().to_owned();
        if status.success() { Ok(output) } else { Err(BuildError::Failed { output, is_shown: false }) }
    }

    async fn finish(
        &self,
        mut command: Command,
        absence: &str,
        echo: bool,
        filter: Option<Filter>,
    ) -> Result<Ended, BuildError> {
        for name in tool_environment::withheld() {
            let is_given = command.as_std().get_envs().any(|(given, _)| given == name);
            if !is_given {
                command.env_remove(name);
            }
        }
        // In a group of its own, a compiler's children are killed with it.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| not_started(&command, error, absence))?;
        let mut group = Group::of(&child);
        let (out, error) = (child.stdout.take(), child.stderr.take());
        let work = async { tokio::join!(kept(out, false, filter), kept(error, echo, None), child.wait()) };
        let Some((out, said, status)) = self.stop.run_until_cancelled(work).await else {
            return Err(BuildError::Stopped);
        };
        group.0 = None;
        let status = status.map_err(BuildError::file("can't wait for a tool to end"))?;
        Ok(Ended { out, said, status })
    }

    /// Tells the author what is taking time.
    pub(crate) fn say(&self, text: &str) {
        if self.echo {
            show(text);
        }
    }
}

/// A missing working folder looks like a missing tool.
fn not_started(command: &Command, error: io::Error, absence: &str) -> BuildError {
    match command.as_std().get_current_dir() {
        Some(folder) if !folder.is_dir() => {
            BuildError::file(format!("{} no longer exists", folder.display()))(error)
        }
        _ if error.kind() == io::ErrorKind::NotFound => BuildError::Missing(absence.to_owned()),
        _ => {
            BuildError::file(format!("{} can't be started", command.as_std().get_program().display()))(error)
        }
    }
}

/// What a tool wrote to standard output and standard error, and how it ended.
struct Ended {
    out: String,
    said: String,
    status: ExitStatus,
}

/// The processes of a tool. Killed if dropped before the tool has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // They may have just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Reads what comes through a pipe, line by line: all lines that a filter lets through, or else not more than is of use for
/// people. There are no terminal colours in it, because none of the
/// tools sends them to a pipe.
async fn kept(pipe: Option<impl AsyncRead + Unpin>, echo: bool, filter: Option<Filter>) -> String {
    let (mut kept, mut filtered) = (Kept::default(), String::new());
    let Some(pipe) = pipe else { return String::new() };
    let mut lines = BufReader::new(pipe).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        if echo {
            show(&line);
        }
        match filter {
            Some(filter) if filter(&line) => filtered.extend([&*line, "\n"]),
            Some(_) => {}
            None => kept.add(&line),
        }
    }
    if filter.is_some() { filtered } else { kept.text() }
}

/// The beginning and the end of a tool's output.
#[derive(Default)]
struct Kept {
    beginning: String,
    is_full: bool,
    end: VecDeque<String>,
    end_bytes: usize,
    dropped: usize,
}

impl Kept {
    fn add(&mut self, line: &str) {
        self.is_full = self.is_full || self.beginning.len() + line.len() >= MAX_KEPT_BYTES;
        if !self.is_full {
            self.beginning.push_str(line);
            self.beginning.push('\n');
            return;
        }
        // One line may be longer than everything that is kept.
        let cut = line.floor_char_boundary(MAX_KEPT_BYTES.min(line.len()));
        self.end.push_back(format!("{}\n", &line[..cut]));
        self.end_bytes += cut + 1;
        while self.end_bytes > 2 * MAX_KEPT_BYTES
            && let Some(first) = self.end.pop_front()
        {
            self.end_bytes -= first.len();
            self.dropped += 1;
        }
    }

    fn text(self) -> String {
        let gap = match self.dropped {
            0 => String::new(),
            1 => "[1 line left out]\n".to_owned(),
            lines => format!("[{lines} lines left out]\n"),
        };
        let end: String = self.end.into_iter().collect();
        self.beginning + &gap + &end
    }
}

fn show(line: &str) {
    // If the terminal is closed, the build still ends as it must.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolbox() -> Toolbox {
        Toolbox { cache: PathBuf::new(), echo: false, stop: CancellationToken::new() }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn what_a_failing_tool_says_is_kept() {
        let error = toolbox().run(shell("echo fine; echo broken >&2; exit 3"), "").await.unwrap_err();
        assert_eq!(error.to_string(), "broken\n");
        assert_eq!(toolbox().run(shell("echo fine"), "").await.unwrap(), "fine\n");
    }

    #[tokio::test]
    async fn of_much_output_the_end_is_kept_too_and_lines_that_matter_all() {
        let much = "echo first; seq -f 'line %.0f of what a tool says' 20000; echo last";
        let said = toolbox().run(shell(much), "").await.unwrap();
        assert!(said.starts_with("first\n") && said.ends_with("\nlast\n"), "{} bytes", said.len());
        assert!(said.contains(" lines left out]\n") && said.len() < 4 * MAX_KEPT_BYTES);
        let matters = toolbox().run_for(shell(much), "", |line| !line.starts_with("line")).await.unwrap();
        assert_eq!(matters, "first\nlast\n");
    }

    #[tokio::test]
    async fn failing_tests_are_told_with_all_that_they_said() {
        let error = toolbox().run_tests(shell("echo why; echo what >&2; exit 1"), "").await.unwrap_err();
        assert_eq!(
            error.told("it fails".to_owned()).to_string(),
            "why\nwhat\nit fails; see above for the reason"
        );
    }

    #[tokio::test]
    async fn what_was_shown_is_not_told_again() {
        let toolbox = Toolbox { echo: true, ..toolbox() };
        let error = toolbox.run(shell("echo broken >&2; exit 1"), "").await.unwrap_err();
        assert_eq!(
            error.told("it failed to build".to_owned()).to_string(),
            "it failed to build; see above for the reason"
        );
        let error = toolbox.run(shell("exit 1"), "").await.unwrap_err();
        assert!(
            error.told("it failed to build".to_owned()).to_string().contains("it ended with exit status: 1")
        );
    }

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_told_as_what_to_install() {
        let error = toolbox().run(Command::new("/nonexistent/tool"), "install it").await.unwrap_err();
        assert_eq!(error.to_string(), "install it");
        let mut command = shell("true");
        command.current_dir("/nonexistent/project");
        let error = toolbox().run(command, "install it").await.unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/project no longer exists");
    }

    #[tokio::test]
    async fn a_build_that_never_ends_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut waiting = shell("mkfifo fifo; cat fifo");
        waiting.current_dir(folder.path());
        let error = toolbox().run_within(waiting, "", Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, BuildError::Endless { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_stopped_build_ends_with_all_that_it_started() {
        let toolbox = toolbox();
        let folder = tempfile::tempdir().unwrap();
        let (fifo, alive) = (folder.path().join("fifo"), folder.path().join("alive"));
        let script = format!("mkfifo {0}; (echo > {1}; cat {0}) & wait", fifo.display(), alive.display());
        let stop = toolbox.stop.clone();
        let running = tokio::spawn(async move { toolbox.run(shell(&script), "").await });
        while !alive.exists() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        assert!(matches!(running.await.unwrap(), Err(BuildError::Stopped)));
    }
}
