//! All files of the plugins folder. No I/O, no waiting.
//!
//! A plugin has the name of its file, so no two want the same, and what happens to one changes no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    loading::{
        folder::{ContentDigest, Identity},
        name_fault::NameFault,
    },
    plugin_changes::PluginChange,
    registry::{
        file_event::{AttemptNumber, AttemptOutcome, Effect, Event, Known},
        file_life::Life,
        file_version::Build,
        snapshot::{Plugins, RefusedFile},
        waiting::Wait,
    },
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::Switch;

/// How long half of a plugin may lie alone: the rest is still being copied.
const HALF_TIME: Duration = Duration::from_secs(3);

/// An attempt to load a file that has ended.
pub(super) struct Attempt<B = LoadedPlugin> {
    /// The file's name.
    pub(super) file: String,
    pub(super) identity: Identity,
    pub(super) attempt_number: AttemptNumber,
    pub(super) outcome: AttemptOutcome<B>,
}

/// All files, by name.
pub(super) struct Files<B = LoadedPlugin> {
    lives: BTreeMap<String, Life<B>>,
    /// Those with wrong names that were told of, and since when all of them are there.
    misnamed: BTreeMap<String, NameFault>,
    found: BTreeMap<String, Instant>,
    switches: BTreeMap<String, Switch>,
    attempts_begun: u64,
    /// Whether the folder has been looked at.
    pub(super) is_listed: bool,
}

impl<B> Default for Files<B> {
    fn default() -> Self {
        Self {
            lives: BTreeMap::new(),
            misnamed: BTreeMap::new(),
            found: BTreeMap::new(),
            switches: BTreeMap::new(),
            attempts_begun: 0,
            is_listed: false,
        }
    }
}

impl<B: Build> Files<B> {
    /// The files that were there when they were last tried.
    pub(super) fn files(&self) -> BTreeSet<String> {
        self.lives.iter().filter(|(_, life)| life.was_tried()).map(|(file, _)| file.clone()).collect()
    }

    /// Shows these files as being loaded until an attempt of each has ended.
    pub(super) fn await_all(&mut self, files: &BTreeSet<String>) {
        for file in files {
            self.step(file, Event::Awaited);
        }
    }

    /// Undoes [`Files::await_all`] where no attempt has ended.
    pub(super) fn await_no_longer(&mut self, files: &BTreeSet<String>) {
        for file in files {
            self.step(file, Event::NotAwaited);
        }
    }

    /// Lets time pass, and returns what is to be done about which file.
    pub(super) fn tick(&mut self, at: Instant) -> Vec<(String, Effect)> {
        let files: Vec<_> = self.lives.keys().cloned().collect();
        let mut effects = Vec::new();
        for file in files {
            let due = self.step(&file, Event::Ticked { at });
            effects.extend(due.into_iter().map(|effect| (file.clone(), effect)));
        }
        effects
    }

    /// How long people have been waiting for what is in a file, if that is long.
    pub(super) fn wait(&self, file: &str, at: Instant) -> Option<Wait> {
        self.lives.get(file)?.wait(at)
    }

    /// Whether no later attempt to load a file has begun.
    pub(super) fn is_latest(&self, file: &str, attempt_number: AttemptNumber) -> bool {
        self.lives.get(file).is_some_and(|life| life.is_latest(attempt_number))
    }

    /// Whether an attempt to load a file with this content is under way.
    pub(super) fn is_in_hand(&self, file: &str, content: Option<ContentDigest>) -> bool {
        self.lives.get(file).is_some_and(|life| life.has_in_hand(content))
    }

    /// The version of a file that runs.
    pub(super) fn running(&self, file: &str) -> Option<&Arc<B>> {
        self.lives.get(file)?.running()
    }

    /// What people see change without an attempt: the files that are loading, and those with wrong names.
    pub(super) fn shown(&self) -> (Vec<String>, Vec<String>) {
        let loading = self.lives.iter().filter(|(_, life)| life.is_loading());
        (loading.map(|(file, _)| file.clone()).collect(), self.misnamed.keys().cloned().collect())
    }

    /// Takes what a look at the folder found. `is_busy` says of which files a lenient update is under way.
    pub(super) fn see(
        &mut self,
        mut components: BTreeMap<String, Identity>,
        is_busy: impl Fn(&str) -> bool,
        at: Instant,
    ) -> Vec<(String, Effect)> {
        let known: BTreeSet<_> = self.lives.keys().chain(components.keys()).cloned().collect();
        let mut effects = Vec::new();
        for file in known {
            let identity = components.remove(&file);
            let seen = self.step(&file, Event::Seen { identity, is_busy: is_busy(&file), at });
            effects.extend(seen.into_iter().map(|effect| (file.clone(), effect)));
        }
        effects
    }

