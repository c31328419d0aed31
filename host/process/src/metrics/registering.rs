//! How metrics get into the registry.

use std::{hash::Hash, sync::atomic::AtomicU64};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Metric, Registry},
};

/// Registers a metric. What is counted in the one that is returned shows in the registry.
pub(super) fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

pub(super) fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    registered(registry, name, help, Counter::default())
}

pub(super) fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    registered(registry, name, help, Gauge::default())
}

/// A counter or gauge for each set of labels.
pub(super) fn family<L, M>(registry: &mut Registry, name: &str, help: &str) -> Family<L, M>
where
    Family<L, M>: Metric + Default,
    L: Clone + Eq + Hash,
{
    registered(registry, name, help, Family::default())
}

/// Adds the version of this bot, which never changes.
pub(super) fn with_version(mut registry: Registry) -> Registry {
    let version = [("version".into(), env!("CARGO_PKG_VERSION").into())];
    let labelled = registry.sub_registry_with_labels(version.into_iter());
    registered(labelled, "build_info", "The version of this bot", Gauge::<f64, AtomicU64>::default())
        .set(1.0);
    registry
}
