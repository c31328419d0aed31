//! A trial of production: three replicas on a PostgreSQL with a standby, behind a balancer that lags, with people at
//! work and a Jira and a Slack that lose answers. Replicas are killed and stopped at random, and the standby takes
//! over. In the end, every change that was acknowledged is there, none that was refused is, and nothing is there
//! twice.
//!
//! It takes as long as `MARO_TRIAL_SECS` says, by default some seconds. See `.github/CONTRIBUTING.md`.

mod balancer;
mod ledger;
mod load;
mod verdict;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use maro_process::secret::Secret;
use maro_simulation::{jira::faults::JiraFault, slack::web_api::faults::SlackFault};
use maro_store::config::DatabaseConfig;
use tokio::{
    task::{block_in_place, spawn_blocking},
    time::sleep,
};
use url::Url;

use crate::{
    bot::key,
    postgres::Server,
    process::{
        Process, World,
        trial::{balancer::Balancer, ledger::Ledger},
    },
    raw::execute,
};

const WEBHOOK_SECRET: &str = "a webhook secret";

/// Longer than the balancer lags.
const DRAIN_SECS: &str = "2";

const REPLICAS: usize = 3;

/// After the keys of all issues that people of the trial make in Jira themselves.
const LAST_KEY: &str = "SCRUM-90000";

struct Trial {
    world: World,
    balancer: Balancer,
    ledger: Ledger,
    ends_at: Instant,
    primary: Server,
    standby: Server,
    /// Whether the app may read what was written in channels. Then a kill loses no message.
    reads_history: bool,
}

/// How often replicas were ended, and how.
#[derive(Debug, Default, Clone, Copy)]
struct Ended {
    killed: usize,
    stopped: usize,
}

