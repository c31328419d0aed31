//! Looking at the plugins folder, and telling an empty one from one that is gone.

use std::{
    io,
    path::Path,
    sync::{MutexGuard, PoisonError},
};

use crate::{
    loading::folder::{self, Listing},
    registry::{Registry, folder_knowledge::FolderKnowledge},
};

impl Registry {
    /// Lists the folder without reading its files.
    ///
    /// # Errors
    /// It can't be read, or it is empty and on another device than its files were: its volume isn't mounted. Unless
    /// somebody `wants_it`, a folder that comes back empty from such an outage is still one: a new volume may have the
    /// old one's device number.
    pub(super) async fn look(&self, wants_it: bool) -> io::Result<Listing> {
        let dir = self.dir.clone();
        let listing =
            tokio::task::spawn_blocking(move || folder::look(&dir)).await.map_err(io::Error::other)??;
        let mut known = self.knowledge();
        if !listing.components.is_empty() {
            known.device = Some(listing.device);
        } else if let Some(outage) = known.outage(listing.device, wants_it) {
            return Err(io::Error::other(outage));
        }
        known.problem = None;
        drop(known);
        Ok(listing)
    }

    /// Remembers that the folder can't be read, and logs it if it is news or somebody `wants_it`. What was loaded
    /// keeps running.
    pub(super) fn note_outage(&self, error: &io::Error, wants_it: bool) {
        let is_news = self.knowledge().problem.replace(error.to_string()).is_none();
        if is_news || wants_it {
            tracing::error!(%error, "can't read the plugins folder");
        }
    }

    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// Why the folder can't be read, if it was tried and couldn't.
    pub fn folder_problem(&self) -> Option<String> {
        self.knowledge().problem.clone()
    }

    fn knowledge(&self) -> MutexGuard<'_, FolderKnowledge> {
        self.folder_knowledge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
