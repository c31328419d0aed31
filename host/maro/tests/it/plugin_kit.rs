//! The author's kit: projects that build anywhere, checked, run and tested, in three languages.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use maro_process::stop_signal::hangup_is_ignored;
use maro_runtime::recording::cases::Case;
use rustix::process::{Pid, Signal, kill_process};

use crate::built_components;

/// Tools that are fetched once for all tests, beside the compiled plugins.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache")
}

/// What cargo makes for projects away from the repository, kept for the next run.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects")
}

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maro"));
    command
        .current_dir(folder)
        .env("MARO_CACHE_DIR", cache())
        .env("CARGO_TARGET_DIR", target())
        .args(arguments);
    command
}

/// What ends a command when its terminal is closed, and the code with which it ends. What is started to go on without one
/// (`nohup`) hands that down: where these tests are, their commands end by SIGTERM alone.
pub(crate) fn hangup() -> (Signal, i32) {
    if hangup_is_ignored() { (Signal::TERM, 143) } else { (Signal::HUP, 129) }
}

pub(crate) fn maro(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// What a command says that succeeds.
pub(crate) fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = maro(folder, arguments);
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "maro {arguments:?} fails:\n{out}\n{error}");
    out.into_owned()
}

/// What a command says that fails.
pub(crate) fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let output = maro(folder, arguments);
    assert!(!output.status.success(), "maro {arguments:?} succeeds");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether the tools of a language are here. In CI they must be.
#[expect(clippy::print_stderr, reason = "a test that is skipped must not be so in silence")]
pub(crate) fn has(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    #[expect(clippy::disallowed_methods, reason = "CI says that it is one in the environment alone")]
    let is_ci = std::env::var("CI").is_ok();
    assert!(is_there || !is_ci, "{tool} is not installed");
    if !is_there {
        eprintln!("SKIPPED: {tool} is not installed, and plugins that need it are not tested");
    }
    is_there
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/examples").join(name)
}

#[test]
fn a_new_project_in_rust_builds_away_from_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "greet", "--with", "tracker"]);
    let check = said(folder.path(), &["plugin", "check", "greet"]);
    assert!(check.starts_with("/maro greet [NAME]\nGreet someone\n"), "{check}");
    assert!(check.contains("needs      grants = []"), "{check}");
    assert!(check.ends_with("✓ This host accepts it.\n"), "{check}");
    let project = folder.path().join("greet");
    let built = said(&project, &["plugin", "build"]);
    assert!(built.ends_with("build/greet.toml.\n"), "{built}");
    let run = said(folder.path(), &["plugin", "run", "greet", "R&D"]);
    assert!(run.starts_with("/maro greet R&D\n\nHello, R&D!\n"), "{run}");
    let unwritable = ["plugin", "run", "greet", "Ada", "--record-http", "no/where.toml"];
    assert!(complaint(folder.path(), &unwritable).contains("no/where.toml"));
    assert!(said(folder.path(), &["plugin", "test", "greet"]).contains("The tests of greet passed: 1 ran."));

    let source = folder.path().join("greet/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("Ok(answer(unescape(arguments).trim()))", "panic!(\"no {arguments}\")"))
        .unwrap();
    let run = complaint(folder.path(), &["plugin", "run", "greet", "Ada"]);
    assert!(run.contains("✗ It panicked at src/lib.rs:18:9: no Ada\n\nIt didn't answer: "), "{run}");
    assert!(!run.contains("wasm backtrace"), "{run}");

    let prints = "println!(\"to {arguments}\"); Ok(answer";
    fs::write(&source, text.replace("Ok(answer", prints)).unwrap();
    let run = said(folder.path(), &["plugin", "run", "greet", "Ada", "-1"]);
    assert!(run.contains("It printed:\n  to Ada\n"), "{run}");
    assert!(run.contains("/maro greet -1\n\nHello, -1!"), "several commands: {run}");

    fs::write(&source, text.replace("\"greet\"", "\"Count It\"")).unwrap();
    let build = complaint(&project, &["plugin", "build"]);
    assert!(
        build.contains("✗ This plugin won't load: its description of itself is invalid: \"Count It\""),
        "{build}"
    );

    let buttons = "Ok(answer(unescape(arguments).trim()).buttons([reply::button(\"Delete\", \"delete X\")]))";
    fs::write(&source, text.replace("Ok(answer(unescape(arguments).trim()))", buttons)).unwrap();
    let run = said(folder.path(), &["plugin", "run", "greet"]);
    assert!(run.contains("[Delete → /maro delete X]\n"), "{run}");
    assert!(run.contains("✗ A button runs /maro delete X, "), "{run}");

    let failing = text.replace("Ok(answer(unescape(arguments).trim()))", "panic!(\"no {arguments}\")");
    fs::write(&source, failing).unwrap();
    let run = complaint(folder.path(), &["plugin", "run", "greet", "1", "2", "3", "4", "5", "6", "7"]);
    assert!(run.contains(": no 7\n"), "it is run however often it fails: {run}");
    let nowhere = complaint(folder.path(), &["plugin", "run", "greet", "--channel", "nowhere"]);
    assert!(
        nowhere.contains("no channel nowhere in the simulated Slack. Choose from general, "),
        "{nowhere}"
    );

    fs::write(&source, text.replace("\"Hello, \"", "\"Good day, \"")).unwrap();
    let tests = complaint(folder.path(), &["plugin", "test", "greet"]);
    assert!(tests.contains("\"Good day, Ada!\"") && tests.contains("the tests of greet failed"), "{tests}");

    let untested = text.split("#[cfg(test)]").next().unwrap();
    let tracking =
        format!("{untested}\nfn count() -> Option<u32> {{ maro_plugin::tracker::count_tracked().ok() }}");
    let tracking = tracking.replace("Ok(answer", "let _ = count(); Ok(answer");
    fs::write(&source, tracking).unwrap();
    fs::write(folder.path().join("greet/plugin.toml"), "grants = []").unwrap();
    let tests = said(folder.path(), &["plugin", "test", "greet"]);
    assert!(tests.contains("greet has no tests.\n"), "{tests}");
    let refusal = "add \"tracker\" to `grants` in plugin.toml";
    assert!(tests.contains(refusal), "{tests}");
    assert!(complaint(folder.path(), &["plugin", "check", "greet"]).contains(refusal));

    fs::write(&source, "this is no Rust").unwrap();
    let build = complaint(folder.path(), &["plugin", "build", "greet"]);
    assert!(build.contains("src/lib.rs:1:"), "{build}");
    assert!(build.contains("greet failed to build"), "{build}");
}

