//! What a version runs under: its manifest, and what follows from it.

use std::sync::Arc;

use crate::{
    policy::manifest::Manifest,
    running::{
        pool_places::{Places, Share},
        version::Version,
    },
};

pub(crate) struct ManifestInForce {
    pub(crate) manifest: Arc<Manifest>,
    /// What the operator may not have meant, a sentence each.
    pub(crate) warnings: Vec<String>,
    pub(super) places: Arc<Share>,
}

impl ManifestInForce {
    pub(crate) fn new(version: &Version, manifest: Arc<Manifest>, places: &Arc<Places>) -> Self {
        Self::with_places(version, places.share(manifest.limits.concurrency as usize), manifest)
    }

    /// The same under another manifest. Invocations in progress still count, unless the new limit differs.
    pub(super) fn under(&self, version: &Version, manifest: Arc<Manifest>) -> Self {
        let concurrency = manifest.limits.concurrency;
        let places = if concurrency == self.manifest.limits.concurrency {
            Arc::clone(&self.places)
        } else {
            self.places.of_other_size(concurrency as usize)
        };
        Self::with_places(version, places, manifest)
    }

    fn with_places(version: &Version, places: Arc<Share>, manifest: Arc<Manifest>) -> Self {
        let warnings = version.wishes.warnings(&manifest, &version.origin.manifest_file);
        Self { manifest, warnings, places }
    }
}
