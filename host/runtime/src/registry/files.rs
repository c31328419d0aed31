//! All files of the plugins folder. No I/O, no waiting.
//!
//! A plugin has the name of its file, so no two want the same, and what happens to one changes no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::time::Instant;

use crate::{
    events::PluginChange,
    loading::folder::{Identity, NameFault},
    registry::{
        event::{Effect, Event, Known, Outcome, Ticket},
        file_life::{Build, Life},
        snapshot::{Plugins, Refusal},
    },
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::Switch;

/// An attempt to load a file that has ended.
pub(super) struct Attempt<B = LoadedPlugin> {
    /// The file's name.
    pub(super) file: String,
    pub(super) identity: Identity,
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome<B>,
}

/// All files, by name.
pub(super) struct Files<B = LoadedPlugin> {
    lives: BTreeMap<String, Life<B>>,
    misnamed: BTreeMap<String, NameFault>,
    switches: BTreeMap<String, Switch>,
    tickets: u64,
}

impl<B> Default for Files<B> {
    fn default() -> Self {
        Self { lives: BTreeMap::new(), misnamed: BTreeMap::new(), switches: BTreeMap::new(), tickets: 0 }
    }
}

impl<B: Build> Files<B> {
    /// The files that were there when they were last tried.
    pub(super) fn files(&self) -> BTreeSet<String> {
        self.lives.iter().filter(|(_, life)| life.was_tried()).map(|(file, _)| file.clone()).collect()
    }

    /// Starts watching the files, as they were when they were last read.
    pub(super) fn start_watching(&mut self, at: Instant) {
        for file in self.lives.keys().cloned().collect::<Vec<_>>() {
            self.step(&file, Event::WatchStarted { at });
        }
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

    /// Begins an attempt. With `again`, what was refused counts as never tried.
    pub(super) fn begin(&mut self, file: &str, again: bool) -> (Ticket, Known) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let effects = self.step(file, Event::Begun { ticket, again });
        let known = effects.into_iter().find_map(|effect| match effect {
            Effect::Try(known) => Some(known),
            _ => None,
        });
        (ticket, known.unwrap_or_default())
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

    /// Takes attempts that have ended. Stale ones change nothing.
    pub(super) fn settle(&mut self, mut attempts: Vec<Attempt<B>>, lenient: bool) -> Vec<Effect> {
        attempts.sort_by(|one, other| one.file.cmp(&other.file));
        let mut effects = Vec::new();
        for Attempt { file, identity, ticket, outcome } in attempts {
            effects.extend(self.step(&file, Event::Ended { ticket, identity, outcome, lenient }));
        }
        effects
    }

    /// Whether exactly these files are known to have wrong names.
    pub(super) fn are_misnamed(&self, misnamed: &BTreeMap<String, NameFault>) -> bool {
        self.misnamed == *misnamed
    }

    /// Notes which files have wrong names.
    pub(super) fn set_misnamed(&mut self, misnamed: BTreeMap<String, NameFault>) -> Vec<Effect> {
        let new = misnamed.iter().filter(|(file, _)| !self.misnamed.contains_key(*file));
        let effects = new
            .map(|(file, fault)| {
                let (content, reason) = (file.clone(), fault.to_string());
                let in_public = reason.clone();
                let change = PluginChange::Refused { reason, in_public, kept: None, content };
                Effect::Publish(file.clone(), change)
            })
            .collect();
        self.misnamed = misnamed;
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
            .map(|(file, fault)| Arc::new(Refusal { file: file.clone(), reason: (*fault).into() }));
        let refused = self.lives.values().filter_map(Life::refusal).cloned().chain(misnamed).collect();
        let loading = self.lives.iter().filter(|(_, life)| life.is_loading());
        let loading = loading.map(|(file, _)| file.clone()).collect();
        Plugins::new(by_name, refused, loading, &self.switches)
    }
}