#[test]
fn what_the_readme_of_a_new_project_in_rust_shows_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let all = "jira, jira-edit, tracker, tracker-edit, storage, settings, clock, http";
    let new = said(folder.path(), &["plugin", "new", "track", "--with", all]);
    assert!(new.contains("MARO already comes with /maro track"), "{new}");
    let readme = fs::read_to_string(folder.path().join("track/README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let lines: Vec<_> = rows.map(|row| row.rsplit("| `").next().unwrap().trim_end_matches("` |")).collect();
    assert_eq!(lines.len(), 8, "{readme}");
    let source = folder.path().join("track/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let calls = format!(
        "use maro_plugin::{{IssueKey, clock, http, jira, jira_edit, settings, storage, tracker, tracker_edit}};\n\
         fn all(keys: Vec<IssueKey>, key: IssueKey) -> Result<(), RunError> {{\n{};\nOk(())\n}}\n",
        lines.iter().map(|line| format!("let _ = {line}")).collect::<Vec<_>>().join(";\n")
    );
    let called = "let key = || arguments.to_owned(); all(vec![key()], key())?; Ok(answer";
    fs::write(&source, text.replace("Ok(answer", called) + &calls).unwrap();
    let check = said(folder.path(), &["plugin", "check", "track"]);
    assert!(check.ends_with("✓ This host accepts it.\n"), "{check}");
}

#[test]
fn an_interrupted_build_ends_with_its_tools() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"endless\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n",
    );
    write("lib.rs", "");
    let script = format!(
        "fn main() {{ let _open = std::net::TcpStream::connect({:?}); loop {{ std::thread::park() }} }}",
        listener.local_addr().unwrap().to_string()
    );
    write("build.rs", &script);
    for (signal, code) in [(Signal::TERM, 143), hangup()] {
        let mut building = command(folder.path(), &["plugin", "build", "."]).spawn().unwrap();
        let (mut tool, _) = listener.accept().unwrap();
        kill_process(Pid::from_child(&building), signal).unwrap();
        assert_eq!(building.wait().unwrap().code(), Some(code));
        let mut said = Vec::new();
        assert_eq!(tool.read_to_end(&mut said).unwrap(), 0, "the tool's end closes what it has open");
    }
    // Nobody who asks for that hears of it.
    let mut asking = Command::new("sh");
    let program = command(folder.path(), &["plugin", "build", "."]);
    asking.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    asking
        .current_dir(folder.path())
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut building = asking.spawn().unwrap();
    let (mut tool, _) = listener.accept().unwrap();
    kill_process(Pid::from_child(&building), Signal::HUP).unwrap();
    tool.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    assert!(tool.read(&mut [0]).is_err(), "it goes on");
    kill_process(Pid::from_child(&building), Signal::TERM).unwrap();
    assert_eq!(building.wait().unwrap().code(), Some(143));
}

