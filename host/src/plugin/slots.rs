//! What became of each file of the plugins folder, and who has which name. No I/O, no waiting.
//!
//! A file that does not serve leaves the version before it in place. A name goes to the file that is called
//! like it, else to who has it already; who comes too late waits, and serves once the name is free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    plugin::{
        events::PluginChange,
        folder::{ContentDigest, Identity, NameFault},
        loaded::LoadedPlugin,
        loader::LoadError,
        registry::{Plugins, Refusal},
    },
    plugin_records::Switch,
};

/// What an attempt to load a file led to.
pub(super) enum Outcome {
    /// The content is what was tried before.
    Unchanged,
    Loaded {
        content: ContentDigest,
        plugin: Arc<LoadedPlugin>,
    },
    /// `content` is `None` if it could not be read.
    Refused {
        content: Option<ContentDigest>,
        reason: LoadError,
    },
    /// There is no such file.
    Gone,
}

/// An attempt to load a file.
pub(super) struct Attempt {
    /// The file's name.
    pub(super) name: String,
    pub(super) identity: Identity,
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome,
}

impl Attempt {
    fn turn(&self) -> u8 {
        match &self.outcome {
            Outcome::Gone => 0,
            Outcome::Loaded { plugin, .. } if has_own_name(plugin) => 1,
            _ => 2,
        }
    }
}

/// Names an attempt. A later one for the same file makes it stale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Something that happened, and to what.
pub(super) type Happening = (String, PluginChange);

#[derive(Default)]
struct Slot {
    latest_ticket: Ticket,
    identity: Option<Identity>,
    /// What was tried last, whether it serves or not.
    tried: Option<ContentDigest>,
    serving: Option<Arc<LoadedPlugin>>,
    /// A version whose name another file has.
    waiting: Option<Arc<LoadedPlugin>>,
    refusal: Option<Arc<Refusal>>,
}

/// All files, by name.
#[derive(Default)]
pub(super) struct Slots {
    slots: BTreeMap<String, Slot>,
    misnamed: BTreeMap<String, NameFault>,
    switches: BTreeMap<String, Switch>,
    tickets: u64,
}

