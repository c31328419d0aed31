//! `maro serve` as a process of its own, as an operator runs it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::load::{self, Connection};

/// How often a starting process is asked.
const PAUSE: Duration = Duration::from_millis(1);

/// Longer than a hundred plugins take to compile.
const START_TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first right answer.
    pub(crate) started_in: Duration,
}

impl Process {
    /// Starts `maro serve` with its database in `folder`, and asks it for a list until it answers.
    pub(crate) fn start(plugins: &Path, cache: &Path, folder: &Path) -> Self {
        let address = free_address();
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_maro"))
            .arg("serve")
            .current_dir(folder)
            .env("MARO_LISTEN", address.to_string())
            .env("DATABASE_URL", "sqlite://maro.db")
            .env("MARO_PLUGINS_DIR", plugins)
            .env("MARO_CACHE_DIR", cache)
            .env("SLACK_SIGNING_SECRET", load::SIGNING_SECRET)
            .env("SLACK_BOT_TOKEN", "xoxb-bench")
            .env("SLACK_API_URL", "http://127.0.0.1:9/api")
            .env("JIRA_BASE_URL", "http://127.0.0.1:9")
            .env("JIRA_PAT", "unused")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut process = Self { child, address, started_in: Duration::ZERO };
        process.wait_for_first_answer(started);
        process.started_in = started.elapsed();
        process
    }

    fn wait_for_first_answer(&mut self, started: Instant) {
        while std::net::TcpStream::connect(self.address).is_err() {
            assert!(started.elapsed() < START_TIMEOUT, "maro serve does not start");
            assert!(self.child.try_wait().unwrap().is_none(), "maro serve ended");
            thread::sleep(PAUSE);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = Connection::open(self.address).await;
            let request = load::request("tracked", "C1");
            // While plugins compile, a command is acknowledged without an answer once Slack would give up.
            while !connection.ask(&request).await.contains("No Jira issues are tracked") {
                assert!(started.elapsed() < START_TIMEOUT, "maro serve does not answer");
            }
        });
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.map_or(f64::NAN, |kib| kib / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