#[test]
fn what_a_host_cuts_and_what_it_refuses_is_told() {
    // Cargo calls it long_summary.wasm, which no command can be.
    let fixture = built_components::fixture("long-summary").display().to_string();
    let check = complaint(Path::new("."), &["plugin", "check", &fixture]);
    assert!(check.contains("(the summary was cut to the limit of 100 characters)"), "{check}");
    assert!(check.contains("rename it to long-summary.wasm"), "{check}");
    let run = said(Path::new("."), &["plugin", "run", &fixture]);
    assert!(run.contains("/maro long-summary\n") && run.contains("rename it to long-summary.wasm"), "{run}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("note.wasm"), "?").unwrap();
    let list = complaint(folder.path(), &["plugin", "list", "."]);
    assert!(list.contains("✗ note.wasm couldn't be loaded: "), "{list}");
}

#[test]
fn a_recorded_case_plays_on_a_build_and_shows_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let tracked = built_components::shipped().join("tracked.wasm").display().to_string();
    let record =
        |arguments: &str| said(folder.path(), &["plugin", "run", &tracked, arguments, "--record", "cases"]);
    let shown = said(folder.path(), &["plugin", "run", &tracked, "--tracked", "SCRUM-123,SCRUM-999"]);
    assert!(
        shown.contains("User authentication flow (Open) [Stop tracking → /maro untrack SCRUM-123]\n"),
        "{shown}"
    );
    assert!(shown.contains("• SCRUM-999: No longer in Jira (Open) [Stop tracking → "), "{shown}");
    assert!(record("1").contains("tracker.list-filtered {\"filter\":\"All\",\"limit\":20,\"offset\":0} →"));
    assert!(record("1").contains("Not recorded because the same case is already there"), "recorded once");
    let test = ["plugin", "test", "cases", "--on", &*tracked];
    assert!(said(folder.path(), &test).contains("1 case gave the recorded result."));

    let path = folder.path().join("cases/tracked-1.json");
    let mut case = Case::read(&path).unwrap();
    let text = serde_json::to_string(&case).unwrap();
    assert!(!text.contains("U0ADA000001"), "ids of people are replaced: {text}");
    let changed =
        text.replace("\"Text\":\": Database migration (In Progress)\"", "\"Text\":\": Database move\"");
    assert_ne!(text, changed);
    case.clone_from(&serde_json::from_str(&changed).unwrap());
    case.write(&path).unwrap();
    let told = complaint(folder.path(), &test);
    assert!(told.contains("- • <SCRUM-124>: Database move"), "{told}");
    assert!(told.contains("+ • <SCRUM-124>: Database migration (In Progress)"), "{told}");

    case.calls.clear();
    case.write(&path).unwrap();
    let told = complaint(folder.path(), &test);
    assert!(
        told.contains(
            "calls tracker.list-filtered {\"filter\":\"All\",\"limit\":20,\"offset\":0}, which isn't recorded"
        ),
        "{told}"
    );
    assert!(told.contains("To accept this, delete the file and record it again"), "{told}");
    let accepting = complaint(folder.path(), &[&test[..], &["--accept"]].concat());
    assert!(accepting.contains("1 of 1 case can't be accepted"), "{accepting}");
    assert_eq!(Case::read(&path).unwrap(), case, "nothing is accepted that is no answer");
    case.plugin = "untrack".to_owned();
    case.write(&path).unwrap();
    let told = complaint(folder.path(), &test);
    assert!(told.contains(&format!("✗ cases/{}: ", path.file_name().unwrap().display())), "{told}");
    assert!(told.contains("is /maro tracked, but the case is for /maro untrack.\n1 of 1 case"), "{told}");
}

