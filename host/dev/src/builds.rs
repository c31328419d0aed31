//! The state of the latest build of each plugin that `maro dev` builds from source.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// The state of a plugin's latest build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildState {
    Running,
    /// Its component is in the plugins folder. The registry knows whether it is loaded.
    Succeeded,
    /// It failed to build. `output` is what the compiler said, without terminal colours.
    Failed {
        output: String,
    },
}

/// The state of every build, by the name of the plugin's folder. There is one writer and any number of
/// watchers.
#[derive(Debug, Clone, Default)]
pub struct Builds {
    states: watch::Sender<BTreeMap<String, BuildState>>,
}

impl Builds {
    pub fn set(&self, plugin: &str, state: BuildState) {
        self.states.send_if_modified(|states| {
            let before = states.insert(plugin.to_owned(), state.clone());
            before.as_ref() != Some(&state)
        });
    }

    /// Forgets a plugin whose source is gone.
    pub fn remove(&self, plugin: &str) {
        self.states.send_if_modified(|states| states.remove(plugin).is_some());
    }

    /// The current states and all later changes.
    pub fn watch(&self) -> watch::Receiver<BTreeMap<String, BuildState>> {
        self.states.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_wakes_those_who_watch() {
        let builds = Builds::default();
        let mut watched = builds.watch();
        builds.set("track", BuildState::Running);
        assert!(watched.has_changed().unwrap());
        assert_eq!(watched.borrow_and_update()["track"], BuildState::Running);
        builds.set("track", BuildState::Running);
        builds.remove("untrack");
        assert!(!watched.has_changed().unwrap());
        builds.remove("track");
        assert!(watched.borrow_and_update().is_empty());
    }
}
