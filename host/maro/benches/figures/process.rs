//! Servers as processes of their own: `maro serve` as an operator runs it, and the one without a sandbox.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use maro_simulation::jira::credentials::{API_TOKEN, EMAIL};

use crate::{
    load::{self, Connection},
    plain,
};

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

/// What a server stands on.
pub(crate) struct Site<'a> {
    /// As in `DATABASE_URL`.
    pub(crate) database: &'a str,
    pub(crate) jira: &'a str,
}

/// Nothing but an SQLite file in the server's own folder.
pub(crate) const ALONE: Site<'static> = Site { database: "sqlite://maro.db", jira: "http://127.0.0.1:9" };

impl Process {
    /// Starts `maro serve` with its database in `folder`, and asks it for a list until it answers.
    pub(crate) fn start(plugins: &Path, cache: &Path, folder: &Path) -> Self {
        Self::spawn(maro(plugins, cache, &ALONE), folder, |command| command.spawn().unwrap())
    }

    /// Starts a server that listens where `command` says, and asks it for a list until it answers.
    pub(crate) fn spawn(
        (address, mut command): (SocketAddr, Command),
        folder: &Path,
        spawn: impl FnOnce(&mut Command) -> Child,
    ) -> Self {
        let started = Instant::now();
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap());
        let child = spawn(&mut command);
        let mut process = Self { child, address, started_in: Duration::ZERO };
        process.wait_for_first_answer(started);
        process.started_in = started.elapsed();
        process
    }

    fn wait_for_first_answer(&mut self, started: Instant) {
        while std::net::TcpStream::connect(self.address).is_err() {
            assert!(started.elapsed() < START_TIMEOUT, "the server does not start");
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended");
            thread::sleep(PAUSE);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = Connection::open(self.address).await;
            // While plugins compile, a command is acknowledged without an answer once Slack would give up.
            while !connection
                .ask(&load::request("tracked", "C1"))
                .await
                .contains("No Jira issues are tracked")
            {
                assert!(started.elapsed() < START_TIMEOUT, "the server does not answer");
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

    /// The seconds of processor time that it has used, the kernel's for it included.
    pub(crate) fn computed(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name in parentheses may hold spaces. Times are in hundredths of a second for all programs.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        times.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `maro serve`, with the simulated Jira's account.
pub(crate) fn maro(plugins: &Path, cache: &Path, site: &Site<'_>) -> (SocketAddr, Command) {
    let address = free_address();
    let mut command = Command::new(env!("CARGO_BIN_EXE_maro"));
    command
        .arg("serve")
        .env("MARO_LISTEN", address.to_string())
        .env("DATABASE_URL", site.database)
        .env("MARO_PLUGINS_DIR", plugins)
        .env("MARO_CACHE_DIR", cache)
        .env("SLACK_SIGNING_SECRET", load::SIGNING_SECRET)
        .env("SLACK_BOT_TOKEN", "xoxb-bench")
        .env("SLACK_API_URL", "http://127.0.0.1:9/api")
        .env("JIRA_BASE_URL", site.jira)
        .env("JIRA_EMAIL", EMAIL)
        .env("JIRA_API_TOKEN", API_TOKEN);
    (address, command)
}

/// The server without a sandbox: this very program.
pub(crate) fn plain(site: &Site<'_>) -> (SocketAddr, Command) {
    let address = free_address();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([plain::ARGUMENT, &address.to_string(), site.database, site.jira]);
    (address, command)
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