#[test]
fn a_checkouts_plugins_are_built_in_every_language_and_go_with_their_sources() {
    if !has("python3") {
        return;
    }
    let checkout = tempfile::tempdir().unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk").canonicalize().unwrap();
    fs::create_dir_all(checkout.path().join("plugins/sdk")).unwrap();
    fs::write(checkout.path().join("plugins/sdk/Cargo.toml"), "").unwrap();
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = []\n[workspace.dependencies]\nmaro-plugin = {{ path = {sdk:?} }}\n"
    );
    fs::write(checkout.path().join("Cargo.toml"), workspace).unwrap();
    let new = said(checkout.path(), &["plugin", "new", "plugins/one", "--with", "http"]);
    assert!(new.contains("Cargo.toml. If you delete the folder, remove it there too"), "{new}");
    said(checkout.path(), &["plugin", "new", "plugins/two", "--lang", "python"]);
    let built = |name: &str| target().join("plugins").join(name).is_file();
    said(checkout.path(), &["plugin", "build"]);
    for file in ["one.wasm", "one.toml", "two.wasm", "two.toml"] {
        assert!(built(file), "{file}");
    }
    let one = target().join("plugins/one.wasm");
    assert!(said(checkout.path(), &["plugin", "run", one.to_str().unwrap(), "Ada"]).contains("Hello, Ada!"));
    fs::remove_dir_all(checkout.path().join("plugins/two")).unwrap();
    said(checkout.path(), &["plugin", "build"]);
    assert!(built("one.wasm") && !built("two.wasm") && !built("two.toml"));
}

#[test]
fn the_example_in_rust_assigns_and_offers_a_choice() {
    let example = example("assign");
    let folder = example.to_str().unwrap();
    let run = |words: &str| said(Path::new("."), &["plugin", "run", folder, words]);
    let one = run("SCRUM-123 Grace Hopper");
    assert!(one.contains("@ada assigned SCRUM-123 to Grace Hopper."), "{one}");
    let nobody = run("SCRUM-123 Nobody Atall");
    assert!(nobody.contains("No one named Nobody Atall can be assigned to SCRUM-123."), "{nobody}");
}

#[test]
fn the_example_in_javascript_reports_what_the_channel_tracks() {
    if !has("npm") {
        return;
    }
    let example = example("standup");
    let folder = example.to_str().unwrap();
    assert!(said(Path::new("."), &["plugin", "test", folder]).contains("The tests of standup passed: "));
    let run = said(Path::new("."), &["plugin", "run", folder]);
    assert!(run.contains("Standup in #general\n"), "{run}");
    let again = said(Path::new("."), &["plugin", "run", folder]);
    assert!(!again.contains("It contains an interpreter"), "it is compiled already: {again}");
    assert!(run.contains("• SCRUM-124: Database migration"), "{run}");
    assert!(run.contains("storage.set "), "{run}");
}

#[test]
fn the_example_in_python_finds_issues() {
    if !has("python3") {
        return;
    }
    let example = example("search");
    let folder = example.to_str().unwrap();
    assert!(said(Path::new("."), &["plugin", "test", folder]).contains("The tests of search passed: "));
    let run = said(Path::new("."), &["plugin", "run", folder, "authentication flow"]);
    assert!(run.contains("• SCRUM-123: User authentication flow"), "{run}");
}

#[test]
fn what_an_interpreter_does_not_find_is_explained() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "note", "--lang", "js", "--with", "storage"]);
    let source = folder.path().join("note/plugin.js");
    let text = fs::read_to_string(&source).unwrap();
    let uses = |name: &str, interface: &str| {
        let import = format!("import {{ {name} }} from 'maro:plugin/{interface}@0.2.0';\n{text}");
        fs::write(&source, import.replace("return answer", &format!("{name}(); return answer"))).unwrap();
        complaint(folder.path(), &["plugin", "build", "note"])
    };
    let clock = uses("now", "clock");
    assert!(clock.contains("To use it, add `import maro:plugin/clock@"), "{clock}");
    assert!(clock.contains("to wit/world.wit and \"clock\" to `grants` in plugin.toml.\n"), "{clock}");
    let keys = uses("listkeys", "storage");
    assert!(keys.contains("listkeys isn't in the interface that it is imported from"), "{keys}");
}

#[test]
fn new_projects_build_replies_with_the_sdks_files_and_the_examples_have_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk");
    for (language, own, file, built) in
        [("js", "javascript", "maro.js", "standup"), ("python", "python", "maro.py", "search")]
    {
        said(folder.path(), &["plugin", "new", own, "--lang", language]);
        let new = folder.path().join(own).join(file);
        let own = sdk.join(own).join(file);
        assert_eq!(fs::read_to_string(own).unwrap(), fs::read_to_string(new).unwrap());
        assert!(!example(built).join(file).exists());
    }
}

