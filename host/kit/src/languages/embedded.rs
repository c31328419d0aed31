//! What `maro plugin new` writes into every project: this program's copy of the interface and the SDK.

/// Paths within a folder, each with the file's content.
pub(crate) type Files = &'static [(&'static str, &'static str)];

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Builds replies in JavaScript.
pub(crate) const MARO_JS: &str = include_str!("../../../../plugins/sdk/javascript/maro.js");

/// Builds replies in Python.
pub(crate) const MARO_PY: &str = include_str!("../../../../plugins/sdk/python/maro.py");

/// The files of `wit/`, the current version of the interface.
pub(crate) fn wit() -> Files {
    WIT
}

/// The files of the Rust SDK, with a `Cargo.toml` that needs no workspace and brings no tests' dependencies.
pub(crate) fn sdk() -> Vec<(String, String)> {
    let sources = SDK.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned()));
    sources.chain([("Cargo.toml".to_owned(), sdk_cargo_toml())]).collect()
}

fn sdk_cargo_toml() -> String {
    let inherited = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("edition", "2024"),
        ("rust-version", env!("CARGO_PKG_RUST_VERSION")),
        ("license", env!("CARGO_PKG_LICENSE")),
    ];
    let mut manifest = include_str!("../../../../plugins/sdk/Cargo.toml").to_owned();
    for (key, value) in inherited {
        manifest = manifest.replace(&format!("\n{key}.workspace = true"), &format!("\n{key} = \"{value}\""));
    }
    manifest = manifest.replace("publish.workspace = true", "publish = false");
    manifest = manifest.replace("[lints]\nworkspace = true\n", "");
    if let Some((before, rest)) = manifest.split_once("[dev-dependencies]\n") {
        manifest = format!("{before}{}", rest.split_once("\n[").map_or("", |(_, after)| after));
    }
    manifest.trim_end().to_owned() + "\n"
}

/// The folder of the package `maro:plugin` in a project's `wit/`.
pub(crate) const DEPENDENCY: &str = "deps/maro-plugin";

/// The text in `wit/` that the interface's version follows.
const PACKAGE: &str = "package maro:plugin@";

/// The interface's version in `wit/`.
pub(crate) fn interface_version() -> &'static str {
    let stated = wit().iter().find_map(|(_, text)| {
        let rest = &text[text.find(PACKAGE)? + PACKAGE.len()..];
        rest.split_once(';').map(|(version, _)| version)
    });
    stated.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_of_a_project_needs_no_workspace() {
        let manifest = sdk_cargo_toml();
        assert!(!manifest.contains("workspace"), "{manifest}");
        let manifest: toml::Table = manifest.parse().unwrap();
        assert!(!manifest.contains_key("dev-dependencies"), "{manifest}");
        assert!(manifest.contains_key("dependencies"), "{manifest}");
        assert_eq!(manifest["package"]["rust-version"].as_str(), Some(env!("CARGO_PKG_RUST_VERSION")));
    }

    #[test]
    fn the_interface_and_all_its_versions_are_embedded() {
        assert!(wit().iter().any(|(path, _)| *path == "world.wit"));
        assert!(RELEASED.iter().any(|(version, files)| *version == "0.1.0" && !files.is_empty()));
        assert!(sdk().iter().any(|(path, _)| path == "src/keys/tests.rs"));
    }
}
