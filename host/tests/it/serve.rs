//! `maro serve` as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use reqwest::Client;
use serde_json::Value;

/// A `maro serve` without plugins, on a free port.
struct Process {
    child: Child,
    /// Empty if it does not listen yet.
    address: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts it, and reads its log until it says `message`. The second value is the rest of the log.
    fn start(folder: &Path, message: &str) -> (Self, BufReader<ChildStderr>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_maro"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("MARO_LISTEN", "127.0.0.1:0")
            .env("MARO_PLUGINS_DIR", folder)
            .env("MARO_LOG", "debug")
            .env("SLACK_SIGNING_SECRET", "a signing secret")
            .env("SLACK_BOT_TOKEN", "xoxb-test")
            .env("JIRA_BASE_URL", "http://127.0.0.1:1")
            .env("JIRA_PAT", "token")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the process has ended");
            let entry: Value = serde_json::from_str(&line).unwrap();
            if entry["message"] == message {
                break entry["address"].as_str().unwrap_or_default().to_owned();
            }
        };
        (Self { child, address }, log)
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self) -> Option<i32> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code()
    }
}

#[tokio::test]
async fn the_bot_serves_on_when_nobody_reads_its_log_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (process, log) = Process::start(folder.path(), "listening");
    drop(log);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    for _ in 0..3 {
        // That this is refused would be logged.
        let request = client.post(format!("http://{}/slack/commands", process.address)).body("text=tracked");
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn a_start_is_stopped_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let (process, _log) = Process::start(folder.path(), "starting");
    assert_eq!(process.stop(), Some(0));
}
