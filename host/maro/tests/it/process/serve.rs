//! `maro serve` from its start to its end.

use std::{
    fs,
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
};

use maro_process::{
    http::client::{self, ClientOptions, Trust},
    secret::Secret,
};

use crate::{
    handwritten_components::{Guest, bomb, large, of_functions, slow},
    plugin_changes::put,
    process::{Process, World},
};

/// A bot that says a lot.
async fn talkative() -> (World, Process) {
    let world = World::new().await;
    let mut command = world.command("serve");
    command.env("MARO_LOG", "debug");
    (world, Process::start(command))
}

#[tokio::test]
async fn the_bot_serves_on_when_nobody_reads_its_log_any_more() {
    let (_world, mut process) = talkative().await;
    let address = process.address().await;
    process.close_log();
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    for _ in 0..3 {
        // That this is refused would be logged.
        let request = client.post(address.join("slack/commands").unwrap()).body("text=tracked");
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(process.stop(), Some(0));
}

#[tokio::test]
async fn a_start_is_stopped_without_force() {
    let (_world, process) = talkative().await;
    process.logged("starting").await;
    assert_eq!(process.stop(), Some(0));
}

/// A bot that listens, and is busy with its plugins for a while.
async fn compiling() -> (World, Process) {
    let world = World::new().await;
    for number in 0..4 {
        put(world.plugins.path(), &format!("large-{number}.wasm"), &large(number));
    }
    let mut command = world.command("serve");
    command.env("MARO_CACHE_DIR", world.folder.path().join("cache"));
    let process = Process::start(command);
    process.logged("listening").await;
    (world, process)
}

#[tokio::test]
async fn a_bot_whose_plugins_are_still_loading_is_alive_and_not_ready() {
    let (_world, process) = compiling().await;
    let address = process.address().await;
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    for (path, status, text) in [("readyz", 503, "plugins are loading"), ("healthz", 200, "ok\n")] {
        let response = client.get(address.join(path).unwrap()).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let shown = response.text().await.unwrap();
        assert!(shown.starts_with(text), "{shown}");
    }
    assert_eq!(process.stop(), Some(0));
}

#[tokio::test]
async fn a_command_that_comes_before_its_plugin_waits_a_moment_or_says_that_it_is_loading() {
    let mut world = World::new().await;
    let mut command = world.command("serve");
    // Nothing is compiled yet.
    command.env("MARO_CACHE_DIR", world.folder.path().join("cache"));
    let process = Process::start(command);
    world.serve(process).await;
    let help = world.say("/maro help").await;
    assert!(help.contains("/maro create"), "{help}");
    loop {
        let shown = world.say("/maro tracked").await;
        if shown.starts_with("No Jira issues are tracked") {
            break;
        }
        assert_eq!(shown, "/maro tracked is still loading. Try again in a moment.");
    }
}

/// The processes of this program's compiler that `process` has started.
fn compilers(process: &Process) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.child.id())).unwrap();
    let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|line| line.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    let compiles = |id: &u32| {
        let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        command.contains("compile-component")
    };
    children.into_iter().filter(compiles).collect()
}

