//! What the life of a file asks of a version of its plugin.

use std::sync::Arc;

use crate::{
    policy::{admission::Forbidden, manifest::Manifest},
    running::plugin::LoadedPlugin,
};

/// A version of a plugin, as far as the life of its file depends on it.
pub(super) trait Build {
    /// SHA-256 of the component, in hexadecimal.
    fn digest(&self) -> &str;
    fn manifest(&self) -> &Arc<Manifest>;
    /// Whether it may run under another manifest.
    fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden>;
    /// The same version under another manifest.
    fn under(&self, manifest: Arc<Manifest>) -> Self;
}

impl Build for LoadedPlugin {
    fn digest(&self) -> &str {
        self.digest()
    }

    fn manifest(&self) -> &Arc<Manifest> {
        self.manifest()
    }

    fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden> {
        self.check_against(manifest)
    }

    fn under(&self, manifest: Arc<Manifest>) -> Self {
        self.under(manifest)
    }
}
