//! Playing recorded cases back on a build, and what a new version must reply to serve.

use std::{io, path::Path, sync::Arc};

use crate::{
    loading::error::LoadError,
    policy::manifest::CasesPolicy,
    recording::{
        cases::{Case, read_named},
        tape::{Ending, HostCall, Tape},
    },
    running::{invoke::Fault, plugin::LoadedPlugin},
};
use maro_tickets::texts;

/// What playing a case back on a plugin came to.
#[derive(Debug)]
pub struct Replayed {
    pub ending: Ending,
    /// Calls that the case does not have; the first of them ended the plugin.
    pub unrecorded: Vec<HostCall>,
    /// Calls that the case has and the plugin did not make.
    pub not_made: Vec<HostCall>,
}

impl Replayed {
    /// Whether people would see another reply.
    pub fn replies_otherwise(&self, case: &Case) -> bool {
        self.ending != case.ending
    }

    /// Whether anything is other than recorded.
    pub fn differs(&self, case: &Case) -> bool {
        self.replies_otherwise(case) || !self.unrecorded.is_empty() || !self.not_made.is_empty()
    }
}

impl Case {
    /// Runs the plugin on what was typed, with the recorded answers in place of the host's.
    pub async fn replay(&self, plugin: &LoadedPlugin) -> Replayed {
        let tape = Arc::new(Tape::playing(self.calls.clone()));
        let fault = plugin.run_on_tape(&self.arguments, Arc::clone(&tape)).await.err();
        let reel = tape.unwind();
        let ending = match (fault, reel.ending.clone()) {
            (None, Some(ending)) => ending,
            (fault, _) => Ending::Fault(fault.as_ref().map_or_else(String::new, Fault::to_string)),
        };
        Replayed { ending, not_made: reel.unplayed().to_vec(), unrecorded: reel.unrecorded }
    }
}

/// Plays back what is recorded in `NAME.cases/` beside a plugin that is about to serve.
///
/// # Errors
/// A case cannot be read; or a reply is other than recorded and the operator has not allowed that.
pub(crate) async fn admit(plugin: &mut LoadedPlugin, plugins_dir: &Path) -> Result<(), LoadError> {
    let dir = plugins_dir.join(format!("{}.cases", plugin.file()));
    let files = read(move || Case::files(&dir)).await?;
    let mut other = Vec::new();
    // One by one: a plugin may have many, and they may be large.
    for path in files {
        let file = path.clone();
        let case = read(move || read_named(&file)).await?;
        if case.replay(plugin).await.replies_otherwise(&case) {
            other.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    if other.is_empty() {
        return Ok(());
    }
    match plugin.manifest().cases {
        CasesPolicy::Refuse => {
            Err(LoadError::OtherReplies { cases: other, file: plugin.manifest_file().to_owned() })
        }
        CasesPolicy::Warn => {
            let warning = texts::plugin_files::other_replies_warning(&other.join(", "));
            tracing::warn!(plugin = plugin.name(), "{warning}");
            plugin.warn(warning);
            Ok(())
        }
    }
}

/// Reads where waiting for a disk keeps nobody.
async fn read<T: Send + 'static>(
    reading: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, LoadError> {
    let read = tokio::task::spawn_blocking(reading).await;
    read.map_err(io::Error::other).and_then(|read| read).map_err(LoadError::UnreadableCases)
}