#[tokio::test]
async fn a_compiler_that_was_killed_is_named_and_the_plugin_is_tried_again() {
    let mut world = World::new().await;
    let mut command = world.command("serve");
    // MARO's own come from the cache.
    put(world.plugins.path(), "wat.wasm", &slow(std::process::id()));
    command.env("MARO_LOG", "info");
    let process = Process::start(command);
    let killing = async {
        loop {
            if let Some(id) = compilers(&process).first() {
                return Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    assert!(killing.await.success());
    process
        .logged(
            "plugin wat.wasm couldn't be loaded: its compiler was killed (signal 9) before it was done, perhaps because \
             memory ran out. MARO will try again",
        )
        .await;
    world.serve(process).await;
    while world.say("/maro wat").await != "1a" {}
    let list = world.say("/maro plugins").await;
    assert!(!list.contains("killed"), "{list}");
}

#[tokio::test]
async fn a_compiler_at_work_does_not_keep_the_process() {
    let (_world, process) = compiling().await;
    let log = process.log.clone();
    assert_eq!(process.stop(), Some(0));
    let is_ready = log.borrow().iter().any(|entry| entry["message"] == "ready");
    assert!(!is_ready, "it has waited for the compiler");
}

#[tokio::test]
async fn what_no_compiler_can_bear_is_refused_and_harms_nobody() {
    let world = World::new().await;
    let bomb = bomb();
    put(world.plugins.path(), "bomb.wasm", &bomb);
    put(world.plugins.path(), "wat.wasm", &Guest::default().component());
    let process = Process::start(world.command("serve"));
    let mib = 1024 + (64 * bomb.len()).div_ceil(1024 * 1024);
    let expected = format!(
        "plugin bomb.wasm couldn't be loaded: it takes over {mib} MiB of memory to compile: a normal plugin build \
         doesn't"
    );
    process.logged(&expected).await;
    process.logged("ready").await;
    let served = process.log.borrow().iter().any(|entry| entry["plugin"] == "wat");
    assert!(served, "it does not serve either");
    assert_eq!(process.stop(), Some(0));
}

#[tokio::test]
async fn little_memory_is_named_where_it_is_too_little_to_compile() {
    let world = World::new().await;
    put(world.plugins.path(), "bomb.wasm", &bomb());
    let mut command = world.command("serve");
    command.env("MARO_CACHE_DIR", world.folder.path().join("cache")).env("MARO_PLUGIN_MEMORY_MIB", "256");
    let process = Process::start(command);
    process
        .logged(
            "plugin bomb.wasm couldn't be loaded: MARO_PLUGIN_MEMORY_MIB is too small to compile it: it allows 256 MiB, \
             and compiling takes more. Raise it",
        )
        .await;
    // It is enough for MARO's own.
    process.logged("ready").await;
    let loaded = process.log.borrow().iter().filter(|entry| entry["message"] == "plugin loaded").count();
    assert_eq!(loaded, 3 + 1, "with the fixture");
    assert_eq!(process.stop(), Some(0));
}

/// Compiles in the process that is there for it: how that ended, and what was written.
fn compile(component: &[u8], memory_mib: u32, cpu_seconds: u32) -> (std::process::ExitStatus, Vec<u8>) {
    let mut compiler = Command::new(env!("CARGO_BIN_EXE_maro"))
        .args(["compile-component", "--memory-mib", &memory_mib.to_string()])
        .args(["--cpu-seconds", &cpu_seconds.to_string(), "--has-pool"])
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .env("RAYON_NUM_THREADS", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all(component).unwrap();
    let output = compiler.wait_with_output().unwrap();
    (output.status, output.stdout)
}

#[test]
fn the_compiler_ends_when_its_time_is_up() {
    let (status, _) = compile(&of_functions(1, 30_000), 4096, 1);
    assert_eq!(status.signal(), Some(rustix::process::Signal::XCPU.as_raw()));
    let (status, code) = compile(&Guest::default().component(), 4096, 60);
    assert!(status.success() && code.len() > 1024);
    let (status, reason) = compile(b"\0asm\x0d\0\x01\0?", 4096, 60);
    assert_eq!(status.code(), Some(3));
    assert!(String::from_utf8(reason).unwrap().contains("unexpected end"));
}

/// What runs out first, Rust's own collections or the compiler's, differs from time to time.
#[test]
fn the_compiler_ends_in_one_way_when_its_memory_is_used_up() {
    let bomb = bomb();
    for _ in 0..16 {
        let (status, _) = compile(&bomb, 448, 60);
        assert_eq!(status.signal(), Some(rustix::process::Signal::ABORT.as_raw()), "{status}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_compiler_gains_no_rights_before_it_has_read_anything() {
    let mut compiler = Command::new(env!("CARGO_BIN_EXE_maro"))
        .args(["compile-component", "--memory-mib", "4096", "--cpu-seconds", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", compiler.id());
    crate::bot::until("it has no new rights", async || {
        std::fs::read_to_string(&status).unwrap().contains("NoNewPrivs:\t1")
    })
    .await;
    compiler.stdin.take().unwrap().write_all(&Guest::default().component()).unwrap();
    let output = compiler.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.len() > 1024);
}

#[tokio::test]
async fn a_webhooks_words_are_in_no_line_of_the_log() {
    use maro_jira::webhooks::signature::{SIGNATURE_HEADER, sign};

    let mut world = World::new().await;
    let mut command = world.command("serve");
    command.env("MARO_LOG", "trace").env("JIRA_WEBHOOK_SECRET", "a webhook secret");
    let process = Process::start(command);
    let address = process.address().await;
    let log = process.log.clone();
    world.serve(process).await;
    world.say("/maro track SCRUM-123").await;
    let client = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    for issue in [
        r#"{"id":"1","key":"SCRUM-123","fields":{"summary":"Sale of the quay"}}"#,
        r#"{"id":"1","key":"Sale of the quay","fields":{"summary":"Sale of the quay"}}"#,
        r#"{"id":["Sale of the quay"],"key":"SCRUM-123"}"#,
        r#"{"id":"1","key":"SCRUM-123","Sale of the quay"#,
    ] {
        let body = format!(r#"{{"webhookEvent":"jira:issue_updated","issue":{issue}}}"#);
        let signature = sign(&Secret::new("a webhook secret"), body.as_bytes());
        let request = client.post(address.join("jira/webhook").unwrap()).header(SIGNATURE_HEADER, signature);
        request.body(body).send().await.unwrap();
    }
    assert_eq!(world.process.take().unwrap().stop(), Some(0));
    let log = log.borrow().iter().map(ToString::to_string).collect::<String>();
    assert!(log.contains("a signed request is malformed"));
    assert!(!log.contains("Sale of the quay"), "{log}");
}
