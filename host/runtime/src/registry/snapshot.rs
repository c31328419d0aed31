//! All plugins at one moment: which run, and which files don't and why.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    loading::{error::LoadError, folder},
    running::plugin::LoadedPlugin,
};
use maro_store::plugin_switches::Switch;

/// A file that can't run. An earlier version of it may be running.
#[derive(Debug)]
pub struct RefusedFile {
    /// The file's name.
    pub file: String,
    pub reason: LoadError,
}

impl RefusedFile {
    /// The name of the plugin that it would be, if it is a component, wherever it lies.
    fn component(&self) -> Option<&str> {
        self.file.rsplit('/').next()?.strip_suffix(".wasm")
    }
}

/// A plugin that is switched off.
pub struct Disabled {
    pub switch: Switch,
    /// `None` if there is no such plugin at the moment.
    pub plugin: Option<Arc<LoadedPlugin>>,
}

/// All plugins at one moment.
#[derive(Default)]
pub struct Plugins {
    by_name: BTreeMap<Arc<str>, Arc<LoadedPlugin>>,
    disabled: BTreeMap<String, Disabled>,
    pub refused: Vec<Arc<RefusedFile>>,
    /// The files that are being loaded: for a first version, or for another one for more than a moment.
    pub loading: Vec<String>,
    is_listed: bool,
}

/// Why no plugin answers to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Its plugin may answer in a moment.
    Loading,
    /// There is a file for it, which was refused.
    Refused,
    /// Nothing has this name.
    Unknown,
}

impl Plugins {
    /// Takes those out of `by_name` that are switched off.
    pub(crate) fn new(
        mut by_name: BTreeMap<Arc<str>, Arc<LoadedPlugin>>,
        refused: Vec<Arc<RefusedFile>>,
        loading: Vec<String>,
        switches: &BTreeMap<String, Switch>,
        is_listed: bool,
    ) -> Self {
        let disabled = switches
            .iter()
            .map(|(name, switch)| {
                let plugin = by_name.remove(name.as_str());
                (name.clone(), Disabled { switch: switch.clone(), plugin })
            })
            .collect();
        Self { by_name, disabled, refused, loading, is_listed }
    }

    /// The plugin with this name, if it runs.
    pub fn get(&self, name: &str) -> Option<&Arc<LoadedPlugin>> {
        self.by_name.get(name)
    }

    /// The plugins that run, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<LoadedPlugin>> {
        self.by_name.values()
    }

    /// What is switched off under a name.
    pub fn disabled(&self, name: &str) -> Option<&Disabled> {
        self.disabled.get(name)
    }

    /// Whether there is no plugin and no file that could be one.
    pub fn are_none(&self) -> bool {
        let are_off = self.disabled.values().any(|disabled| disabled.plugin.is_some());
        self.by_name.is_empty() && self.refused.is_empty() && self.loading.is_empty() && !are_off
    }

    /// Everything that is switched off, by name.
    pub fn all_disabled(&self) -> impl Iterator<Item = &Disabled> {
        self.disabled.values()
    }

    /// Why a newer version of a running plugin was refused.
    pub fn newer_refusal(&self, plugin: &LoadedPlugin) -> Option<&RefusedFile> {
        self.refused
            .iter()
            .map(|refusal| &**refusal)
            .find(|refusal| folder::stem(&refusal.file) == plugin.name())
    }

    /// Whether a newer version of a running plugin is being loaded.
    pub fn is_loading(&self, plugin: &LoadedPlugin) -> bool {
        self.loading.iter().any(|file| folder::stem(file) == plugin.name())
    }

    /// Whether the folder has been looked at: before that, any name may be a plugin's.
    pub fn are_listed(&self) -> bool {
        self.is_listed
    }

    /// Why no plugin answers to a name, if none of that name is turned off.
    pub fn absence(&self, name: &str) -> Absence {
        if !self.is_listed || self.loading_first().any(|file| folder::stem(file) == name) {
            return Absence::Loading;
        }
        match self.without_version().any(|refusal| refusal.component() == Some(name)) {
            true => Absence::Refused,
            false => Absence::Unknown,
        }
    }

    /// Why none of the files can run, if it's the machine's fault.
    pub fn machine_problem(&self) -> Option<&LoadError> {
        self.refused.iter().map(|refusal| &refusal.reason).find(|reason| reason.is_of_the_machine())
    }

    /// The files of which no version runs.
    pub fn without_version(&self) -> impl Iterator<Item = &Arc<RefusedFile>> {
        self.refused.iter().filter(|refusal| !self.has_version(&refusal.file))
    }

    /// The files that are being loaded and of which no version runs.
    pub fn loading_first(&self) -> impl Iterator<Item = &str> {
        self.loading.iter().map(String::as_str).filter(|file| !self.has_version(file))
    }

    fn has_version(&self, file: &str) -> bool {
        let name = folder::stem(file);
        self.get(name).is_some() || self.disabled(name).is_some_and(|disabled| disabled.plugin.is_some())
    }
}
