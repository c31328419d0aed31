//! What happens to a file of the plugins folder, and what is to be done about it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    loading::{
        error::LoadError,
        folder::{ContentDigest, Identity},
        progress::Progress,
    },
    plugin_changes::PluginChange,
    policy::manifest::Manifest,
    registry::waiting::Wait,
    running::plugin::LoadedPlugin,
};

/// Names an attempt. A later one for the same file makes it stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttemptNumber(pub(super) u64);

/// What happens to a file.
pub(super) enum Event<B = LoadedPlugin> {
    /// The whole folder is about to be loaded, and this file with it: the watcher leaves it alone until an attempt
    /// has ended.
    Awaited,
    /// Nobody loads the whole folder any more.
    NotAwaited,
    /// The watcher looks at the file; `None` if it isn't there. `is_busy` while an update is under way.
    Seen { identity: Option<Identity>, is_busy: bool, at: Instant },
    /// The file was read, and an attempt begins with its `content`, if it could be read. With `again`, what was
    /// refused counts as never tried.
    Begun { attempt_number: AttemptNumber, again: bool, identity: Identity, content: Option<ContentDigest> },
    /// An attempt takes long enough to be shown.
    TakesLong(AttemptNumber),
    /// That attempt has ended, or was abandoned.
    TakesNoLonger(AttemptNumber),
    /// An attempt to put the component that runs under another manifest takes long.
    ManifestRead { attempt_number: AttemptNumber, manifest: Arc<Manifest> },
    /// An attempt has ended. If it was `lenient`, a refusal isn't reported yet.
    Ended {
        attempt_number: AttemptNumber,
        identity: Identity,
        outcome: AttemptOutcome<B>,
        lenient: bool,
        at: Instant,
    },
    /// Time has passed.
    Ticked { at: Instant },
}

/// What an attempt to load a file led to.
pub(super) enum AttemptOutcome<B = LoadedPlugin> {
    /// The content is what was tried before.
    Unchanged,
    Loaded {
        content: ContentDigest,
        plugin: Arc<B>,
    },
    Refused(Refused),
    /// There is no such file.
    Gone,
}

/// Why a file was refused, and what of it could be read.
pub(super) struct Refused {
    pub(super) content: Option<ContentDigest>,
    /// SHA-256 of the component, in hexadecimal.
    pub(super) digest: Option<String>,
    /// Its manifest, if MARO understands it.
    pub(super) manifest: Option<Arc<Manifest>>,
    pub(super) reason: LoadError,
}

impl Refused {
    /// A file of which nothing could be read.
    pub(super) fn unread(reason: LoadError) -> Self {
        Self { content: None, digest: None, manifest: None, reason }
    }
}

/// What is to be done.
pub(super) enum Effect {
    /// Read the file, and load it if its content is new.
    Update { lenient: bool },
    /// Load the file again: what kept it from running may have passed.
    Retry,
    /// Carry out the attempt that has begun. Without this effect, another one has the same content in hand.
    Try(Known),
    /// Tell operators that people have been waiting for the file.
    TellWait(Wait),
    /// Tell everybody what happened to a plugin or a file.
    Publish(String, PluginChange),
}

/// What an attempt needn't find out again, and where it tells how far it is.
#[derive(Default)]
pub(super) struct Known {
    /// The content that was tried last.
    pub(super) tried: Option<ContentDigest>,
    /// The content that was tried since, and why it was refused.
    pub(super) withheld: Option<Refused>,
    /// What the attempt is at.
    pub(super) progress: Arc<Progress>,
}
