//! Many files to load, some of them large: who waits for whom, and what is not compiled at all.

use std::{fs, path::Path, sync::Arc};

use maro_process::{clock::Clock, metrics::Metrics};
use maro_runtime::{
    loading::loader::PluginLoader,
    plugin_changes::PluginChange,
    registry::{Registry, watch},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    built_components::PluginsFolder,
    handwritten_components::large,
    plugin_changes::{Changes, patched, put},
};

/// A registry that watches an empty folder, and has compiled nothing before.
struct Watched {
    folder: PluginsFolder,
    cache: tempfile::TempDir,
    registry: Arc<Registry>,
    changes: Changes,
    _watching: AbortOnDropHandle<()>,
}

impl Watched {
    fn new() -> Self {
        let (folder, cache) = (PluginsFolder::empty(), tempfile::tempdir().unwrap());
        let loader = Arc::new(PluginLoader::new(Some(&cache.path().join("code")), None).unwrap());
        let (dir, metrics) = (folder.path().to_owned(), Arc::new(Metrics::new()));
        let registry = Arc::new(Registry::new(loader, dir, &[], metrics, Clock::system()));
        let changes = Changes::of(&registry);
        let watching = tokio::spawn(watch::watch(Arc::clone(&registry), CancellationToken::new()));
        Self { folder, cache, registry, changes, _watching: AbortOnDropHandle::new(watching) }
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn compiled(&self) -> usize {
        let entries = fs::read_dir(self.cache.path().join("code")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some()).count()
    }
}

/// A small plugin called `name`, which has five letters.
fn small(name: &str) -> Vec<u8> {
    patched("takes-track", "track0.1.0A fixture", &format!("{name}0.1.0A fixture"))
}

#[tokio::test]
async fn small_plugins_do_not_wait_for_large_ones() {
    const SMALL: u32 = 10;
    const LARGE: u32 = 5;
    let mut watched = Watched::new();
    for number in 0..LARGE {
        put(watched.dir(), &format!("a-large-{number}.wasm"), &large(number));
    }
    for number in 0..SMALL {
        let name = format!("p{number:04}");
        put(watched.dir(), &format!("{name}.wasm"), &small(&name));
    }
    let (mut large, mut small) = (0, 0);
    while small < SMALL {
        match watched.changes.first().await {
            (_, PluginChange::Loaded { .. }) => small += 1,
            (_, PluginChange::Refused { .. }) => large += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(large < LARGE, "the small ones came last");
}

#[tokio::test]
async fn a_file_that_is_gone_before_its_turn_is_not_compiled() {
    const FILES: u32 = 6;
    let mut watched = Watched::new();
    for number in 0..FILES {
        put(watched.dir(), &format!("large-{number}.wasm"), &large(number));
    }
    while watched.registry.plugins().loading.is_empty() {
        tokio::task::yield_now().await;
    }
    for number in 0..FILES {
        fs::remove_file(watched.dir().join(format!("large-{number}.wasm"))).unwrap();
    }
    // Its turn is after theirs.
    put(watched.dir(), "last.wasm", &large(FILES));
    watched.changes.refusal("last.wasm").await;
    assert!(watched.registry.plugins().loading.is_empty());
    watched.changes.assert_no_more();
    let compiled = watched.compiled();
    assert!(compiled < FILES as usize, "all of them were compiled");
}

#[tokio::test]
async fn a_plugin_for_a_later_wasi_is_told_what_to_be_built_for() {
    let mut watched = Watched::new();
    let component = wat::parse_str(
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.3.0"
                (instance (export "wait-for" (func async (param "how-long" u64)))))
            (instance $c) (export "maro:plugin/command@0.2.0" (instance $c)))"#,
    );
    put(watched.dir(), "later.wasm", &component.unwrap());
    let PluginChange::Refused { reason, .. } = watched.changes.first().await.1 else {
        panic!("it isn't refused")
    };
    assert_eq!(
        reason.to_string(),
        "it was built for WASI 0.3.0, but this host has WASI 0.2: build it for wasm32-wasip2"
    );
}