/// Makes a project, writes its source, and types commands.
fn run_source(folder: &Path, new: &[&str], source: (&str, &str), commands: &[&str]) -> String {
    said(folder, &[&["plugin", "new", "sample"], new].concat());
    fs::write(folder.join("sample").join(source.0), source.1).unwrap();
    let output = maro(folder, &[&["plugin", "run", "sample"], commands].concat());
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn time_and_chance_in_javascript_are_those_of_the_command() {
    if !has("npm") {
        return;
    }
    let source = "import { paragraph, toCaller } from './maro.js';
        const built = Date.now();
        export const command = {
          describe: () => ({ name: 'sample', version: '1', summary: 'Tell', usage: '' }),
          async run() {
            await new Promise((done) => setTimeout(done, 1));
            const told = [Date.now() - built, Math.random(), crypto.randomUUID(), performance.now()];
            return toCaller(paragraph(`told ${told}`));
          },
        };";
    let told = |granted: &[&str]| -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let new = [&["--lang", "js"], granted].concat();
        let shown = run_source(folder.path(), &new, ("plugin.js", source), &["", ""]);
        let lines = shown.lines().filter_map(|line| line.strip_prefix("told "));
        let lines: Vec<_> = lines.map(|line| line.split(',').map(str::to_owned).collect()).collect();
        assert_eq!(lines.len(), 2, "{shown}");
        lines
    };
    let granted = told(&["--with", "clock"]);
    for (at, value) in granted[0].iter().enumerate() {
        assert_ne!(value, &granted[1][at], "the same in two commands");
    }
    assert!(granted[0][0].parse::<u64>().unwrap() > 0, "later than the build: {granted:?}");
    let without = told(&[]);
    assert!(without[0][0].starts_with('-'), "the start of 1970 is earlier than the build: {without:?}");
    assert_ne!(without[0][2], without[1][2]);
}

#[test]
fn mistakes_in_javascript_are_told_with_place_and_cure() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = "import { add, get, set, setExpiring } from 'maro:plugin/storage@0.2.0';
import { button, date, items, paragraph, toCaller, usage } from './maro.js';
const mistakes = {
  nothing: () => {},
  payload: () => get('channel', ''),
  text: async () => { throw 'x'; },
  three: () => toCaller(paragraph(3)),
  count: () => toCaller(paragraph('Votes: ', add('channel', 'votes', 1n))),
  value: () => set('channel', 'key', 3),
  scope: () => get('chanel', 'key'),
  label: () => toCaller(paragraph('x'), { tag: 'buttons', val: [{ label: 3, command: 'x' }] }),
  format: () => toCaller(paragraph(date(3, 'agoo'))),
  items: () => toCaller(items(['a'])),
  answer: () => ({ votes: add('channel', 'votes', 1n) }),
  press: () => toCaller(paragraph(button('x'))),
  returned: () => usage('No.'),
};
export const command = {
  describe: () => ({ name: 'sample', version: '1', summary: 'Fail', usage: '' }),
  run: (typed) => mistakes[typed](),
};";
    let commands = [
        "nothing", "payload", "text", "three", "count", "value", "scope", "label", "format", "items",
        "answer", "press", "returned",
    ];
    let new = ["--lang", "js", "--with", "storage"];
    let shown = run_source(folder.path(), &new, ("plugin.js", source), &commands);
    for expected in [
        "✗ `run` in plugin.js returned nothing: return `toCaller(…)` or `toChannel(…)`.\n",
        "✗ An error from the host at plugin.js:5:21 wasn't caught: catch it and `throw passOn(error)`. It says: ",
        "✗ plugin.js threw the text \"x\": throw an `Error`, or what `usage('…')` or `failed('…')` returns.\n",
        "✗ It threw an exception at plugin.js:7:25: TypeError: 3 is neither a text nor a span: ",
        "✗ It threw an exception at plugin.js:8:25: TypeError: 1 is neither a text nor a span: ",
        "✗ It threw an exception at plugin.js:9:19: TypeError: storage.set: value is 3, and must be a text\n",
        "✗ It threw an exception at plugin.js:10:19: TypeError: storage.get: scope is the text \"chanel\", and must be one of channel, ",
        "✗ `run` in plugin.js returned what the host can't read: reply.blocks[1].val[0].label is 3, and must be a text.\n",
        "✗ It threw an exception at plugin.js:12:36: TypeError: \"agoo\" is no format of a date: choose from day, ",
        "✗ It threw an exception at plugin.js:13:25: TypeError: \"a\" isn't a list of texts and spans, as each line is",
        "✗ `run` in plugin.js returned {\"votes\":2}: return `toCaller(…)` or `toChannel(…)`.\n",
        "✗ It threw an exception at plugin.js:15:35: TypeError: undefined isn't a text: ",
        "✗ `run` in plugin.js returned `usage('…')`: throw it.\n",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let test = "import './plugin.js';";
    fs::write(folder.path().join("sample/answer.test.js"), test).unwrap();
    let told = complaint(folder.path(), &["plugin", "test", "sample"]);
    assert!(told.contains("Tests can't call what plugin.js imports from maro:plugin"), "{told}");
    for (source, expected) in [
        ("import ms from 'ms';", "Copy ms's files into the project"),
        ("const command = {};", "plugin.js must `export const command = { describe, run }`"),
        ("Math.random();", "Code outside `describe` and `run` runs once, while the plugin is built"),
    ] {
        fs::write(folder.path().join("sample/plugin.js"), source).unwrap();
        let told = complaint(folder.path(), &["plugin", "build", "sample"]);
        assert!(told.contains(expected), "{told}");
    }
}

