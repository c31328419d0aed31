//! What became of each file of the plugins folder, and who has which name. No I/O, no waiting.
//!
//! A file that does not serve leaves the version before it in place, as far as its manifest lets it. A name goes to the file that is called
//! like it, else to who has it already; who comes too late waits, and serves once the name is free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    events::PluginChange,
    inspection::preflight::Forbidden,
    loading::{
        error::LoadError,
        folder::{ContentDigest, Identity, NameFault},
    },
    policy::manifest::Manifest,
    registry::snapshot::{Plugins, Refusal},
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::Switch;

/// What an attempt to load a file led to.
pub(super) enum Outcome {
    /// The content is what was tried before.
    Unchanged,
    Loaded {
        content: ContentDigest,
        plugin: Arc<LoadedPlugin>,
    },
    Refused(Refused),
    /// There is no such file.
    Gone,
}

/// Why a file was refused, and what of it could be read.
pub(super) struct Refused {
    pub(crate) content: Option<ContentDigest>,
    /// SHA-256 of the component, in hexadecimal.
    pub(super) digest: Option<String>,
    /// The word of its operator, if it can be understood.
    pub(crate) manifest: Option<Arc<Manifest>>,
    pub(super) reason: LoadError,
}

impl Refused {
    /// Of a file of which nothing can be read.
    pub(super) fn unread(reason: LoadError) -> Self {
        Self { content: None, digest: None, manifest: None, reason }
    }
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
    /// The latest attempt's, if nobody was told: the file may not have been whole.
    withheld: Option<Refused>,
    /// The attempt that takes its time.
    loading: Option<Ticket>,
    /// Why the version that served was stopped, until that is told.
    withdrawn: Option<(String, Forbidden)>,
}

/// What an attempt begins with.
pub(super) struct Beginning {
    pub(super) ticket: Ticket,
    /// What was tried last.
    pub(super) tried: Option<ContentDigest>,
    /// What came of trying something else since.
    pub(super) withheld: Option<Refused>,
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

    /// Begins an attempt. With `again`, what was refused counts as never tried.
    pub(super) fn begin(&mut self, name: &str, again: bool) -> Beginning {
        self.tickets += 1;
        let slot = self.slots.entry(name.to_owned()).or_default();
        slot.latest_ticket = Ticket(self.tickets);
        let is_settled = !again || slot.refusal.is_none();
        Beginning {
            ticket: slot.latest_ticket,
            tried: slot.tried.filter(|_| is_settled),
            withheld: slot.withheld.take().filter(|_| !again),
        }
    }

    /// Keeps a refusal that nobody is told of yet.
    pub(super) fn withhold(&mut self, name: &str, ticket: Ticket, refused: Refused) {
        if let Some(slot) = self.attempted(name, ticket) {
            slot.withheld = Some(refused);
        }
    }

    /// Notes that an attempt takes its time.
    pub(super) fn show_loading(&mut self, name: &str, ticket: Ticket) -> Vec<Happening> {
        if let Some(slot) = self.attempted(name, ticket) {
            slot.loading = Some(ticket);
        }
        Vec::new()
    }

