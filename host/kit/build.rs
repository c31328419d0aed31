//! Puts `wit/` and the authors' SDK into the program, so that `maro plugin new` works without a checkout.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    embed_interface(&root);
}

/// Writes `embedded.rs`: the interface, its frozen versions and the SDK.
fn embed_interface(root: &Path) {
    let mut code = String::new();
    embed(&mut code, "WIT", &root.join("wit"), "wit");
    embed(&mut code, "SDK", &root.join("plugins/sdk/src"), "rs");
    let mut versions: Vec<_> = entries(&root.join("wit/released")).collect();
    versions.sort();
    for version in &versions {
        let name = version.replace(['.', '-'], "_");
        embed(&mut code, &format!("WIT_{name}"), &root.join("wit/released").join(version), "wit");
    }
    code.push_str("/// The frozen versions of the interface, oldest first.\n");
    code.push_str("pub(crate) const RELEASED: &[(&str, Files)] = &[\n");
    for version in &versions {
        let name = version.replace(['.', '-'], "_");
        let _ = writeln!(code, "    ({version:?}, WIT_{name}),");
    }
    code.push_str("];\n");
    fs::write(Path::new(&variable("OUT_DIR")).join("embedded.rs"), code).expect("OUT_DIR can be written");
}

#[expect(clippy::disallowed_methods, reason = "Cargo speaks to a build script through the environment")]
fn variable(name: &str) -> String {
    env::var(name).expect("Cargo sets it")
}

fn entries(dir: &Path) -> impl Iterator<Item = String> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let entries = fs::read_dir(dir).expect("the repository is whole");
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// A constant with path and content of every file below `dir` that ends in `extension`.
fn embed(code: &mut String, name: &str, dir: &Path, extension: &str) {
    let mut files = Vec::new();
    collect(dir, "", extension, &mut files);
    files.sort();
    let _ = writeln!(code, "const {name}: Files = &[");
    for file in files {
        let _ = writeln!(code, "    ({file:?}, include_str!({:?})),", dir.join(&file));
    }
    code.push_str("];\n");
}

fn collect(dir: &Path, prefix: &str, extension: &str, files: &mut Vec<String>) {
    for entry in entries(dir) {
        let path = format!("{prefix}{entry}");
        if dir.join(&entry).is_dir() {
            // Frozen versions stand by themselves.
            if entry != "released" {
                collect(&dir.join(&entry), &format!("{path}/"), extension, files);
            }
        } else if entry.ends_with(&format!(".{extension}")) {
            files.push(path);
        }
    }
}
