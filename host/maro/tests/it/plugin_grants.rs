//! What a manifest takes away from a version that serves is taken away, whatever else is wrong.

use std::{fs, path::Path, sync::Arc};

use maro_process::{clock::Clock, metrics::Metrics};
use maro_runtime::{
    loading::loader::PluginLoader,
    plugin_changes::PluginChange,
    policy::manifest::Manifest,
    registry::{Registry, watch},
};
use tokio_util::sync::CancellationToken;

use crate::{
    built_components::{PluginsFolder, fixture},
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

/// A folder in which `hostile` serves, and what happens there from then on.
struct Served {
    folder: PluginsFolder,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    changes: Changes,
}

impl Served {
    async fn new() -> Self {
        let folder = PluginsFolder::empty()
            .with_file("hostile.wasm", &version(1))
            .with_file("hostile.toml", GRANTS.as_bytes());
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache");
        let loader = Arc::new(PluginLoader::new(Some(&cache), None).unwrap());
        let metrics = Arc::new(Metrics::new());
        let (dir, clock) = (folder.path().to_owned(), Clock::system());
        let registry = Arc::new(Registry::new(loader, dir, &[], Arc::clone(&metrics), clock));
        registry.load().await.unwrap();
        assert!(registry.plugins().get("hostile").is_some());
        let changes = Changes::of(&registry);
        Self { folder, registry, metrics, changes }
    }

    /// With another manifest; with none if `toml` is `None`.
    async fn under(&mut self, toml: Option<&str>) {
        match toml {
            Some(toml) => put(self.folder.path(), "hostile.toml", toml.as_bytes()),
            None => fs::remove_file(self.folder.path().join("hostile.toml")).unwrap(),
        }
        self.registry.load().await.unwrap();
    }

    fn put_component(&self, wasm: &[u8]) {
        put(self.folder.path(), "hostile.wasm", wasm);
    }

    /// What the version that serves is under.
    fn manifest(&self) -> Option<Manifest> {
        Some(Manifest::clone(self.registry.plugins().get("hostile")?.manifest()))
    }
}

#[tokio::test]
async fn a_version_stops_once_its_manifest_forbids_it() {
    let pin = "ab".repeat(32);
    let pinned = format!("{GRANTS}\nsha256 = \"{pin}\"");
    let all = "it needs jira, tracker, tracker-edit, which is no longer granted: to let it run again, add \
               \"jira\", \"tracker\", \"tracker-edit\" to `grants` in hostile.toml";
    let one = "it needs tracker-edit, which is no longer granted: to let it run again, add \
               \"tracker-edit\" to `grants` in hostile.toml";
    let content = format!(
        "hostile.toml no longer allows this build: to let it run again, change `sha256` there. It pins {pin}; this \
         is "
    );
    for (toml, expected) in [
        (Some("grants = []"), all),
        (None, all),
        (Some("grants = [\"jira\", \"tracker\"]"), one),
        (Some(&*pinned), &*content),
    ] {
        let mut served = Served::new().await;
        served.under(toml).await;
        assert!(served.manifest().is_none(), "it serves on under {toml:?}");
        assert_eq!(served.changes.next("hostile").await, PluginChange::Removed);
        let (reason, kept) = served.changes.refusal("hostile.wasm").await;
        assert!(reason.starts_with(expected), "{reason:?} does not start with {expected:?}");
        assert_eq!(kept, None);
        served.registry.load().await.unwrap();
        served.changes.assert_no_more();

        served.under(Some(GRANTS)).await;
        assert!(matches!(served.changes.next("hostile").await, PluginChange::Loaded { .. }));
        assert!(served.registry.plugins().refused.is_empty());
    }
}

#[tokio::test]
async fn a_manifest_rules_over_the_earlier_version_of_a_bad_build() {
    let narrower = format!("{GRANTS}\n[scope]\ntracker.admins-only = true\n[limits]\nconcurrency = 2");
    let mut served = Served::new().await;
    served.put_component(&fs::read(fixture("describe-traps")).unwrap());
    served.under(Some(&narrower)).await;
    assert_eq!(served.manifest(), Some(Manifest::parse(&narrower).unwrap()));
    assert!(
        matches!(served.changes.next("hostile").await, PluginChange::Replaced { from, to } if from == to)
    );
    let (reason, kept) = served.changes.refusal("hostile.wasm").await;
    assert!(reason.starts_with("it couldn't describe itself"), "{reason}");
    assert_eq!(kept.as_deref(), Some("hostile"));

    // Damaged so that nothing can be read of it: its manifest can.
    served.put_component(b"?");
    served.under(Some("grants = [\"jira\"]")).await;
    assert!(served.manifest().is_none());
    assert_eq!(served.changes.next("hostile").await, PluginChange::Removed);
    let (reason, kept) = served.changes.refusal("hostile.wasm").await;
    assert_eq!(
        reason,
        "it isn't WebAssembly: build it with `maro plugin build`; the previous version was stopped because it needs \
         tracker, tracker-edit, which is no longer granted"
    );
    assert_eq!(kept, None);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_takes_no_grant_along() {
    let mut served = Served::new().await;
    let path = served.folder.path().join("hostile.wasm");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    served.under(Some(GRANTS)).await;
    assert!(served.manifest().is_some());
    served.under(Some("grants = []")).await;
    assert!(served.manifest().is_none());
}

#[tokio::test]
async fn what_forbids_nothing_leaves_the_earlier_version_alone() {
    let mut served = Served::new().await;
    let before = served.manifest();
    // A wider wish of a new component.
    served.put_component(&fs::read(fixture("jira-calls")).unwrap());
    served.under(Some(GRANTS)).await;
    let (reason, kept) = served.changes.refusal("hostile.wasm").await;
    assert!(reason.starts_with("it needs jira-edit, which isn't granted: add"), "{reason}");
    assert_eq!(kept.as_deref(), Some("hostile"));
    served.under(Some("grants = [")).await;
    assert_eq!(served.changes.refusal("hostile.wasm").await.1.as_deref(), Some("hostile"));
    assert_eq!(served.manifest(), before);
    served.changes.assert_no_more();
}

#[tokio::test]
async fn a_file_that_does_not_serve_is_tried_once() {
    let mut served = Served::new().await;
    let loads = |metrics: &Metrics| {
        let text = metrics.render();
        ["maro_plugin_compile_seconds_count ", "maro_plugin_cache_hits_total "]
            .map(|name| {
                text.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse::<u32>().unwrap()
            })
            .iter()
            .sum::<u32>()
    };
    let before = loads(&served.metrics);
    let shutdown = CancellationToken::new();
    let watching = tokio::spawn(watch::watch(Arc::clone(&served.registry), shutdown.clone()));
    put(served.folder.path(), "traps.wasm", &fs::read(fixture("describe-traps")).unwrap());
    served.changes.refusal("traps.wasm").await;
    assert_eq!(loads(&served.metrics), before + 1);
    put(served.folder.path(), "track.wasm", &fs::read(fixture("takes-track")).unwrap());
    assert!(matches!(served.changes.next("track").await, PluginChange::Loaded { .. }));
    put(served.folder.path(), "last.wasm", b"?");
    served.changes.refusal("last.wasm").await;
    assert_eq!(loads(&served.metrics), before + 2);
    shutdown.cancel();
    watching.await.unwrap();
}