impl Trial {
    /// `None` where there is no PostgreSQL.
    async fn new(length: Duration, seed: u64) -> Option<Self> {
        let primary = Server::start()?;
        let database = primary.database().await;
        let standby = primary.standby();
        let direct = DatabaseConfig::postgres(Secret::new(database.url.clone()));
        execute(&direct, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        execute(&direct, "SELECT pg_reload_conf()").await;
        let url = format!(
            "postgres://maro@{},{}/{}?target_session_attrs=read-write",
            primary.host(),
            standby.host(),
            database.name()
        );
        let mut world = World::new().await;
        let reads_history = seed.is_multiple_of(2);
        if reads_history {
            let scopes =
                ["commands", "chat:write", "channels:read", "groups:read", "im:read", "channels:history"];
            world.slack.grant_scopes(&scopes);
        }
        // What MARO creates gets keys after this one, so that no issue of the trial's own takes the place of one of
        // them.
        world.jira.add_issue(&key(LAST_KEY), "The last one", "Open");
        world.database = DatabaseConfig::postgres(Secret::new(url));
        let balancer = Balancer::start().await;
        let url = |path: &str| Url::parse(&format!("http://{}/{path}", balancer.address)).unwrap();
        world.slack.connect_bot(url("slack/commands"));
        world.jira.send_webhooks(url("jira/webhook"), Secret::new(WEBHOOK_SECRET)).unwrap();
        let (ledger, ends_at) = (Ledger::new(seed), Instant::now() + length);
        Some(Self { world, balancer, ledger, ends_at, primary, standby, reads_history })
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.ends_at
    }

    /// Starts a replica, and again if it finds no database that takes writes, as whatever keeps it running does.
    async fn start_replica(&self) -> (Process, usize) {
        loop {
            let mut command = self.world.command("serve");
            command
                .env("MARO_DRAIN_SECS", DRAIN_SECS)
                .env("MARO_SYNC_INTERVAL_SECS", "10")
                .env("JIRA_WEBHOOK_SECRET", WEBHOOK_SECRET);
            let process = Process::start(command);
            if let Some(url) = process.address_unless_it_ends().await {
                let address = url.socket_addrs(|| None).unwrap()[0];
                return (process, self.balancer.add(address));
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Ends one replica again and again, as long as others are ready, and starts it again.
    async fn keep_ending(&self, begins_at: Duration) -> (Ended, Process) {
        let mut ended = Ended::default();
        let (mut process, mut name) = self.start_replica().await;
        sleep(begins_at).await;
        while !self.is_over() {
            sleep(Duration::from_millis(1_000 + self.ledger.random(5_000))).await;
            if self.balancer.ready() < 2 {
                continue;
            }
            if self.ledger.random(2) == 0 {
                self.balancer.note_killed(name);
                block_in_place(|| drop(process));
                ended.killed += 1;
            } else {
                let code = spawn_blocking(|| process.stop()).await.unwrap();
                assert_eq!(code, Some(0), "a replica that was asked to stop");
                ended.stopped += 1;
            }
            self.balancer.note_gone(name);
            sleep(Duration::from_millis(self.ledger.random(1_500))).await;
            (process, name) = self.start_replica().await;
        }
        (ended, process)
    }

    /// Lets Jira lose answers, or give them late.
    async fn disturb_jira(&self) {
        while !self.is_over() {
            let fault = match self.ledger.random(5) {
                0 => Some(JiraFault::DoneThenReset),
                1 => Some(JiraFault::DoneThenStatus(504)),
                2 => Some(JiraFault::Slow(Duration::from_secs(4))),
                3 => Some(JiraFault::Status(503, None)),
                _ => None,
            };
            let path = ["/issue", "/issue/bulk", "/myself"][usize::try_from(self.ledger.random(3)).unwrap()];
            self.world.jira.set_next_faults_of(path, [fault]);
            sleep(Duration::from_millis(1_500 + self.ledger.random(2_000))).await;
        }
    }

    /// Lets Slack limit messages and take long over them, and lose answers where what it took can be found again.
    async fn disturb_slack(&self) {
        while !self.is_over() {
            let fault = match self.ledger.random(6) {
                0 => SlackFault::RateLimited { retry_after: 1 },
                1 => SlackFault::Slow(Duration::from_secs(2)),
                2 if self.reads_history => SlackFault::LostAnswer,
                3 if self.reads_history => SlackFault::Status(500),
                4 if self.reads_history => SlackFault::Reset,
                _ => SlackFault::Slow(Duration::from_millis(300)),
            };
            let method = ["chat.postMessage", "chat.postMessage", "chat.update"]
                [usize::try_from(self.ledger.random(3)).unwrap()];
            self.world.slack.set_next_faults(method, [Some(fault)]);
            sleep(Duration::from_millis(1_000 + self.ledger.random(2_500))).await;
        }
    }

    /// Amid all that, the primary fails and the standby takes over.
    async fn fail_over(&self) {
        let half = self.ends_at.saturating_duration_since(Instant::now()) / 2;
        sleep(half).await;
        block_in_place(|| self.primary.fail());
        sleep(Duration::from_millis(1_500)).await;
        block_in_place(|| self.standby.promote());
    }

    async fn people(&self) {
        tokio::join!(
            self.change_list("engineering", "ada", 30_000),
            self.change_list("random", "grace", 31_000),
            self.change_list("launch", "linus", 32_000),
            self.change_list("hiring", "margaret", 33_000),
            self.do_issues("general", "margaret"),
            self.create("engineering", "ada"),
            self.create("random", "grace"),
            self.create_stories("launch", "linus"),
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "it is no setting of MARO's")]
fn number(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().expect(variable))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_what_was_refused_is_not_and_nothing_is_there_twice() {
    let length = Duration::from_secs(number("MARO_TRIAL_SECS").unwrap_or(20));
    let seed = number("MARO_TRIAL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let Some(mut trial) = Trial::new(length, seed).await else { return };
    let replicas = (1..=REPLICAS).map(|turn| trial.keep_ending(Duration::from_secs(turn as u64)));
    let begin = async {
        crate::bot::until("a replica is ready", async || trial.balancer.ready() > 0).await;
        tokio::join!(trial.people(), trial.disturb_jira(), trial.disturb_slack(), trial.fail_over())
    };
    let (ended, _) = tokio::join!(join_all(replicas), begin);
    let (ended, _running): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    // A single server, for questions that aren't MARO's.
    let DatabaseConfig::Postgres(config) = &trial.world.database else { panic!("it is PostgreSQL") };
    let name = config.url.read().unwrap().expose().rsplit('/').next().unwrap().to_owned();
    let (name, _) = name.split_once('?').unwrap();
    trial.world.database = DatabaseConfig::postgres(Secret::new(trial.standby.existing(name).url));
    let sum = |count: fn(&Ended) -> usize| ended.iter().map(count).sum::<usize>();
    let header = format!(
        "{} s, seed {seed}: {} kills, {} stops, one failover, {} right to read history",
        length.as_secs(),
        sum(|ended| ended.killed),
        sum(|ended| ended.stopped),
        if trial.reads_history { "with the" } else { "without the" }
    );
    trial.judge(&header, sum(|ended| ended.killed)).await;
}
