//! The settings of cargo around a project, as far as they change what a component is made of and can't be overruled.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use crate::languages::{
    cargo::{PROFILE, TARGET},
    tool_environment,
};

/// A file of settings.
pub(crate) struct Settings {
    path: PathBuf,
    table: Table,
}

/// All that cargo reads in a folder.
pub(crate) fn around(folder: &Path) -> Vec<Settings> {
    let homes = folder.ancestors().map(|folder| folder.join(".cargo")).chain(tool_environment::cargo_home());
    let mut seen = BTreeSet::new();
    homes.filter(|home| seen.insert(home.clone())).filter_map(|home| Settings::in_folder(&home)).collect()
}

/// Whether programs of this folder are built for another machine.
pub(crate) fn have_target(settings: &[Settings]) -> bool {
    settings.iter().any(|settings| settings.get(&["build", "target"]).is_some())
}

impl Settings {
    /// Cargo prefers the name without an ending.
    fn in_folder(folder: &Path) -> Option<Self> {
        let path = ["config", "config.toml"]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())?;
        let table = fs::read_to_string(&path).ok()?.parse().ok()?;
        Some(Self { path, table })
    }

    fn get(&self, keys: &[&str]) -> Option<&Value> {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.table.get(*first)?, |value, key| value.get(key))
    }

    /// What it changes, as a sentence for the author.
    pub(crate) fn warning(&self) -> Option<String> {
        let profiles = ["release", PROFILE].map(|profile| ["profile", profile, "package"]);
        let mut keys: Vec<_> =
            profiles.iter().filter(|keys| self.get(&keys[..]).is_some()).map(|keys| keys.join(".")).collect();
        let targets = self.table.get("target").and_then(Value::as_table).into_iter().flatten();
        for (target, settings) in targets.filter(|(target, _)| is_plugins(target)) {
            let set = ["rustflags", "linker"].into_iter().filter(|key| settings.get(key).is_some());
            keys.extend(set.map(|key| format!("target.{target}.{key}")));
        }
        (!keys.is_empty()).then(|| {
            format!("! {} changes how the component is built: {}.", self.path.display(), keys.join(", "))
        })
    }
}

/// Whether settings of a target are for plugins, too.
fn is_plugins(target: &str) -> bool {
    let is_condition = target.starts_with("cfg(");
    target == TARGET
        || is_condition && (target.contains("wasm") || target.contains("wasi") || target == "cfg(all())")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_for_programs_of_this_machine_are_not_told() {
        let warning = |text: &str| Settings { path: "c".into(), table: text.parse().unwrap() }.warning();
        let linux = "[target.'cfg(target_os = \"linux\")']\nrustflags = [\"-Ctarget-cpu=native\"]\n";
        assert_eq!(warning(linux), None);
        assert_eq!(warning("[build]\ntarget = \"x\"\n[net]\noffline = true\n"), None);
        let wasm =
            "[target.'cfg(target_family = \"wasm\")']\nrustflags = [\"-g\"]\n[profile.plugin.package.a]\n";
        let told = "! c changes how the component is built: profile.plugin.package, target.cfg(target_family = \"wasm\").rustflags.";
        assert_eq!(warning(wasm).as_deref(), Some(told));
    }

    #[test]
    fn settings_are_those_of_all_folders_around() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("team/count");
        fs::create_dir_all(project.join(".cargo")).unwrap();
        fs::create_dir_all(folder.path().join(".cargo")).unwrap();
        fs::write(project.join(".cargo/config"), "[net]\n").unwrap();
        assert!(!have_target(&around(&project)));
        fs::write(folder.path().join(".cargo/config.toml"), "[build]\ntarget = \"wasm32-unknown-unknown\"\n")
            .unwrap();
        assert!(have_target(&around(&project)));
    }
}
