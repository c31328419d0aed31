//! The environment that tools run in: the author's, without what would change or break what they do.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// Prefixes of variables that steer a compiler, an interpreter or an installer.
const STEERING: [&str; 12] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "RUSTDOC",
    "RUSTFLAGS",
    "PIP_",
    "PIPENV_",
    "PYTHON",
    "NPM_",
    "NODE_",
];

const STEERING_NAMES: [&str; 8] = [
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "CFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "__PYVENV_LAUNCHER__",
];

/// What stays although its prefix is above: where things are, how they are reached, and how fast.
const HARMLESS: [&str; 8] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_JOBS",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_SYSTEM_CA",
    "NODE_USE_ENV_PROXY",
];

/// Parts of the names of pip's and npm's settings that say how a registry is reached.
const REACHING: [&str; 18] = [
    "INDEX",
    "FIND_LINKS",
    "TRUSTED_HOST",
    "CERT",
    "PROXY",
    "TIMEOUT",
    "RETRIES",
    "CACHE",
    "CONFIG_FILE",
    "KEYRING",
    "REGISTRY",
    "USERCONFIG",
    "GLOBALCONFIG",
    "CAFILE",
    "STRICT_SSL",
    "AUTH",
    "TOKEN",
    "OFFLINE",
];

/// The names of this process's variables that no tool gets.
pub(crate) fn withheld() -> Vec<OsString> {
    #[expect(clippy::disallowed_methods, reason = "what tools inherit is this very environment")]
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| is_withheld(name)).collect()
}

/// Where cargo has the settings of all of the author's projects.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
}

fn is_withheld(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_uppercase();
    let is_steering =
        STEERING.iter().any(|prefix| name.starts_with(prefix)) || STEERING_NAMES.contains(&&*name);
    let is_installers = name.starts_with("PIP_") || name.starts_with("NPM_");
    let is_reaching = is_installers && REACHING.iter().any(|part| name.contains(part));
    is_steering && !HARMLESS.contains(&&*name) && !is_reaching
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_tools_is_withheld_and_what_reaches_registries_is_not() {
        let withheld = |name: &str| is_withheld(OsStr::new(name));
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_PLUGIN_OPT_LEVEL",
            "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
            "RUSTC",
            "PIP_USER",
            "PIP_TARGET",
            "PIP_REQUIRE_HASHES",
            "PYTHONPATH",
            "PYTHONHOME",
            "VIRTUAL_ENV",
            "npm_config_omit",
            "NPM_CONFIG_IGNORE_SCRIPTS",
            "npm_config_production",
            "NODE_OPTIONS",
            "NODE_ENV",
        ] {
            assert!(withheld(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_REGISTRIES_TEAM_TOKEN",
            "CARGO_NET_OFFLINE",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
            "PIP_INDEX_URL",
            "PIP_CERT",
            "npm_config_registry",
            "npm_config_//registry.example/:_authToken",
            "NPM_TOKEN",
            "NODE_EXTRA_CA_CERTS",
            "HTTPS_PROXY",
        ] {
            assert!(!withheld(name), "{name}");
        }
    }
}