    /// Begins an attempt with what was read. With `again`, what was refused counts as never tried. `None` if
    /// another attempt has the same content in hand.
    pub(super) fn begin(
        &mut self,
        file: &str,
        again: bool,
        identity: &Identity,
        content: Option<ContentDigest>,
    ) -> Option<(AttemptNumber, Known)> {
        self.attempts_begun += 1;
        let attempt_number = AttemptNumber(self.attempts_begun);
        let begun = Event::Begun { attempt_number, again, identity: identity.clone(), content };
        let effects = self.step(file, begun);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Try(known) => Some((attempt_number, known)),
            _ => None,
        })
    }

    /// Feeds an event to one file.
    pub(super) fn step(&mut self, file: &str, event: Event<B>) -> Vec<Effect> {
        let life = self.lives.remove(file).unwrap_or_else(|| Life::new(file));
        let (life, effects) = life.step(event);
        if !life.is_blank() {
            self.lives.insert(file.to_owned(), life);
        }
        effects
    }

    /// Takes an attempt that has ended. A stale one changes nothing.
    pub(super) fn settle(&mut self, attempt: Attempt<B>, lenient: bool, at: Instant) -> Vec<Effect> {
        let Attempt { file, identity, attempt_number, outcome } = attempt;
        self.step(&file, Event::Ended { attempt_number, identity, outcome, lenient, at })
    }

    /// Takes which files a look at the folder found with wrong names or in wrong places. What is only half of
    /// something may become whole, so it isn't told of unless it stays, or `at_once`.
    pub(super) fn find_misnamed(
        &mut self,
        found: BTreeMap<String, NameFault>,
        at: Instant,
        at_once: bool,
    ) -> Vec<Effect> {
        self.found.retain(|file, _| found.contains_key(file));
        for file in found.keys() {
            self.found.entry(file.clone()).or_insert(at);
        }
        let has_stayed = |file: &str| {
            let since = self.found.get(file).copied().unwrap_or(at);
            at_once || self.misnamed.contains_key(file) || at.duration_since(since) >= HALF_TIME
        };
        let told: BTreeMap<_, _> =
            found.into_iter().filter(|(file, fault)| !fault.may_be_half() || has_stayed(file)).collect();
        let new = told.iter().filter(|(file, _)| !self.misnamed.contains_key(*file));
        let effects = new
            .map(|(file, fault)| {
                let (content, reason) = (file.clone(), fault.to_string());
                let in_public = reason.clone();
                let change =
                    PluginChange::Refused { reason, in_public, kept: None, content, of_the_machine: false };
                Effect::Publish(file.clone(), change)
            })
            .collect();
        self.misnamed = told;
        effects
    }

    /// Notes which plugins are switched off.
    pub(super) fn set_switches(&mut self, switches: Vec<Switch>) -> Vec<Effect> {
        let switches: BTreeMap<_, _> =
            switches.into_iter().map(|switch| (switch.plugin.clone(), switch)).collect();
        let off = switches.values().filter(|switch| !self.switches.contains_key(&switch.plugin));
        let on = self.switches.keys().filter(|plugin| !switches.contains_key(*plugin));
        let effects = off
            .map(|switch| (&switch.plugin, PluginChange::Disabled { by: switch.disabled_by.clone() }))
            .chain(on.map(|plugin| (plugin, PluginChange::Enabled)))
            .map(|(plugin, change)| Effect::Publish(plugin.clone(), change))
            .collect();
        self.switches = switches;
        effects
    }
}

impl Files {
    /// What runs, and what doesn't.
    pub(super) fn plugins(&self) -> Plugins {
        let running = self.lives.values().filter_map(Life::running);
        let by_name: BTreeMap<_, _> =
            running.map(|plugin| (Arc::clone(&plugin.description().name), Arc::clone(plugin))).collect();
        let misnamed = self
            .misnamed
            .iter()
            .map(|(file, fault)| Arc::new(RefusedFile { file: file.clone(), reason: (*fault).into() }));
        let refused = self.lives.values().filter_map(Life::refusal).cloned().chain(misnamed).collect();
        let loading = self.lives.iter().filter(|(_, life)| life.is_loading());
        let loading = loading.map(|(file, _)| file.clone()).collect();
        Plugins::new(by_name, refused, loading, &self.switches, self.is_listed)
    }
}
