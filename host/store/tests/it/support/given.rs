//! What the tests of the tables start from: an empty database of either kind, and a way round it.

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use maro_domain::{
    author::Author,
    ids::{ChannelId, UserId},
    issue::{Issue, IssueId, IssueKey},
    tracked::{PageRequest, Source, TrackOutcome, TrackedIssue},
};
use maro_process::secret::Secret;
use maro_store::{
    Stores,
    audit::{Entry, Noted},
    config::DatabaseConfig,
    database::error::DatabaseError,
    tracker::{
        ChannelIssueTracker, TrackRequest,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
};

use crate::support::{
    lossy_route::LossyRoute,
    postgres,
    raw::{execute, query, try_execute},
};

/// The list comes first, so that the session does not end itself.
const END_ALL_SESSIONS: &str = "
    WITH other AS MATERIALIZED (
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
    SELECT pid::text FROM other WHERE pg_terminate_backend(pid)";

/// Runs each claim, a function that takes a [`Given`], on both databases.
macro_rules! on_both_databases {
    ($($claim:ident,)+) => {
        mod sqlite {
            use super::Given;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    let given = Given::sqlite().await;
                    super::$claim(&given).await;
                    given.close().await;
                }
            )+
        }

        mod postgres {
            use super::Given;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    let Some(given) = Given::postgres().await else { return };
                    super::$claim(&given).await;
                    given.close().await;
                }
            )+
        }
    };
}

pub(crate) use on_both_databases;

/// An empty database, and what stands on it.
pub(crate) struct Given {
    pub(crate) stores: Stores,
    pub(crate) config: DatabaseConfig,
    _folder: Option<tempfile::TempDir>,
}

impl Deref for Given {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.stores
    }
}

impl Given {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = DatabaseConfig::Sqlite { path: folder.path().join("maro.db") };
        Self { _folder: Some(folder), ..Self::open(config).await }
    }

    /// `None` where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        let database = postgres::Database::new().await?;
        Some(Self::on(database).await)
    }

    /// On the PostgreSQL at a URL.
    pub(crate) async fn at(url: Secret) -> Self {
        Self::open(DatabaseConfig::postgres(url)).await
    }

    pub(crate) async fn on(database: postgres::Database) -> Self {
        Self::open(DatabaseConfig::postgres(Secret::new(database.url))).await
    }

    /// On PostgreSQL, by a way on which answers can be lost.
    pub(crate) async fn on_lossy_postgres() -> Option<(Self, LossyRoute)> {
        let route = LossyRoute::to(&postgres::Database::new().await?).await;
        let given = Self::open(DatabaseConfig::postgres(route.url.clone())).await;
        Some((given, route))
    }

    async fn open(config: DatabaseConfig) -> Self {
        Self { stores: Stores::open(&config).await.unwrap(), config, _folder: None }
    }

    /// The same database, as a second replica opens it. One process at most has an SQLite file, so there it's
    /// another caller in the same process.
    pub(crate) async fn replica(&self) -> Replica {
        let is_own = matches!(self.config, DatabaseConfig::Postgres(_));
        let stores = if is_own { self.open_again().await } else { self.stores.clone() };
        Replica { stores, is_own }
    }

    /// The same database, as it's opened after a restart.
    pub(crate) async fn open_again(&self) -> Stores {
        Stores::open(&self.config).await.unwrap()
    }

    pub(crate) async fn execute(&self, statement: &str) {
        execute(&self.config, statement).await;
    }

    /// What the database says if it refuses a statement.
    pub(crate) async fn try_execute(&self, statement: &str) -> Result<(), String> {
        try_execute(&self.config, statement).await
    }

    pub(crate) fn is_on_postgres(&self) -> bool {
        matches!(self.config, DatabaseConfig::Postgres(_))
    }

    pub(crate) async fn query(&self, statement: &str) -> Vec<String> {
        query(&self.config, statement).await
    }

    /// Ends the bot's sessions in PostgreSQL, and waits until they are gone.
    pub(crate) async fn end_all_sessions(&self) {
        while !self.query(END_ALL_SESSIONS).await.is_empty() {}
    }

    pub(crate) async fn track(&self, channel_id: &str, issues: &[Issue], second: i64) -> Vec<TrackOutcome> {
        track(&*self.tracker, channel_id, issues, second).await
    }

    /// The whole list of a channel.
    pub(crate) async fn list(&self, channel_id: &str) -> Vec<TrackedIssue> {
        let page = PageRequest { offset: 0, limit: 1_000_000 };
        self.tracker.get_tracked_issues(&channel(channel_id), page).await.unwrap().issues
    }

    /// The keys of a channel's list.
    pub(crate) async fn keys(&self, channel_id: &str) -> Vec<String> {
        self.list(channel_id).await.into_iter().map(|issue| issue.key.to_string()).collect()
    }
}

/// A second replica.
pub(crate) struct Replica {
    stores: Stores,
    /// Whether it has its own connections.
    is_own: bool,
}

impl Deref for Replica {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.stores
    }
}

impl Replica {
    pub(crate) async fn close(&self) {
        if self.is_own {
            self.stores.close().await;
        }
    }
}

/// Jira's answers to questions for keys.
pub(crate) trait Sync {
    async fn sync(
        &self,
        answers: &[(IssueKey, Option<Issue>)],
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError>;
}

impl Sync for dyn ChannelIssueTracker {
    async fn sync(
        &self,
        answers: &[(IssueKey, Option<Issue>)],
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError> {
        let answers = answers.iter().cloned().map(|(key, issue)| IssueAnswer::to(key, issue));
        self.record(JiraAnswers::new(answers.collect(), asked_at)).await
    }
}

pub(crate) async fn track(
    tracker: &dyn ChannelIssueTracker,
    channel_id: &str,
    issues: &[Issue],
    second: i64,
) -> Vec<TrackOutcome> {
    let (channel, user) = (channel(channel_id), user("U1"));
    let request = TrackRequest { author: &Author::host(&channel, &user), source: Source::Command };
    tracker.track(request, issues, at(second)).await.unwrap()
}

/// MARO itself, for a person in a channel.
pub(crate) fn author(channel_id: &str, user_id: &str) -> Author {
    Author::host(&channel(channel_id), &user(user_id))
}

/// What the log says of a change that doesn't matter.
pub(crate) fn noted(author: &Author) -> Noted<'_> {
    Noted {
        author,
        entry: Entry { action: "storage set", subject: "channel key", outcome: "done" },
        at: at(0),
    }
}

pub(crate) fn channel(id: &str) -> ChannelId {
    ChannelId::parse(id).unwrap()
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub(crate) fn key(key: &str) -> IssueKey {
    IssueKey::parse(key).unwrap()
}

/// An open issue whose id is not its number.
pub(crate) fn issue(id: u32, key: &str) -> Issue {
    described(id, key, &format!("Summary of {key}"), "Open")
}

pub(crate) fn described(id: u32, key: &str, summary: &str, status: &str) -> Issue {
    Issue::new(IssueId::new(id.to_string()), self::key(key), summary, status)
}

/// A moment, in seconds after the tests' first.
pub(crate) fn at(second: i64) -> Timestamp {
    "2026-01-31T09:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}
