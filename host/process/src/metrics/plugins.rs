//! Which version of each plugin runs.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabels {
    plugin: String,
    digest: String,
    version: String,
}

/// Which version of each plugin runs, as labels.
#[derive(Debug)]
pub struct PluginVersions {
    info: Family<PluginLabels, Gauge>,
}

impl PluginVersions {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let info = Family::default();
        registry.register("plugin_info", "1 for the version of each plugin that runs", info.clone());
        Self { info }
    }

    /// The names, digests and versions of those that run. Others don't.
    pub fn set<'a>(&self, plugins: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
        self.info.clear();
        for (plugin, digest, version) in plugins {
            let (plugin, digest, version) = (plugin.to_owned(), digest.to_owned(), version.to_owned());
            self.info.get_or_create(&PluginLabels { plugin, digest, version }).set(1);
        }
    }
}
