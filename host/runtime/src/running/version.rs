//! One version of a plugin: what was loaded from its file, whatever manifest it runs under.

use std::sync::Arc;

use crate::{
    engine::exports_of_any_version::InterfacePre,
    inspection::preflight::Wishes,
    invocation::authority::Origin,
    policy::admission::{self, Forbidden},
    policy::manifest::Manifest,
};

/// What a plugin says of itself, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The subcommand. It is the name of the plugin's file: a guest can't choose whose switches, storage and
    /// metrics it has.
    pub name: Arc<str>,
    pub version: String,
    pub summary: String,
    pub usage: String,
}

/// What all plugins from the same file with the same content share.
pub(crate) struct Version {
    pub(crate) description: Description,
    pub(crate) origin: Arc<Origin>,
    /// What it needs.
    pub(crate) wishes: Wishes,
    pub(crate) pre: Arc<InterfacePre>,
    /// Of the component, in bytes.
    pub(crate) size: usize,
    /// Keeps its code in the cache.
    pub(crate) lease: Arc<()>,
}

impl Version {
    /// Whether it may run under a manifest.
    ///
    /// # Errors
    /// What it lacks there.
    pub(super) fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden> {
        let Origin { digest, manifest_file } = &*self.origin;
        admission::check_pin(digest, manifest, manifest_file)?;
        admission::check_grants(&self.wishes.grants, manifest, manifest_file)
    }
}
