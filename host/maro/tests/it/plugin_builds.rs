//! Builds in folders and environments as people have them, what counts as a change, and what comes out.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::plugin_kit::{cache, command, complaint, hangup, has, maro, said};

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
fn tools_end_with_the_session_that_started_them() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "tides"]);
    let project = folder.path().join("tides");
    let endless = "fn main() {
        std::fs::write(\"written\", std::process::id().to_string()).unwrap();
        std::fs::rename(\"written\", \"pid\").unwrap();
        loop { std::thread::sleep(std::time::Duration::from_secs(3600)); }
    }";
    fs::write(project.join("build.rs"), endless).unwrap();
    for (signal, expected) in [(Signal::TERM, 143), hangup()] {
        end_a_session(&project, signal, expected);
    }
}

/// Starts a session whose build has no end, and ends it by a signal.
fn end_a_session(project: &Path, signal: Signal, expected: i32) {
    let _ = fs::remove_file(project.join("pid"));
    let page = ["plugin", "dev", "--page", "127.0.0.1:0"];
    let mut command = command(project, &page);
    // In a folder that others share, they'd wait for this build.
    command.env("CARGO_TARGET_DIR", project.join("target")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut session = Session(command.spawn().unwrap());
    let started = Instant::now();
    let wait_for = |what: &mut dyn FnMut() -> bool| {
        while !what() {
            assert!(started.elapsed() < Duration::from_secs(180), "it takes too long");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait_for(&mut || project.join("pid").is_file());
    kill_process(Pid::from_child(&session.0), signal).unwrap();
    let mut code = None;
    wait_for(&mut || {
        code = session.0.try_wait().unwrap().map(|status| status.code());
        code.is_some()
    });
    assert_eq!(code.flatten(), Some(expected), "as shells have it for {signal:?}");
    let script = fs::read_to_string(project.join("pid")).unwrap();
    // The process that adopts orphans may never ask how they ended.
    let has_ended = || {
        let state = fs::read_to_string(format!("/proc/{script}/stat"));
        state.map_or(true, |state| state.contains(") Z "))
    };
    wait_for(&mut || has_ended());
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
    let write = |file: &str, text: &str| {
        let path = folder.path().join("levels").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let failing =
        "import unittest\nclass A(unittest.TestCase):\n    def test_it(self):\n        assert False\n";
    write("tests/test_levels.py", failing);
    let mixed = "import unittest
def test_bare():
    assert False
class TestPlain:
    def test_plain(self):
        assert False
class Shared:
    def test_shared(self):
        pass
class Good(Shared, unittest.TestCase):
    def test_good(self):
        def test_within(): pass
    async def test_unawaited(self):
        assert False
    @unittest.skip('not today')
    def test_skipped(self):
        assert False
TEXT = '''
def test_in_a_text(): pass
'''
";
    write("test_mixed.py", mixed);
    let told = said(folder.path(), &["plugin", "test", "levels"]);
    assert!(told.contains("The tests of levels passed: 3 ran.\n"), "{told}");
    for unfound in [
        "No test in tests/test_levels.py ran. ",
        "test_bare in test_mixed.py:2 didn't run. ",
        "TestPlain.test_plain in test_mixed.py:5 didn't run. ",
        "Good.test_unawaited in test_mixed.py:13 didn't run. ",
    ] {
        assert!(told.contains(&format!("✗ {unfound}")), "{unfound}: {told}");
    }
    assert_eq!(told.matches('✗').count(), 4, "{told}");
    write("tests/__init__.py", "");
    assert!(complaint(folder.path(), &["plugin", "test", "levels"]).contains("the tests of levels failed"));
}

#[test]
fn tests_in_javascript_that_are_never_found_are_told() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "levels", "--lang", "js"]);
    let text = "import test from 'node:test';\ntest('it', () => { throw new Error('no'); });\n";
    let unfound = [
        "__tests__/a.js",
        "spec/b.js",
        "answer_spec.js",
        "answer.spec.js",
        "answer.tests.js",
        "test.answer.js",
        "answer-spec.mjs",
    ];
    for file in unfound {
        let path = folder.path().join("levels").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let passing = "import test from 'node:test';\ntest('it', () => {});\n";
    for file in ["test/a.mjs", "test-b.js", "c_test.js", "d-test.cjs"] {
        let path = folder.path().join("levels").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            path,
            if file.ends_with("cjs") { "require('node:test')('it', () => {});" } else { passing },
        )
        .unwrap();
    }
    let told = said(folder.path(), &["plugin", "test", "levels"]);
    for file in unfound {
        assert!(told.contains(&format!("✗ No test in {file} ran: call it ")), "{file}: {told}");
    }
    assert_eq!(told.matches('✗').count(), unfound.len(), "{told}");
}

#[test]
fn tests_in_rust_that_are_in_no_module_are_told() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "orphan"]);
    let at = |name: &str| folder.path().join("orphan").join(name);
    let failing = "#[test]\nfn it() { panic!() }\n";
    fs::create_dir(at("tests")).unwrap();
    fs::create_dir(at("tests/deep")).unwrap();
    fs::write(at("src/lost.rs"), failing).unwrap();
    fs::write(at("src/known.rs"), failing.replace("panic!()", "")).unwrap();
    fs::write(at("tests/deep/lost.rs"), failing).unwrap();
    fs::write(at("tests/found.rs"), failing.replace("panic!()", "")).unwrap();
    let text = fs::read_to_string(at("src/lib.rs")).unwrap();
    fs::write(at("src/lib.rs"), format!("{text}\n#[cfg(test)]\nmod known;\n")).unwrap();
    let told = said(folder.path(), &["plugin", "test", "orphan"]);
    for file in ["src/lost.rs", "tests/deep/lost.rs"] {
        assert!(told.contains(&format!("✗ No test in {file} ran: no `mod` ")), "{file}: {told}");
    }
    assert_eq!(told.matches('✗').count(), 2, "{told}");
}

