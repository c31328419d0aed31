//! Playing recorded cases back on a build, and comparing a new version's replies with them.

use std::{io, path::Path, sync::Arc, time::Duration};

use crate::{
    loading::{
        error::LoadError,
        folder,
        progress::{Progress, Stage},
    },
    policy::manifest::CasesPolicy,
    recording::{
        cases::{Case, read_named},
        tape::{Ending, HostCall, Tape},
    },
    running::{invoke::Fault, plugin::LoadedPlugin},
};
use maro_texts as texts;

/// How often a case is played while others have the memory, and the pause in between.
const MAX_ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// The result of playing a case back on a plugin.
#[derive(Debug)]
pub struct Replayed {
    pub ending: Ending,
    /// Calls that the case doesn't have; the first of them ended the plugin.
    pub unrecorded: Vec<HostCall>,
    /// Calls that the case has and the plugin didn't make.
    pub not_made: Vec<HostCall>,
}

impl Replayed {
    /// Whether people would see another reply.
    pub fn replies_otherwise(&self, case: &Case) -> bool {
        !case.ends_like(&self.ending)
    }

    /// Whether anything differs from the case.
    pub fn differs(&self, case: &Case) -> bool {
        self.replies_otherwise(case) || !self.unrecorded.is_empty() || !self.not_made.is_empty()
    }
}

impl Case {
    /// Runs the plugin on what was typed, with the recorded answers in place of the host's.
    pub async fn replay(&self, plugin: &LoadedPlugin) -> Replayed {
        let mut attempts = 0;
        let (tape, fault) = loop {
            let tape = Arc::new(Tape::playing(&self.arguments, &self.calls));
            let fault = plugin.run_on_tape(&self.arguments, Arc::clone(&tape)).await.err();
            attempts += 1;
            // That others have the memory says nothing about the plugin.
            if attempts == MAX_ATTEMPTS || !fault.as_ref().is_some_and(Fault::is_crowded) {
                break (tape, fault);
            }
            tokio::time::sleep(PAUSE).await;
        };
        let reel = tape.unwind();
        let ending = match (fault, reel.ending.clone()) {
            (None, Some(ending)) => ending,
            (fault, _) => Ending::Fault(fault.as_ref().map_or_else(String::new, Fault::to_string)),
        };
        Replayed { ending, not_made: reel.unplayed().to_vec(), unrecorded: reel.unrecorded }
    }
}

/// Plays back the cases in `NAME.cases/` beside a plugin that is about to run.
///
/// # Errors
/// A case can't be read, or a reply differs from the recorded one and the operator hasn't allowed that.
pub(crate) async fn admit(
    plugin: &mut LoadedPlugin,
    plugins_dir: &Path,
    progress: &Progress,
) -> Result<(), LoadError> {
    let dir = folder::cases_folder(plugins_dir, plugin.name());
    let files = read(move || Case::files(&dir)).await?;
    let mut other = Vec::new();
    // One by one: a plugin may have many, and they may be large.
    for path in files {
        progress.enter(Stage::ReplayingCases);
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
            let warning = texts::plugins::refused_files::other_replies_warning(&other.join(", "));
            tracing::warn!(plugin = plugin.name(), "{warning}");
            plugin.warn(warning);
            Ok(())
        }
    }
}

/// Reads on a thread that may wait for a disk.
async fn read<T: Send + 'static>(
    reading: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, LoadError> {
    let read = tokio::task::spawn_blocking(reading).await;
    read.map_err(io::Error::other).and_then(|read| read).map_err(LoadError::UnreadableCases)
}
