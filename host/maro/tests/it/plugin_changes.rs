//! Changing plugins in a folder, and hearing what becomes of it.

use std::{collections::VecDeque, fs, path::Path, time::Duration};

use maro_runtime::{
    plugin_changes::{PluginChange, PluginEvent},
    registry::Registry,
};
use tokio::{sync::broadcast::Receiver, time::timeout};

use crate::built_components::fixture;

/// Longer than it takes to compile a plugin in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A version of the fixture `hostile`, which tells its number when it is not told what to do.
pub(crate) fn version(number: u32) -> Vec<u8> {
    patched("hostile", "Say what to do.", &format!("Version {number} here."))
}

/// A fixture in which one text is exchanged for another of the same length.
pub(crate) fn patched(name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut wasm = fs::read(fixture(name)).unwrap();
    let found = wasm.windows(from.len()).position(|window| window == from.as_bytes());
    let start = found.unwrap_or_else(|| panic!("{from:?} is not in {name}"));
    wasm[start..start + from.len()].copy_from_slice(to.as_bytes());
    wasm
}

/// Puts a file into a folder in one step, as careful tools do.
pub(crate) fn put(folder: &Path, name: &str, content: &[u8]) {
    let temporary = folder.join(format!("{name}.part"));
    fs::write(&temporary, content).unwrap();
    fs::rename(temporary, folder.join(name)).unwrap();
}

/// What happens to the plugins of a registry, from a moment on.
pub(crate) struct Changes {
    receiver: Receiver<PluginEvent>,
    heard: VecDeque<PluginEvent>,
}

impl Changes {
    pub(crate) fn of(registry: &Registry) -> Self {
        let (_, receiver) = registry.events().subscribe();
        Self { receiver, heard: VecDeque::new() }
    }

    /// Waits for the next change of a plugin or a file. Those of others are kept for later.
    pub(crate) async fn next(&mut self, plugin: &str) -> PluginChange {
        if let Some(position) = self.heard.iter().position(|event| event.plugin == plugin) {
            return self.heard.remove(position).unwrap().what;
        }
        let waiting = async {
            loop {
                let event = self.receiver.recv().await.unwrap();
                if event.plugin == plugin {
                    return event.what;
                }
                self.heard.push_back(event);
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("nothing happens to {plugin}"))
    }

    /// Waits for the next change of any plugin or file.
    pub(crate) async fn first(&mut self) -> (String, PluginChange) {
        assert!(self.heard.is_empty(), "{:?}", self.heard);
        let event = timeout(PATIENCE, self.receiver.recv()).await.expect("nothing happens").unwrap();
        (event.plugin, event.what)
    }

    /// Waits until a file is refused: why, and which plugin serves on.
    pub(crate) async fn refusal(&mut self, file: &str) -> (String, Option<String>) {
        match self.next(file).await {
            PluginChange::Refused { reason, kept, .. } => (reason, kept),
            other => panic!("{file}: {other:?}"),
        }
    }

    /// Nothing else has happened.
    pub(crate) fn assert_no_more(&mut self) {
        self.heard.extend(std::iter::from_fn(|| self.receiver.try_recv().ok()));
        assert!(self.heard.is_empty(), "{:?}", self.heard);
    }
}
