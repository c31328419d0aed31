//! `maro serve` from its start to its end.

use reqwest::Client;

use crate::{
    guests::large,
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
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
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

#[tokio::test]
async fn a_compiler_at_work_does_not_keep_the_process() {
    let world = World::new().await;
    for number in 0..4 {
        put(world.plugins.path(), &format!("large-{number}.wasm"), &large(number));
    }
    let mut command = world.command("serve");
    command.env("MARO_CACHE_DIR", world.folder.path().join("cache"));
    let process = Process::start(command);
    process.logged("listening").await;
    let log = process.log.clone();
    assert_eq!(process.stop(), Some(0));
    let is_ready = log.borrow().iter().any(|entry| entry["message"] == "ready");
    assert!(!is_ready, "it has waited for the compiler");
}