/// What the tool takes without a word, and loses.
const LOST_IN_JAVASCRIPT: &str = "import { send } from 'maro:plugin/http@0.2.0';
import { isTracked, listTracked } from 'maro:plugin/tracker@0.2.0';
import { paragraph, toCaller } from './maro.js';
import { fail } from './lib/entry.js';
const ask = (more) => send({ method: 'get', url: 'https://api.example.com/', headers: [], ...more });
const late = async (word) => { await null; throw new RangeError(word); };
const mistakes = {
  pairs: () => ask({ headers: { a: 'b' } }),
  map: () => ask({ headers: new Map([['a', 'b']]) }),
  body: () => ask({ body: 'a text' }),
  misspelt: () => ask({ data: new Uint8Array(1) }),
  key: () => isTracked('SCRUM-1'),
  keys: () => isTracked(new Set(['SCRUM-1'])),
  below: () => listTracked(0, -1),
  half: () => listTracked(0.5, 1),
  missing: () => listTracked(0),
  alone: () => { late('left alone'); },
  each: () => { ['for each'].forEach(async (word) => late(word)); },
  timer: () => { setTimeout(() => { throw new RangeError('in a timer'); }, 1); },
  stuck: () => new Promise(() => {}),
  circle: () => { const one = {}; one.one = one; throw one; },
  deep: () => JSON.stringify(JSON.parse('['.repeat(3000) + ']'.repeat(3000))).length,
  getter: () => { const one = { get two() { return one.two; } }; return one.two; },
  lib: () => fail(),
  late: () => 'é'.normalize('NFD'),
  fine: () => isTracked(['SCRUM-123']),
};
export const command = {
  describe: () => ({ name: 'sample', version: '1', summary: 'Lose', usage: '' }),
  async run(typed) {
    return toCaller(paragraph(`told ${await mistakes[typed]()}`));
  },
};";

