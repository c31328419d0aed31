//! What a plugin's author implements, and how it becomes the component's exports.

use std::marker::PhantomData;

use crate::{
    bindings::exports::maro::plugin::command, http::HttpError, jira::JiraError, jira_edit::EditError,
    reply::Reply, storage::StorageError, tracker::TrackerError,
};

/// One subcommand of `/maro`.
pub trait Plugin {
    /// What the subcommand is called and does. Called once, when the host loads the plugin, and may call
    /// no capability but [`crate::log`].
    fn describe() -> Description;

    /// Answers one command. `arguments` is what follows `/maro name `, as Slack sends it: `&`, `<` and `>`
    /// are entities, a URL may be `<url|label>`; [`crate::keys::parse`] knows. Each call finds the plugin
    /// fresh: statics hold nothing of the call before.
    ///
    /// # Errors
    /// [`RunError::Usage`] if the arguments cannot be used, else [`RunError::Failed`]. A panic is told to
    /// the person as an incident, without its message, which goes to the operator's log.
    fn run(arguments: &str) -> Result<Reply, RunError>;
}

/// What a plugin says of itself. The host refuses a plugin whose description breaks these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The subcommand: 1 to 32 of `a`–`z`, `0`–`9` and `-`, starting with a letter.
    pub name: &'static str,
    /// Usually `env!("CARGO_PKG_VERSION")`. At most 32 characters.
    pub version: &'static str,
    /// One line of at most 100 characters for `/maro help`.
    pub summary: &'static str,
    /// What to type after `/maro name`, at most 100 characters, or nothing.
    pub usage: &'static str,
}

/// Why there is no reply; each carries one sentence for the person who typed the command.
pub use command::RunError;

impl RunError {
    /// The arguments cannot be used. The host adds how the subcommand is used.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    /// It could not be done.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }
}

impl From<JiraError> for RunError {
    fn from(error: JiraError) -> Self {
        Self::Failed(error.message)
    }
}

impl From<EditError> for RunError {
    fn from(error: EditError) -> Self {
        Self::Failed(error.message)
    }
}

impl From<TrackerError> for RunError {
    fn from(error: TrackerError) -> Self {
        Self::Failed(error.message)
    }
}

impl From<StorageError> for RunError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.message)
    }
}

impl From<HttpError> for RunError {
    fn from(error: HttpError) -> Self {
        Self::Failed(error.message)
    }
}

/// The component that provides `P`. Named by [`crate::register!`] alone.
pub struct Component<P>(PhantomData<P>);

impl<P: Plugin> command::Guest for Component<P> {
    fn describe() -> command::Description {
        let description = P::describe();
        command::Description {
            name: description.name.to_owned(),
            version: description.version.to_owned(),
            summary: description.summary.to_owned(),
            usage: description.usage.to_owned(),
        }
    }

    fn run(arguments: String) -> Result<Reply, RunError> {
        P::run(&arguments)
    }
}
