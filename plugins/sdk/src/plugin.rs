//! What plugin authors implement, and how it becomes the component's exports.

use std::marker::PhantomData;

use crate::{
    bindings::exports::maro::plugin::command, clock::HostError, http::HttpError, jira::JiraError,
    jira_edit::EditError, reply::Reply, storage::StorageError, tracker::TrackerError,
};

/// One subcommand of `/maro`.
pub trait Plugin {
    /// The subcommand's name and what it does. Called once, when the host loads the plugin. May call no
    /// capability except [`crate::log`].
    fn describe() -> Description;

    /// Answers one command. `arguments` is what follows `/maro name `, as Slack sends it: `&`, `<` and `>`
    /// are entities, and a URL may be `<url|label>`. [`crate::keys::parse`] handles both. Each call gets a
    /// fresh plugin: statics keep nothing from the call before.
    ///
    /// # Errors
    /// [`RunError::Usage`] if the arguments can't be used, otherwise [`RunError::Failed`]. After a panic the
    /// person sees the ID of an incident. The panic's message goes to the operator's log.
    fn run(arguments: &str) -> Result<Reply, RunError>;
}

/// What a plugin says about itself. The host rejects a plugin whose description exceeds these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The subcommand: 1 to 32 of `a`–`z`, `0`–`9` and `-`, starting with a letter.
    pub name: &'static str,
    /// Usually `env!("CARGO_PKG_VERSION")`. At most 32 characters.
    pub version: &'static str,
    /// One line of at most 100 characters for `/maro help`.
    pub summary: &'static str,
    /// What to type after `/maro name`, at most 100 characters. May be empty.
    pub usage: &'static str,
}

/// Why there's no reply. Each variant has one sentence for the person who typed the command.
pub use command::RunError;

impl RunError {
    /// The arguments can't be used. The host adds how to use the subcommand.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    /// It couldn't be done.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }
}

impl From<HostError> for RunError {
    fn from(error: HostError) -> Self {
        Self::Failed(error.message)
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

/// The component that provides `P`. Only [`crate::register!`] uses it.
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