#[test]
fn nothing_that_javascript_passes_is_lost() {
    if !has("npm") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let new = ["--lang", "js", "--with", "http,tracker"];
    let commands = LOST_IN_JAVASCRIPT.split("const mistakes").nth(1).unwrap().lines();
    let commands =
        commands.filter_map(|line| line.strip_prefix("  ")?.split_once(": (").map(|(name, _)| name));
    let commands: Vec<_> = commands.take_while(|name| *name != "describe").collect();
    said(folder.path(), &[&["plugin", "new", "sample"], &new[..]].concat());
    fs::create_dir(folder.path().join("sample/lib")).unwrap();
    let thrown = "export const fail = () => { throw new RangeError('from the project'); };";
    fs::write(folder.path().join("sample/lib/entry.js"), thrown).unwrap();
    fs::write(folder.path().join("sample/plugin.js"), LOST_IN_JAVASCRIPT).unwrap();
    let output = maro(folder.path(), &[&["plugin", "run", "sample"], &commands[..]].concat());
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for (place, expected) in [
        ("5:27", "http.send: request.headers is {\"a\":\"b\"}, and must be a list of { name, value }"),
        ("5:27", "http.send: request.headers is a Map, {}, and must be a list of { name, value }"),
        ("5:27", "http.send: request.body is the text \"a text\", and must be bytes: `new TextEncoder()."),
        ("5:27", "http.send: request has `data`, and may only have method, url, headers, body\n"),
        ("12:23", "tracker.isTracked: keys is the text \"SCRUM-1\", and must be a list\n"),
        ("13:24", "tracker.isTracked: keys is a Set, {}, and must be a list\n"),
        ("14:27", "tracker.listTracked: limit is -1, and must be a whole number from 0 to 4294967295\n"),
        ("15:26", "tracker.listTracked: offset is 0.5, and must be a whole number\n"),
        ("16:29", "tracker.listTracked: limit is nothing, and must be a whole number\n"),
    ] {
        let expected = format!("✗ It threw an exception at plugin.js:{place}: TypeError: {expected}");
        assert!(shown.contains(&expected), "{expected}: {shown}");
    }
    for expected in [
        "  maro: A promise that nothing waits for at plugin.js:17:18 failed: RangeError: left alone\n",
        "  maro: A promise that nothing waits for at plugin.js:18:38 failed: RangeError: for each\n",
        "✗ It threw an exception at plugin.js:19:43: RangeError: in a timer\n",
        "✗ `run` in plugin.js waits for a promise that nothing settles any more.\n",
        "✗ plugin.js threw an object that contains itself: throw an `Error`, ",
        "✗ It threw an exception at plugin.js:22:20: InternalError: too much recursion\n",
        "✗ It threw an exception at plugin.js:23:",
        "✗ It threw an exception at entry.js:1:35: RangeError: from the project\n",
        "`normalize` does not exist in plugins: copy a package that does it into the project, such as unorm.\n",
        "✗ It threw an exception at plugin.js:25:19: Error: `normalize` doesn't exist in plugins: ",
        "/maro sample fine\n\ntold true\n",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

const MISTAKES_IN_PYTHON: &str = "from componentize_py_types import Err
from maro import button, date, paragraph, pass_on, to_caller, usage
from wit_world import exports
from wit_world.exports.command import Description
from wit_world.imports import http, storage
from wit_world.imports.reply import Block_Buttons, Button
from wit_world.imports.storage import set as store


class Command(exports.Command):
    def describe(self):
        return Description(\"sample\", \"1\", \"Fail\", \"\")

    def run(self, typed):
        if typed == \"import\":
            __import__(\"absent\")
        if typed == \"host\":
            storage.get(storage.Scope.CHANNEL, \"\")
        if typed == \"raise\":
            raise ValueError(\"oh no\")
        if typed == \"three\":
            return to_caller(paragraph(3))
        if typed == \"value\":
            store(storage.Scope.CHANNEL, \"key\", 3)
        if typed == \"scope\":
            storage.get(\"channel\", \"key\")
        if typed == \"header\":
            request = http.Request(http.Method.GET, \"https://api.example.com/\", [(\"a\", \"b\")], None)
            http.send(request=request)
        if typed == \"label\":
            return to_caller(paragraph(\"x\"), Block_Buttons([Button(3, \"x\", None)]))
        if typed == \"format\":
            return to_caller(paragraph(date(3, \"agoo\")))
        if typed == \"press\":
            return to_caller(paragraph(button(3, \"x\")))
        if typed == \"usage\":
            raise usage(3)
        if typed == \"file\":
            open(\"words.txt\")
        if typed == \"exit\":
            raise SystemExit
        if typed == \"socket\":
            import urllib.request
            urllib.request.urlopen(\"http://example.com/\")
        if typed == \"thread\":
            import threading
            threading.Thread(target=print).start()
        if typed == \"deep\":
            import json
            return to_caller(paragraph(str(len(json.loads(\"[\" * 3000 + \"]\" * 3000)))))
        if typed == \"itself\":
            def down(): return down()
            return down()
        if typed == \"shown\":
            value, other = [], []
            for _ in range(30000):
                value, other = [value], [other]
            return to_caller(paragraph(str(value == other)))
        if typed == \"brackets\":
            import json
            return to_caller(paragraph(str(len(json.loads('[\"' + \"[\" * 1998 + '\\\\\"[\"]')[0]))))
        if typed == \"fine\":
            storage.set_expiring(storage.Scope.PERSON, key=\"\\ud83d\", value=\"x\", seconds=60)
            keys = \" \".join(storage.list_keys(storage.Scope.PERSON, \"\"))
            return to_caller(paragraph(keys, \" \", date(0, \"day\")))
        try:
            raise usage(\"No.\")
        except Err as error:
            if typed == \"own\":
                raise pass_on(error)
        if typed == \"ask\":
            input(\"? \")
        if typed == \"returned\":
            return usage(\"No.\")
";

#[test]
fn mistakes_in_python_are_told_with_place_and_cure() {
    if !has("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |commands: &[&str]| {
        let output = maro(folder.path(), &[&["plugin", "run", "sample"], commands].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let new = ["--lang", "python", "--with", "storage,http"];
    let commands = ["own", "nothing", "host", "raise", "ask", "returned"];
    let shown = run_source(folder.path(), &new, ("plugin.py", MISTAKES_IN_PYTHON), &commands)
        + &run(&["three", "import", "value", "scope", "header", "label", "format", "press", "usage", "fine"])
        + &run(&["file", "exit", "socket", "thread", "deep", "itself", "shown", "brackets"]);
    for expected in [
        "✗ It raised an exception at plugin.py:24: TypeError: storage.set: value is 3, and must be a text\n",
        "✗ It raised an exception at plugin.py:26: TypeError: storage.get: scope is 'channel', and must be one of Scope.CHANNEL, ",
        "✗ It raised an exception at plugin.py:29: TypeError: http.send: request.headers[0] is ('a', 'b'), and must be a `Header`\n",
        "✗ `run` in plugin.py returned what the host can't read: reply.blocks[1].value[0].label is 3, and must be a text.\n",
        "✗ It raised an exception at plugin.py:33: TypeError: 'agoo' is no format of a date: choose from day, ",
        "✗ It raised an exception at plugin.py:35: TypeError: 3 isn't a text: ",
        "✗ plugin.py raised what the host can't read: Err.value is 3, and must be a text.\n",
        "/maro sample fine\n\n\u{fffd} Jan 1, 1970\n",
        "No such file or directory: 'words.txt' at plugin.py:39: plugins have no files while they run. ",
        "✗ SystemExit at plugin.py:41: nothing is shown if a command ends by itself. ",
        " at plugin.py:44: plugins have no sockets, ",
        "✗ can't start new thread at plugin.py:47: plugins have no threads: call the function itself.\n",
        "✗ RecursionError at plugin.py:50: the JSON is nested over 200 deep. Let functions call themselves less deeply",
        "✗ RecursionError at plugin.py:52: maximum recursion depth exceeded. Let functions call themselves less deeply",
        "✗ It ran out of stack in the interpreter's `list_richcompare`: let functions call themselves less deeply, and don't nest ",
        "/maro sample brackets\n\n2000\n",
        "/maro sample own\n\nNo.\n",
        "✗ It raised an exception at plugin.py:72: EOFError",
        "✗ `run` in plugin.py returned `usage(…)` or `failed(…)`: `raise` it.\n",
        "✗ `run` in plugin.py returned nothing: return `to_caller(…)` or `to_channel(…)`.\n",
        "✗ An error from the host at plugin.py:18 wasn't caught: catch `Err` and `raise pass_on(error)`. It says: ",
        "✗ It raised an exception at plugin.py:20: ValueError: oh no\n",
        "✗ It raised an exception at plugin.py:22: TypeError: 3 is neither a text nor a span: ",
        "✗ No module named 'absent' at plugin.py:16: a plugin has Python's own modules and the project's",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let test = "import unittest\nfrom plugin import Command\n\nclass Asks(unittest.TestCase):\n    \
                def test_it(self):\n        Command().run(\"host\")\n";
    fs::write(folder.path().join("sample/test_plugin.py"), test).unwrap();
    let told = complaint(folder.path(), &["plugin", "test", "sample"]);
    assert!(told.contains("Tests can't call storage.get because they run without a host"), "{told}");
    for (source, expected) in [
        ("import componentize_py", "`pip install --target . componentize_py` in the project's folder"),
        ("import ssl", "For requests, use MARO's `http`"),
        ("", "plugin.py must have a `class Command(exports.Command)` with `describe` and `run`"),
    ] {
        fs::write(folder.path().join("sample/plugin.py"), source).unwrap();
        let told = complaint(folder.path(), &["plugin", "build", "sample"]);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_component_where_cases_are_wanted_is_named_as_that() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hello.wasm"), b"\0asm").unwrap();
    let said = complaint(folder.path(), &["plugin", "test", "hello.wasm"]);
    assert!(said.contains("is neither a project nor a folder of recorded cases"), "{said}");
}