impl Slots {
    /// The files that were there when they were last looked at.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.slots.keys().cloned().collect()
    }

    /// The files, as they were when they were last read.
    pub(super) fn identities(&self) -> BTreeMap<String, Identity> {
        self.slots.iter().filter_map(|(name, slot)| Some((name.clone(), slot.identity.clone()?))).collect()
    }

    /// Begins an attempt. Also gives what was tried last; with `again`, only if that serves.
    pub(super) fn begin(&mut self, name: &str, again: bool) -> (Ticket, Option<ContentDigest>) {
        self.tickets += 1;
        let slot = self.slots.entry(name.to_owned()).or_default();
        slot.latest_ticket = Ticket(self.tickets);
        let is_settled = !again || slot.refusal.is_none();
        (slot.latest_ticket, slot.tried.filter(|_| is_settled))
    }

    /// Takes the outcome of attempts, those of files that are called like their plugin first. Stale ones
    /// are left out.
    pub(super) fn settle(&mut self, mut attempts: Vec<Attempt>) -> Vec<Happening> {
        attempts.sort_by(|one, other| (one.turn(), &one.name).cmp(&(other.turn(), &other.name)));
        let mut happenings = Vec::new();
        for Attempt { name, identity, ticket, outcome } in attempts {
            match self.slots.get_mut(&name) {
                Some(slot) if slot.latest_ticket == ticket => slot.identity = Some(identity),
                _ => continue,
            }
            match outcome {
                Outcome::Unchanged => {}
                Outcome::Gone => happenings.extend(self.remove(&name)),
                Outcome::Refused { content, reason } => {
                    happenings.extend(self.refuse(&name, content, reason));
                }
                Outcome::Loaded { content, plugin } => happenings.extend(self.place(&name, content, plugin)),
            }
        }
        happenings.extend(self.promote());
        happenings
    }

    /// Takes the files whose names are wrong.
    pub(super) fn set_misnamed(&mut self, misnamed: BTreeMap<String, NameFault>) -> Vec<Happening> {
        let new = misnamed.iter().filter(|(name, _)| !self.misnamed.contains_key(*name));
        let happenings = new
            .map(|(name, fault)| {
                let content = name.clone();
                (name.clone(), PluginChange::Refused { reason: fault.to_string(), kept: None, content })
            })
            .collect();
        self.misnamed = misnamed;
        happenings
    }

    /// Takes the plugins that are switched off.
    pub(super) fn set_switches(&mut self, switches: Vec<Switch>) -> Vec<Happening> {
        let switches: BTreeMap<_, _> =
            switches.into_iter().map(|switch| (switch.plugin.clone(), switch)).collect();
        let off = switches.values().filter(|switch| !self.switches.contains_key(&switch.plugin));
        let on = self.switches.keys().filter(|plugin| !switches.contains_key(*plugin));
        let happenings = off
            .map(|switch| (switch.plugin.clone(), PluginChange::Disabled { by: switch.disabled_by.clone() }))
            .chain(on.map(|plugin| (plugin.clone(), PluginChange::Enabled)))
            .collect();
        self.switches = switches;
        happenings
    }

    /// Who serves and who does not.
    pub(super) fn plugins(&self) -> Plugins {
        let serving = self.slots.values().filter_map(|slot| slot.serving.as_ref());
        let by_name: BTreeMap<_, _> =
            serving.map(|plugin| (Arc::clone(&plugin.description.name), Arc::clone(plugin))).collect();
        let misnamed = self
            .misnamed
            .iter()
            .map(|(name, fault)| Arc::new(Refusal { file: name.clone(), reason: (*fault).into() }));
        let refused = self.slots.values().filter_map(|slot| slot.refusal.clone()).chain(misnamed).collect();
        Plugins::new(by_name, refused, &self.switches)
    }

    fn holder(&self, plugin_name: &str) -> Option<(&String, &Arc<LoadedPlugin>)> {
        self.slots.iter().find_map(|(name, slot)| {
            let serving = slot.serving.as_ref().filter(|plugin| *plugin.description.name == *plugin_name)?;
            Some((name, serving))
        })
    }

    fn remove(&mut self, name: &str) -> Option<Happening> {
        let gone = self.slots.remove(name)?.serving?;
        Some((gone.description.name.to_string(), PluginChange::Removed))
    }

    fn refuse(&mut self, name: &str, content: Option<ContentDigest>, reason: LoadError) -> Option<Happening> {
        let slot = self.slots.entry(name.to_owned()).or_default();
        let was_said = slot.refusal.as_ref().is_some_and(|said| {
            slot.tried == content && (content.is_some() || said.reason.to_string() == reason.to_string())
        });
        let happening = PluginChange::Refused {
            reason: reason.to_string(),
            kept: slot.serving.as_ref().map(|plugin| plugin.description.name.to_string()),
            content: content.map_or_else(|| reason.to_string(), |content| hex::encode(content.0)),
        };
        slot.tried = content;
        slot.waiting = None;
        slot.refusal = Some(Arc::new(Refusal { file: name.to_owned(), reason }));
        (!was_said).then(|| (name.to_owned(), happening))
    }

    /// Lets a new version serve, unless another file has its name.
    fn place(&mut self, name: &str, content: ContentDigest, plugin: Arc<LoadedPlugin>) -> Vec<Happening> {
        let mut happenings = Vec::new();
        let plugin_name = Arc::clone(&plugin.description.name);
        let other = self
            .holder(&plugin_name)
            .filter(|(holder, _)| *holder != name)
            .map(|(holder, held)| (holder.clone(), Arc::clone(held)));
        if let Some((holder, held)) = other {
            if has_own_name(&held) || !has_own_name(&plugin) {
                let reason = LoadError::NameTaken { name: plugin_name.to_string(), by: holder };
                happenings.extend(self.refuse(name, Some(content), reason));
                self.slots.entry(name.to_owned()).or_default().waiting = Some(plugin);
                return happenings;
            }
            let slot = self.slots.entry(holder.clone()).or_default();
            slot.serving = None;
            let content = slot.tried;
            let reason = LoadError::NameTaken { name: plugin_name.to_string(), by: name.to_owned() };
            happenings.extend(self.refuse(&holder, content, reason));
            self.slots.entry(holder).or_default().waiting = Some(held);
        }
        let slot = self.slots.entry(name.to_owned()).or_default();
        (slot.tried, slot.waiting, slot.refusal) = (Some(content), None, None);
        happenings.extend(serve(slot, plugin));
        happenings
    }

    /// Lets those serve whose names have become free.
    fn promote(&mut self) -> Vec<Happening> {
        let mut happenings = Vec::new();
        let mut waiting: Vec<_> = self
            .slots
            .iter()
            .filter_map(|(name, slot)| Some((name.clone(), Arc::clone(slot.waiting.as_ref()?))))
            .collect();
        waiting.sort_by_key(|(_, plugin)| !has_own_name(plugin));
        for (name, plugin) in waiting {
            if self.holder(&plugin.description.name).is_none() {
                let slot = self.slots.entry(name).or_default();
                (slot.waiting, slot.refusal) = (None, None);
                happenings.extend(serve(slot, plugin));
            }
        }
        happenings
    }
}

/// Whether a plugin is called like its file, which gives it a right to the name.
fn has_own_name(plugin: &LoadedPlugin) -> bool {
    *plugin.file == *plugin.description.name
}

fn serve(slot: &mut Slot, plugin: Arc<LoadedPlugin>) -> Vec<Happening> {
    let (name, to) = (plugin.description.name.to_string(), plugin.digest.clone());
    let earlier = slot.serving.replace(plugin);
    match earlier {
        Some(earlier) if *earlier.description.name == *name => {
            vec![(name, PluginChange::Replaced { from: earlier.digest.clone(), to })]
        }
        Some(earlier) => vec![
            (earlier.description.name.to_string(), PluginChange::Removed),
            (name, PluginChange::Loaded { digest: to }),
        ],
        None => vec![(name, PluginChange::Loaded { digest: to })],
    }
}
