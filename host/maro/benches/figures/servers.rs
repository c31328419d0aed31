//! `maro serve` beside the server without a sandbox, on both databases, as an operator meets them: each a
//! process on a core of its own, one after the other; the load, Jira and PostgreSQL are on the other cores.
//!
//! Durability is the same on both sides: SQLite's log as MARO keeps it, and one PostgreSQL, which doesn't wait
//! for the disk, so that the servers' own work shows. On few cores the load is slower than a fast server:
//! then the requests a second say less than the processor time.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use maro_domain::issue::IssueKey;
use maro_process::secret::Secret;
use maro_simulation::jira::{faults::JiraFault, server::SimulatedJira};
use maro_store::{Stores, config::DatabaseConfig};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    cores::Cores,
    http::fill,
    load::{self, CONNECTIONS, Connection, Latencies, Work},
    postgres,
    process::{self, Process, Site},
    rounds::{Comparison, alternate, microseconds},
};

const ROUND: Duration = Duration::from_millis(700);

/// How long Jira takes where it is slow.
const JIRA_TAKES: Duration = Duration::from_millis(20);

/// What is asked for in Jira.
const KEYS: u32 = 5;

pub(crate) fn run(plugins: &Path) {
    let cores = Cores::divide();
    // The runtime of Jira has a thread of its own, and the load this one.
    let jira_runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let load = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let jira = jira_runtime.block_on(SimulatedJira::start(loopback, &CancellationToken::new())).unwrap();
    for number in 1..=KEYS {
        let key = IssueKey::parse(&format!("SCRUM-{number}")).unwrap();
        jira.add_issue(&key, &format!("User authentication flow, part {number}"), "In Progress");
    }
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let bench = Bench { plugins, cores, load, jira, folder: folder.path() };
    bench.compare("SQLite", &sqlite("plain.db"), &sqlite("maro.db"));
    let databases = bench.load.block_on(async {
        let plain = postgres::Database::new().await?;
        Some((plain, postgres::Database::new().await?))
    });
    if let Some((plain, maro)) = databases {
        bench.compare("PostgreSQL", &plain.url, &maro.url);
    }
}

struct Bench<'a> {
    plugins: &'a Path,
    cores: Cores,
    load: Runtime,
    jira: SimulatedJira,
    folder: &'a Path,
}

/// What one server did in one turn.
struct Turn {
    latencies: Latencies,
    /// Seconds of processor time of its own for each request.
    computed: f64,
}

impl Turn {
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
    }
}