    /// Notes that an attempt has ended.
    pub(super) fn hide_loading(&mut self, name: &str, ticket: Ticket) -> Vec<Happening> {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.loading.take_if(|loading| *loading == ticket);
        }
        Vec::new()
    }

    /// Lets `manifest` rule over the version that serves, while another may be on its way.
    pub(super) fn enforce(&mut self, name: &str, ticket: Ticket, manifest: &Arc<Manifest>) -> Vec<Happening> {
        let stopped = self.attempted(name, ticket).and_then(|slot| slot.obey(manifest));
        let mut happenings: Vec<_> = stopped.into_iter().collect();
        happenings.extend(self.promote());
        happenings
    }

    /// The slot of the attempt that was begun last for its file.
    fn attempted(&mut self, name: &str, ticket: Ticket) -> Option<&mut Slot> {
        self.slots.get_mut(name).filter(|slot| slot.latest_ticket == ticket)
    }

    /// Takes the outcome of attempts, those of files that are called like their plugin first. Stale ones
    /// are left out.
    pub(super) fn settle(&mut self, mut attempts: Vec<Attempt>) -> Vec<Happening> {
        attempts.sort_by(|one, other| (one.turn(), &one.name).cmp(&(other.turn(), &other.name)));
        let mut happenings = Vec::new();
        for Attempt { name, identity, ticket, outcome } in attempts {
            match self.attempted(&name, ticket) {
                Some(slot) => slot.identity = Some(identity),
                None => continue,
            }
            match outcome {
                Outcome::Unchanged => {}
                Outcome::Gone => happenings.extend(self.remove(&name)),
                Outcome::Refused(refused) => happenings.extend(self.refuse(&name, refused)),
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
            serving.map(|plugin| (Arc::clone(&plugin.description().name), Arc::clone(plugin))).collect();
        let misnamed = self
            .misnamed
            .iter()
            .map(|(name, fault)| Arc::new(Refusal { file: name.clone(), reason: (*fault).into() }));
        let refused = self.slots.values().filter_map(|slot| slot.refusal.clone()).chain(misnamed).collect();
        let loading = self.slots.iter().filter(|(_, slot)| slot.loading.is_some());
        let loading = loading.map(|(name, _)| name.clone()).collect();
        Plugins::new(by_name, refused, loading, &self.switches)
    }

    fn holder(&self, plugin_name: &str) -> Option<(&String, &Arc<LoadedPlugin>)> {
        self.slots.iter().find_map(|(name, slot)| {
            let serving = slot.serving.as_ref().filter(|plugin| plugin.name() == plugin_name)?;
            Some((name, serving))
        })
    }

    fn remove(&mut self, name: &str) -> Option<Happening> {
        let gone = self.slots.remove(name)?.serving?;
        Some((gone.name().to_string(), PluginChange::Removed))
    }

    fn refuse(&mut self, name: &str, refused: Refused) -> Vec<Happening> {
        let Refused { content, digest, manifest, reason } = refused;
        let slot = self.slots.entry(name.to_owned()).or_default();
        let mut happenings: Vec<_> = manifest.and_then(|manifest| slot.obey(&manifest)).into_iter().collect();
        let reason = match slot.withdrawn.take() {
            None => reason,
            Some((stopped, why)) if digest.as_ref() == Some(&stopped) => LoadError::Withdrawn(why),
            Some((_, earlier)) => LoadError::NoVersion { reason: Box::new(reason), earlier },
        };
        let was_said = slot.refusal.as_ref().is_some_and(|said| {
            slot.tried == content && (content.is_some() || said.reason.to_string() == reason.to_string())
        });
        let happening = PluginChange::Refused {
            reason: reason.to_string(),
            kept: slot.serving.as_ref().map(|plugin| plugin.name().to_string()),
            content: content.map_or_else(|| reason.to_string(), |content| hex::encode(content.0)),
        };
        slot.tried = content;
        slot.waiting = None;
        slot.refusal = Some(Arc::new(Refusal { file: name.to_owned(), reason }));
        if !was_said {
            happenings.push((name.to_owned(), happening));
        }
        happenings
    }

    /// Lets a new version serve, unless another file has its name.
    fn place(&mut self, name: &str, content: ContentDigest, plugin: Arc<LoadedPlugin>) -> Vec<Happening> {
        let mut happenings = Vec::new();
        let plugin_name = Arc::clone(&plugin.description().name);
        let other = self
            .holder(&plugin_name)
            .filter(|(holder, _)| *holder != name)
            .map(|(holder, held)| (holder.clone(), Arc::clone(held)));
        if let Some((holder, held)) = other {
            if has_own_name(&held) || !has_own_name(&plugin) {
                let refused = Refused {
                    content: Some(content),
                    digest: Some(plugin.digest().to_owned()),
                    manifest: Some(Arc::clone(plugin.manifest())),
                    reason: LoadError::NameTaken { name: plugin_name.to_string(), by: holder },
                };
                happenings.extend(self.refuse(name, refused));
                self.slots.entry(name.to_owned()).or_default().waiting = Some(plugin);
                return happenings;
            }
            let slot = self.slots.entry(holder.clone()).or_default();
            slot.serving = None;
            let content = slot.tried;
            let reason = LoadError::NameTaken { name: plugin_name.to_string(), by: name.to_owned() };
            happenings.extend(self.refuse(&holder, Refused { content, ..Refused::unread(reason) }));
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
            if self.holder(plugin.name()).is_none() {
                let slot = self.slots.entry(name).or_default();
                (slot.waiting, slot.refusal) = (None, None);
                happenings.extend(serve(slot, plugin));
            }
        }
        happenings
    }
}

impl Slot {
    /// Stops the version that serves if `manifest` forbids it, else puts it under that manifest.
    fn obey(&mut self, manifest: &Arc<Manifest>) -> Option<Happening> {
        self.waiting.take_if(|waiting| waiting.check_against(manifest).is_err());
        let serving = self.serving.take_if(|serving| **serving.manifest() != **manifest)?;
        let name = serving.name().to_string();
        match serving.check_against(manifest) {
            Ok(()) => {
                let (from, to) = (serving.digest().to_owned(), serving.digest().to_owned());
                self.serving = Some(Arc::new(serving.under(Arc::clone(manifest))));
                Some((name, PluginChange::Replaced { from, to }))
            }
            Err(why) => {
                self.withdrawn = Some((serving.digest().to_owned(), why));
                Some((name, PluginChange::Removed))
            }
        }
    }
}

/// Whether a plugin is called like its file, which gives it a right to the name.
fn has_own_name(plugin: &LoadedPlugin) -> bool {
    plugin.file() == plugin.name()
}

fn serve(slot: &mut Slot, plugin: Arc<LoadedPlugin>) -> Vec<Happening> {
    let (name, to) = (plugin.name().to_string(), plugin.digest().to_owned());
    slot.withdrawn = None;
    let earlier = slot.serving.replace(plugin);
    match earlier {
        Some(earlier) if earlier.name() == name => {
            vec![(name, PluginChange::Replaced { from: earlier.digest().to_owned(), to })]
        }
        Some(earlier) => vec![
            (earlier.name().to_string(), PluginChange::Removed),
            (name, PluginChange::Loaded { digest: to }),
        ],
        None => vec![(name, PluginChange::Loaded { digest: to })],
    }
}
