//! A registry by itself: what it keeps, what it compiles, and what it lets go.

use std::{fs, path::Path, process::Command, sync::Arc};

use maro_process::{clock::Clock, metrics::Metrics};
use maro_runtime::{loading::loader::PluginLoader, registry::Registry, running::plugin::LoadedPlugin};

use crate::{
    built_components::PluginsFolder,
    plugin_changes::{patched, put, version},
};

/// A registry of a folder, and its metrics.
fn registry(plugins: &Path, cache: Option<&Path>) -> (Arc<Registry>, Arc<Metrics>) {
    let (loader, metrics) = (Arc::new(PluginLoader::new(cache, None).unwrap()), Arc::new(Metrics::new()));
    let registry = Registry::new(loader, plugins.to_owned(), &[], Arc::clone(&metrics), Clock::system());
    (Arc::new(registry), metrics)
}

/// A small plugin called `name`, which has five letters.
fn small(name: &str) -> Vec<u8> {
    patched("takes-track", "track0.1.0A fixture", &format!("{name}0.1.0A fixture"))
}

/// As [`small`], with another summary.
fn worded(name: &str) -> Vec<u8> {
    patched("takes-track", "track0.1.0A fixture", &format!("{name}0.1.0B fixture"))
}

/// The value of a metric.
fn count(metrics: &Metrics, name: &str) -> u32 {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is missing in:\n{text}")).parse().unwrap()
}

/// Memory of this process that is not swapped out, in KiB.
fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Tells this program that it has one test to run and the memory to itself.
const ALONE: &str = "MARO_TEST_ALONE";

/// In a process of its own: what other tests take must not count.
#[test]
fn ten_thousand_swaps_leave_nothing_behind() {
    if std::env::var_os(ALONE).is_some() {
        return tokio::runtime::Runtime::new().unwrap().block_on(swap_ten_thousand_times());
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::ten_thousand_swaps_leave_nothing_behind"), "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. 1 passed"), "there is no such test: {said}");
}

async fn swap_ten_thousand_times() {
    const SWAPS: usize = 10_000;
    let (plugins, cache) = (PluginsFolder::empty(), tempfile::tempdir().unwrap());
    let versions = [small("track"), worded("track")];
    put(plugins.path(), "still.wasm", &small("still"));
    put(plugins.path(), "track.wasm", &versions[1]);
    let (registry, metrics) = registry(plugins.path(), Some(&cache.path().join("code")));
    let still = Arc::downgrade(registry.load().await.unwrap().get("still").unwrap());
    let mut earlier = Vec::new();
    let mut after_warm_up = 0;
    for swap in 0..SWAPS {
        put(plugins.path(), "track.wasm", &versions[swap % 2]);
        let loaded = registry.load().await.unwrap();
        earlier.push(Arc::downgrade(loaded.get("track").unwrap()));
        if swap == SWAPS / 10 {
            after_warm_up = resident_kib();
        }
    }
    let growth = resident_kib().saturating_sub(after_warm_up);
    assert!(growth < 64 * 1024, "{growth} KiB more after {SWAPS} swaps");
    let alive = earlier.iter().filter(|plugin| plugin.strong_count() > 0).count();
    assert_eq!(alive, 1, "versions that no longer serve are kept");
    assert!(still.upgrade().is_some(), "a plugin that did not change was loaded anew");
    assert_eq!(count(&metrics, "maro_plugin_compile_seconds_count"), 3);
}

#[tokio::test]
async fn a_start_from_the_cache_compiles_nothing() {
    const PLUGINS: usize = 100;
    let plugins = PluginsFolder::empty();
    for number in 0..PLUGINS {
        put(plugins.path(), &format!("p{number:04}.wasm"), &small(&format!("p{number:04}")));
    }
    // Kept from one run of the tests to the next, as compiling a hundred takes its time.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hundred");
    let (first, _) = registry(plugins.path(), Some(&cache));
    assert_eq!(first.load().await.unwrap().all().count(), PLUGINS);
    let (second, metrics) = registry(plugins.path(), Some(&cache));
    assert_eq!(second.load().await.unwrap().all().count(), PLUGINS);
    assert_eq!(count(&metrics, "maro_plugin_compile_seconds_count"), 0);
    assert_eq!(count(&metrics, "maro_plugin_cache_hits_total") as usize, PLUGINS);
}

#[tokio::test]
async fn an_entry_of_the_cache_that_is_not_its_own_is_compiled_again() {
    let plugins = PluginsFolder::empty();
    put(plugins.path(), "track.wasm", &small("track"));
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().join("code");
    let (first, _) = registry(plugins.path(), Some(&cache));
    first.load().await.unwrap();
    let mut files = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let entry = files.find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap();
    let whole = fs::read(&entry).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let foreign = [&whole[..64], b"\x7fELF and so on"].concat();
    let damaged: [&[u8]; 5] = [&flipped, &whole[..whole.len() / 2], b"", &[0; 100], &foreign];
    for content in damaged {
        fs::write(&entry, content).unwrap();
        let (again, metrics) = registry(plugins.path(), Some(&cache));
        assert!(again.load().await.unwrap().get("track").is_some());
        assert_eq!(count(&metrics, "maro_plugin_compile_seconds_count"), 1);
        assert_eq!(fs::read(&entry).unwrap(), whole, "the entry is not mended");
    }
    // Under the name of another plugin its digest fits, and its content is that plugin's all the same.
    put(plugins.path(), "other.wasm", &small("other"));
    let (other, _) = registry(plugins.path(), Some(&cache));
    assert!(other.load().await.unwrap().get("other").is_some());
}

#[tokio::test]
async fn loading_twice_at_once_ends_with_what_is_there() {
    let plugins = PluginsFolder::empty();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache");
    put(plugins.path(), "hostile.toml", b"grants = [\"jira\", \"tracker\", \"tracker-edit\"]");
    let (registry, _) = registry(plugins.path(), Some(&cache));
    let mut last: Option<Arc<LoadedPlugin>> = None;
    for round in 0..20 {
        put(plugins.path(), "hostile.wasm", &version(round % 2 + 1));
        let early = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.load().await.map(drop) }
        });
        put(plugins.path(), "hostile.wasm", &version((round + 1) % 2 + 1));
        registry.load().await.unwrap();
        early.await.unwrap().unwrap();
        let serving = Arc::clone(registry.plugins().get("hostile").unwrap());
        assert_ne!(Some(serving.digest()), last.as_ref().map(|last| last.digest()), "an older file serves");
        last = Some(serving);
    }
}