impl Bench<'_> {
    fn compare(&self, name: &str, plain_database: &str, maro_database: &str) {
        let jira = self.jira.base_url().as_str();
        let site = |database| Site { database, jira };
        for database in [plain_database, maro_database] {
            self.load.block_on(prepare(database));
        }
        let start = |command, folder: &str| {
            let folder = self.folder.join(format!("{name}-{folder}"));
            std::fs::create_dir(&folder).unwrap();
            Process::spawn(command, &folder, |command| self.cores.spawn(command))
        };
        let plain = start(process::plain(&site(plain_database)), "plain");
        let cache = self.folder.join("cache");
        let maro = start(process::maro(self.plugins, &cache, &site(maro_database)), "maro");

        println!("{name:<26} requests a second: plain     MARO  ratio   own CPU: plain      MARO  ratio");
        for (row, work) in works() {
            self.load.block_on(assert_same_answers(&plain, &maro, &work));
            if row.contains("20 ms") {
                self.jira.set_fault(JiraFault::Slow(JIRA_TAKES));
            }
            self.throughput(row, &plain, &maro, &work);
            self.jira.clear_fault();
        }
        println!("{name:<26}    one connection, p99: plain     MARO  ratio   longest: plain      MARO");
        for (row, work) in works().into_iter().filter(|(row, _)| row.contains("10 rows") || *row == "track") {
            self.latency(row, &plain, &maro, &work);
        }
        let (plain, maro) = (plain.resident(), maro.resident());
        println!(
            "  {:<42} {plain:>7.1} {maro:>8.1} {:>6.2}",
            "resident memory after load, MiB",
            maro / plain
        );
        println!();
    }

    fn turn(&self, connections: u32, server: &Process, work: &Work) -> Turn {
        let before = server.computed();
        let latencies = self.load.block_on(load::run_on(connections, server.address, work, ROUND));
        let computed = (server.computed() - before) / latencies.len() as f64;
        Turn { latencies, computed }
    }

    fn throughput(&self, row: &str, plain: &Process, maro: &Process, work: &Work) {
        let turn = |server| self.turn(CONNECTIONS, server, work);
        let turns = alternate(|| turn(plain), || turn(maro));
        let rate = Comparison::of(&turns, |turn| turn.latencies.len() as f64 / ROUND.as_secs_f64());
        let cpu = Comparison::of(&turns, |turn| turn.computed);
        println!(
            "  {row:<42} {:>7.0} {:>8.0} {:>6.2} {:>16} {:>9} {:>6.2}",
            rate.plain,
            rate.sandboxed,
            rate.ratio,
            microseconds(cpu.plain),
            microseconds(cpu.sandboxed),
            cpu.ratio
        );
    }

    fn latency(&self, row: &str, plain: &Process, maro: &Process, work: &Work) {
        let turn = |server| self.turn(1, server, work);
        let turns = alternate(|| turn(plain), || turn(maro));
        let p99 = Comparison::of(&turns, |turn| turn.percentile(99));
        let longest = |of: fn(&(Turn, Turn)) -> &Turn| {
            turns.iter().map(|turns| of(turns).percentile(100)).fold(0.0, f64::max)
        };
        println!(
            "  {row:<38} {:>11} {:>8} {:>6.2} {:>16} {:>9}",
            microseconds(p99.plain),
            microseconds(p99.sandboxed),
            p99.ratio,
            microseconds(longest(|turns| &turns.0)),
            microseconds(longest(|turns| &turns.1)),
        );
    }
}

/// Makes the tables, with lists on them.
async fn prepare(url: &str) {
    let config = match url.strip_prefix("sqlite://") {
        Some(path) => DatabaseConfig::Sqlite { path: path.into() },
        None => DatabaseConfig::postgres(Secret::new(url)),
    };
    let stores = Stores::open(&config).await.unwrap();
    fill(&*stores.tracker, "C10", 10).await;
    fill(&*stores.tracker, "C200", 200).await;
    stores.close().await;
}

/// What is asked of both, by the names of the table.
fn works() -> Vec<(&'static str, Work)> {
    vec![
        ("tracked, 10 rows", load::work("tracked", "C10", "SCRUM-10>")),
        ("tracked, first page of 200", load::work("tracked", "C200", "Page 1 of 10")),
        ("track", track("track SCRUM-1", "SCRUM-1>: User")),
        (
            "track, 5 keys, Jira takes 20 ms",
            track("track SCRUM-1 SCRUM-2 SCRUM-3 SCRUM-4 SCRUM-5", "SCRUM-5>: User"),
        ),
        ("untrack, not tracked", load::work("untrack SCRUM-999", "C10", "is not tracked")),
        ("forged", forged()),
    ]
}

fn forged() -> Work {
    let request = load::signed_request("tracked", "C10", "another secret");
    Work { next: Arc::new(move || request.clone()), expected: "HTTP/1.1 401" }
}

/// Tracks for the first time, in one channel after another.
fn track(text: &'static str, expected: &'static str) -> Work {
    static CHANNELS: AtomicU32 = AtomicU32::new(0);
    let next = move || {
        let channel = CHANNELS.fetch_add(1, Ordering::Relaxed);
        load::request(text, &format!("CT{channel:08}"))
    };
    Work { next: Arc::new(next), expected }
}

async fn assert_same_answers(plain: &Process, maro: &Process, work: &Work) {
    let mut answers = Vec::new();
    for server in [plain, maro] {
        let mut connection = Connection::open(server.address).await;
        let answer = connection.ask(&(work.next)()).await;
        answers.push(answer.split_once("\r\n\r\n").unwrap().1.to_owned());
    }
    assert_eq!(answers[0], answers[1], "both must give the same answer");
}