#[test]
fn what_python_needs_late_works_or_is_told_by_the_build() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "import", "--lang", "python", "--with", "clock"]);
    let source = r#"import random
from maro import paragraph, to_caller
from wit_world import exports
from wit_world.exports.command import Description

LUCK = random.choice([1, 2])


def secure():
    import ssl


def sums():
    import statistics
    return statistics.mean([1, 2])


def day(text):
    from datetime import datetime
    from zoneinfo import ZoneInfo
    return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=ZoneInfo("Europe/Berlin"))


def other(name):
    return __import__(name).__name__


class Command(exports.Command):
    def describe(self):
        return Description("import", "1", "Import", "")

    def run(self, typed):
        if typed == "loop":
            import asyncio
            asyncio.run(None)
        words = [b"\xe9".decode("cp1250"), b"\xef\xbb\xbfa".decode("utf-8-sig"), sums(), day("01.07.2026"), other("decimal")]
        return to_caller(paragraph(" ".join(map(str, words))))
"#;
    fs::write(folder.path().join("import/plugin.py"), source).unwrap();
    let told = all_said(folder.path(), &["plugin", "run", "import"]);
    for expected in [
        "plugin.py:6: `random.choice` is drawn once, while the plugin is built",
        "plugin.py:10: importing ssl fails: No module named '_ssl'. For requests, use MARO's `http`.",
        "\né a 1.5 2026-07-01 00:00:00+02:00 decimal\n",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let check = all_said(folder.path(), &["plugin", "check", "import"]);
    assert!(check.contains("! plugin.py:10: importing ssl fails"), "{check}");
    let looped = complaint(folder.path(), &["plugin", "run", "import", "loop"]);
    assert!(looped.contains("plugins have no sockets, which `asyncio.run` needs, too"), "{looped}");
}

