//! Builds in folders and environments as people have them, and what counts as a change.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::plugin_kit::{command, complaint, has, maro, said};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What a command says on both streams, as it succeeds.
fn all_said(folder: &Path, arguments: &[&str]) -> String {
    let output = maro(folder, arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn a_python_project_with_other_things_in_it_builds() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "harbor", "--lang", "python"]);
    let project = folder.path().join("harbor");
    let at = |name: &str| project.join(name);
    fs::create_dir_all(at(".env/lib")).unwrap();
    fs::write(at(".env/pyvenv.cfg"), "").unwrap();
    symlink("lib", at(".env/lib64")).unwrap();
    symlink("/nowhere/at/all", at("notes.txt")).unwrap();
    fifo(&at("pipe"));
    fs::create_dir(at("docs")).unwrap();
    symlink("../docs", at("docs/up")).unwrap();
    let built = all_said(&project, &["plugin", "build"]);
    for left_out in
        ["notes.txt leads nowhere", "pipe is neither a file nor a folder", "docs/up leads back to"]
    {
        assert!(built.contains(&format!("Left out of the build: {left_out}")), "{left_out}: {built}");
    }
    assert!(!project.join("build/stage").exists());

    // What the plugin imports counts, whatever it is called, and nothing else does.
    let built_at = || fs::metadata(at("build/harbor.wasm")).unwrap().modified().unwrap();
    let source = fs::read_to_string(at("plugin.py")).unwrap();
    fs::write(at("plugin.py"), source.replace("\"Hello, \"", "test_levels.WORD") + "\nimport test_levels\n")
        .unwrap();
    fs::write(at("test_levels.py"), "WORD = 'Ahoy, '").unwrap();
    assert!(said(&project, &["plugin", "run", "Ada"]).contains("Ahoy, Ada!"));
    fs::write(at("test_levels.py"), "WORD = 'Moin, '").unwrap();
    assert!(said(&project, &["plugin", "run", "Ada"]).contains("Moin, Ada!"));
    let before = built_at();
    fs::write(at("plugin.toml"), "# Another comment.\ngrants = []\n").unwrap();
    fs::write(at("README.md"), "Other words.").unwrap();
    said(&project, &["plugin", "build"]);
    assert_eq!(built_at(), before, "a comment is no part of a component");
    assert!(fs::read_to_string(at("build/harbor.toml")).unwrap().starts_with("# Another"));
}

#[test]
fn a_build_that_waits_for_a_pipe_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"x\"\nedition = \"2024\"\n[workspace]\n")
        .unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fifo(&folder.path().join("src/lib.rs"));
    let mut building =
        command(folder.path(), &["plugin", "build", "."]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    // Cargo may have told by itself that this is no library.
    if building.try_wait().unwrap().is_none() {
        kill_process(Pid::from_child(&building), Signal::TERM).unwrap();
        let asked = Instant::now();
        while building.try_wait().unwrap().is_none() {
            assert!(asked.elapsed() < Duration::from_secs(10), "it ignores SIGTERM");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_rust_project_of_many_crates_in_another_workspace_builds() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"plugins/*\"]\n";
    fs::write(folder.path().join("Cargo.toml"), workspace).unwrap();
    let project = folder.path().join("plugins/count");
    let new = said(folder.path(), &["plugin", "new", "plugins/count"]);
    assert!(new.contains("It was added to `exclude` in "), "{new}");
    let mut manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    for number in 1..=140 {
        let part = project.join(format!("parts/p{number}/src"));
        fs::create_dir_all(&part).unwrap();
        fs::write(part.join("lib.rs"), "").unwrap();
        let text = format!("[package]\nname = \"p{number}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        fs::write(part.join("../Cargo.toml"), text).unwrap();
        manifest += &format!("\n[dependencies.p{number}]\npath = \"parts/p{number}\"\n");
    }
    let words =
        ["announce", "confirm", "escalate", "remember"].map(|word| format!("{word}-{}", "quay-".repeat(16)));
    manifest += &format!("\n[features]\ndefault = {words:?}\n");
    words.iter().for_each(|word| manifest += &format!("{word} = []\n"));
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    // What is set for other work changes nothing here.
    let output = command(&project, &["plugin", "build"])
        .env("RUSTFLAGS", "--no-such-flag")
        .env("CARGO_BUILD_TARGET", "nowhere")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let around = Command::new("cargo")
        .current_dir(folder.path())
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .unwrap();
    assert!(around.status.success(), "{}", String::from_utf8_lossy(&around.stderr));
}

#[test]
fn tests_that_are_never_found_are_told() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "levels", "--lang", "python"]);
    fs::create_dir(folder.path().join("levels/tests")).unwrap();
    let failing =
        "import unittest\nclass A(unittest.TestCase):\n    def test_it(self):\n        assert False\n";
    fs::write(folder.path().join("levels/tests/test_levels.py"), failing).unwrap();
    let told = said(folder.path(), &["plugin", "test", "levels"]);
    assert!(told.contains("The tests of levels passed: 1 ran.\n"), "{told}");
    assert!(told.contains("✗ No test in tests/test_levels.py ran. "), "{told}");
    fs::write(folder.path().join("levels/tests/__init__.py"), "").unwrap();
    assert!(complaint(folder.path(), &["plugin", "test", "levels"]).contains("the tests of levels failed"));
}
