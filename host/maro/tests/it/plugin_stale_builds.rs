//! Builds that must not be what they were: sources that come back with older times, and settings of other work.

use std::{fs, path::Path, process::Output};

use sha2::{Digest as _, Sha256};

use crate::plugin_kit::{command, maro, said};

/// What a command says on both streams.
fn both(folder: &Path, arguments: &[&str]) -> String {
    let output = maro(folder, arguments);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn an_older_file_that_comes_back_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    // Of a folder that other builds share, nobody can say that nothing is compiled again.
    let target = folder.path().join("target");
    let alone = |arguments: &[&str]| {
        let mut command = command(folder.path(), arguments);
        command.env("CARGO_TARGET_DIR", &target).output().unwrap()
    };
    let said = |arguments: &[&str]| {
        let Output { status, stdout, stderr } = alone(arguments);
        assert!(status.success(), "maro {arguments:?} fails:\n{}", String::from_utf8_lossy(&stderr));
        [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned())
    };
    said(&["plugin", "new", "ebb"]);
    let at = |name: &str| folder.path().join("ebb").join(name);
    let (source, older) = (at("src/lib.rs"), at("older"));
    let text = fs::read_to_string(&source).unwrap();
    assert!(said(&["plugin", "run", "ebb", "Ada"])[0].contains("Hello, Ada!"));
    said(&["plugin", "test", "ebb"]);
    // As `mv`, `cp -p`, `rsync -t` and `tar` do it: the time is that of the older file.
    fs::rename(&source, &older).unwrap();
    fs::write(&source, text.replace("\"Hello, \"", "\"Ahoy, \"")).unwrap();
    assert!(said(&["plugin", "run", "ebb", "Ada"])[0].contains("Ahoy, Ada!"));
    assert!(!alone(&["plugin", "test", "ebb"]).status.success());
    fs::rename(&older, &source).unwrap();
    assert!(said(&["plugin", "run", "ebb", "Ada"])[0].contains("Hello, Ada!"));
    said(&["plugin", "test", "ebb"]);
    let again = said(&["plugin", "run", "ebb", "Ada"]).concat();
    assert!(!again.contains("Compiling") && again.contains("Hello, Ada!"), "{again}");

    // A file of what it depends on, and one that isn't code.
    fs::write(&source, text.replace("\"Hello, \"", "include_str!(\"../word\")")).unwrap();
    for (file, from, to) in [("word", "Moin, ", "Salut, "), ("sdk/maro-plugin/src/reply.rs", "•", "*")] {
        let before = fs::read_to_string(at(file)).unwrap_or_else(|_| from.to_owned());
        fs::write(at(file), &before).unwrap();
        said(&["plugin", "build", "ebb"]);
        let digest = || Sha256::digest(fs::read(at("build/ebb.wasm")).unwrap());
        let first = digest();
        fs::rename(at(file), &older).unwrap();
        fs::write(at(file), before.replace(from, to)).unwrap();
        said(&["plugin", "build", "ebb"]);
        let second = digest();
        fs::rename(&older, at(file)).unwrap();
        let built = said(&["plugin", "build", "ebb"]).concat();
        assert_eq!(digest(), first, "{file}: {built}");
        assert!(second != first || file != "word");
    }
}

#[test]
fn settings_of_other_work_do_not_change_a_component() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "calm"]);
    let project = folder.path().join("calm");
    let digest = || Sha256::digest(fs::read(project.join("build/calm.wasm")).unwrap());
    said(&project, &["plugin", "build"]);
    let plain = digest();
    let output = command(&project, &["plugin", "build"]).env("CARGO_INCREMENTAL", "1").output().unwrap();
    assert!(output.status.success());
    assert_eq!(digest(), plain, "CARGO_INCREMENTAL");
    fs::create_dir(folder.path().join(".cargo")).unwrap();
    let settings = "[build]\nincremental = true\ntarget = \"wasm32-unknown-unknown\"\n[profile.release]\n\
                    overflow-checks = true\ndebug-assertions = true\nincremental = true\n[profile.plugin]\n\
                    opt-level = 0\nrpath = true\n";
    fs::write(folder.path().join(".cargo/config.toml"), settings).unwrap();
    let built = both(&project, &["plugin", "build"]);
    assert_eq!(digest(), plain, "{built}");
    assert!(!built.contains("! "), "{built}");
    said(&project, &["plugin", "test"]);
    let more = "[target.wasm32-wasip2]\nrustflags = [\"-Cdebug-assertions\"]\n[profile.release.package.\"*\"]\nopt-level = 1\n";
    fs::write(folder.path().join(".cargo/config.toml"), more).unwrap();
    let built = both(&project, &["plugin", "build"]);
    let told = "config.toml changes how the component is built: profile.release.package, target.wasm32-wasip2.rustflags";
    assert!(built.contains(told), "{built}");
}