#[test]
fn what_javascript_needs_late_works_or_is_told_by_the_build() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "tide", "--lang", "js"]);
    let source = r#"import { paragraph, toCaller } from './maro.js';
const word = (count) => new Intl.PluralRules('pl').select(count);
async function note(name) {
  await null;
  console.log(`noted ${name}`);
  setTimeout(() => console.log('rang'), 5);
}
export const command = {
  describe: () => ({ name: 'tide', version: '1', summary: 'Tide', usage: '' }),
  run(typed) {
    note(typed);
    const capital = [/^\p{Lu}/u.test('Łódź'), /^\p{Lu}/u.test('łódź'), new RegExp('^[\\p{Ll}-]+$', 'u').test('ą-ę')];
    return toCaller(paragraph(capital.join(' '), (1).toLocaleString('de-DE')));
  },
};
"#;
    let path = folder.path().join("tide/plugin.js");
    fs::write(&path, source).unwrap();
    let told = all_said(folder.path(), &["plugin", "run", "tide", "Ada"]);
    for expected in [
        "plugin.js:2:29: `Intl` does not exist in plugins",
        "plugin.js:13:54: `toLocaleString` knows no languages",
        "\ntrue false true1\n",
        "noted Ada\n  rang\n",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), source, "the author's file stays as it is");
}

#[test]
fn an_edit_takes_the_engine_with_its_interfaces_over_from_the_build_before() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "tide", "--lang", "js"]);
    let run = || all_said(folder.path(), &["plugin", "run", "tide", "Ada"]);
    assert!(run().contains("Hello, Ada!"));
    let mut steps =
        fs::read_dir(cache().join("tools")).unwrap().map(|tool| tool.unwrap().path().join("steps"));
    let steps = steps.find(|steps| steps.is_dir()).expect("nothing of the build is kept");
    let kept = || {
        let files = fs::read_dir(&steps).unwrap().map(|file| file.unwrap().path());
        files.map(|file| (file.clone(), fs::metadata(file).unwrap().ino())).collect::<BTreeMap<_, _>>()
    };
    let answer = folder.path().join("tide/answer.js");
    let mut greeting = "Hello";
    // Other tests build, too, and only the newest results are kept.
    let is_taken_over = ["Howdy", "Moin", "Ahoy"].into_iter().any(|next| {
        run();
        let before = kept();
        for step in ["spliced-", "stubbed-"] {
            assert!(before.keys().any(|file| file.file_name().unwrap().to_str().unwrap().starts_with(step)));
        }
        let edited = fs::read_to_string(&answer).unwrap().replace(greeting, next);
        fs::write(&answer, edited).unwrap();
        greeting = next;
        assert!(run().contains(&format!("{next}, Ada!")));
        let after = kept();
        before.iter().all(|(file, inode)| after.get(file) == Some(inode))
    });
    assert!(is_taken_over, "a step was done again");
    // Other interfaces are another engine.
    let world = folder.path().join("tide/wit/world.wit");
    let text = fs::read_to_string(&world).unwrap();
    let more = text.replacen("log@0.2.0;", "log@0.2.0;\n    import maro:plugin/clock@0.2.0;", 1);
    assert_ne!(more, text);
    fs::write(&world, more).unwrap();
    let import = "import { now } from 'maro:plugin/clock@0.2.0';\n";
    let asking = fs::read_to_string(&answer)
        .unwrap()
        .replace(&format!("'{greeting}, '"), "now() > 0 ? 'Salut, ' : ''");
    fs::write(&answer, format!("{import}{asking}")).unwrap();
    assert!(run().contains("Salut, Ada!"));
}

#[test]
fn a_folder_without_a_project_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["build", "check", "run", "dev"] {
        let said = complaint(folder.path(), &["plugin", command]);
        let name = folder.path().canonicalize().unwrap();
        let expected = format!("{} isn't a plugin project", name.display());
        assert!(said.contains(&expected) && said.contains("maro plugin new NAME"), "{command}: {said}");
    }
}

