//! `maro serve` from its start to its end.

use reqwest::Client;

use crate::process::{Process, World};

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