#[test]
fn a_check_for_programs_is_json_alone() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "count"]);
    let check = |project: &str| {
        let output = maro(folder.path(), &["plugin", "check", project, "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["accepted"], output.status.success(), "{report}");
        report
    };
    let good = check("count");
    assert_eq!((good["name"].as_str(), good["interface"].as_str()), (Some("count"), Some("0.2.0")));
    let built = folder.path().join("count/build/count.toml");
    fs::write(built, format!("sha256 = \"{}\"", "ab".repeat(32))).unwrap();
    let pinned = check("count/build/count.wasm");
    let problem = pinned["problems"][0].as_str().unwrap();
    assert!(problem.contains("sha256") && problem.contains(&"ab".repeat(32)), "{problem}");
    fs::write(folder.path().join("count/src/lib.rs"), "pub fn nothing() {}").unwrap();
    let problem = check("count")["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("maro:plugin/command") && problem.contains("`register!(…)`"), "{problem}");
    fs::write(folder.path().join("count/src/lib.rs"), "this is no Rust").unwrap();
    let problem = check("count")["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("count failed to build") && problem.contains("src/lib.rs:1:"), "{problem}");
    let docs = said(folder.path(), &["plugin", "docs", "storage.swap"]);
    assert!(
        docs.contains("swap: func(scope: scope, key: string,")
            && docs.contains("storage::swap(storage::Scope::Channel,"),
        "{docs}"
    );
}

/// Eighty kibibytes alive, and eighty megabytes allocated one after the other.
#[test]
fn what_a_rust_plugin_frees_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "board"]);
    let source = folder.path().join("board/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let replacing = "let mut board = vec![String::new(); 40];
        for _ in 0..1_000 {
            board.iter_mut().for_each(|text| *text = \"x\".repeat(2048));
        }
        let kib = core::arch::wasm32::memory_size(0) * 64;
        Ok(answer(&format!(\"{} of {kib} KiB\", board.len())))";
    fs::write(&source, text.replace("Ok(answer(unescape(arguments).trim()))", replacing)).unwrap();
    let run = said(folder.path(), &["plugin", "run", "board"]);
    let kib = run.split("40 of ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!(kib.parse::<u32>().unwrap() < 2048, "{run}");
}

/// Ends the session, however the test ends.
struct Session(std::process::Child);

impl Drop for Session {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

#[test]
fn a_plugin_is_tried_in_its_own_folder_and_rebuilt_when_saved() {
    let folder = tempfile::tempdir().unwrap();
    // All projects share a target folder here, in which another of this name would take its place.
    said(folder.path(), &["plugin", "new", "hail"]);
    let project = folder.path().join("hail");
    let page = ["plugin", "dev", "--page", "127.0.0.1:0"];
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let mut session = Session(command(&project, &page).stdout(log).stderr(Stdio::null()).spawn().unwrap());
    let wait_for = |what: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !what() {
            let log = fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(started.elapsed() < Duration::from_secs(180), "{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    wait_for(&|| project.join(".maro/dev.json").is_file());
    let says = |words: &str| {
        let output = maro(&project, &["say", "/maro hail Ada"]);
        String::from_utf8_lossy(&output.stdout).contains(words)
    };
    wait_for(&|| says("Hello, Ada!"));
    let source = project.join("src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("\"Hello, \"", "\"Ahoy, \"")).unwrap();
    wait_for(&|| says("Ahoy, Ada!"));
    wait_for(&|| fs::read_to_string(folder.path().join("log")).unwrap().contains("0 host calls, "));
    // The terminal is closed.
    kill_process(Pid::from_child(&session.0), hangup().0).unwrap();
    assert!(session.0.wait().unwrap().success());
    assert!(!project.join(".maro/dev.json").exists());
}
