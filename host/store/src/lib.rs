//! What MARO keeps, on SQLite and PostgreSQL: one module a table.

pub mod audit;
pub mod channels;
pub mod claim_renewal;
pub mod claimed_notices;
pub mod config;
pub mod database;
pub mod freshness;
pub mod intents;
pub mod issue_fields;
pub mod jira_polls;
pub mod notices;
pub mod observer;
pub mod plugin_storage;
pub mod plugin_switches;
pub mod tracker;
pub mod webhooks;
pub mod workspace;

use std::sync::Arc;

use crate::{
    audit::{AuditLog, postgres::PostgresAuditLog, sqlite::SqliteAuditLog},
    channels::{ChannelBook, postgres::PostgresChannelBook, sqlite::SqliteChannelBook},
    claimed_notices::{NoticeClaims, postgres::PostgresNoticeClaims, sqlite::SqliteNoticeClaims},
    config::DatabaseConfig,
    database::{Database, inspection::PoolStatus},
    freshness::{Freshness, postgres::PostgresFreshness, sqlite::SqliteFreshness},
    intents::{Intents, postgres::PostgresIntents, sqlite::SqliteIntents},
    issue_fields::{IssueFields, postgres::PostgresIssueFields, sqlite::SqliteIssueFields},
    jira_polls::{JiraPolls, postgres::PostgresJiraPolls, sqlite::SqliteJiraPolls},
    notices::{Notices, postgres::PostgresNotices, sqlite::SqliteNotices},
    observer::{CallObserver, Observed},
    plugin_storage::{PluginStorage, postgres::PostgresPluginStorage, sqlite::SqlitePluginStorage},
    plugin_switches::{PluginSwitches, postgres::PostgresPluginSwitches, sqlite::SqlitePluginSwitches},
    tracker::{ChannelIssueTracker, postgres::PostgresTracker, sqlite::SqliteTracker},
    webhooks::{WebhookQueue, postgres::PostgresWebhookQueue, sqlite::SqliteWebhookQueue},
    workspace::{WorkspaceMemory, postgres::PostgresWorkspaceMemory, sqlite::SqliteWorkspaceMemory},
};

/// Everything that MARO keeps, in one open database. The one who opens it also closes it.
#[derive(Clone)]
pub struct Stores {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub intents: Arc<dyn Intents>,
    pub plugin_storage: Arc<dyn PluginStorage>,
    pub plugin_switches: Arc<dyn PluginSwitches>,
    pub claimed_notices: Arc<dyn NoticeClaims>,
    pub workspace: Arc<dyn WorkspaceMemory>,
    pub channels: Arc<dyn ChannelBook>,
    pub audit: Arc<dyn AuditLog>,
    pub notices: Arc<dyn Notices>,
    pub issue_fields: Arc<dyn IssueFields>,
    pub jira_polls: Arc<dyn JiraPolls>,
    pub freshness: Arc<dyn Freshness>,
    pub webhooks: Arc<dyn WebhookQueue>,
    database: Database,
}

impl Stores {
    /// Connects and brings the tables to the current schema. If several replicas start at once, one does the
    /// work and the others wait.
    ///
    /// # Errors
    /// One sentence for the operator, without the password. The source chain has what the database said.
    pub async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Ok(Self::on(Database::open(config).await?))
    }

    /// The tables of an open database.
    pub fn on(database: Database) -> Self {
        match &database {
            Database::Sqlite(file) => Self {
                tracker: Arc::new(SqliteTracker::new(Arc::clone(file))),
                intents: Arc::new(SqliteIntents::new(Arc::clone(file))),
                plugin_storage: Arc::new(SqlitePluginStorage::new(Arc::clone(file))),
                plugin_switches: Arc::new(SqlitePluginSwitches::new(Arc::clone(file))),
                claimed_notices: Arc::new(SqliteNoticeClaims::new(file)),
                workspace: Arc::new(SqliteWorkspaceMemory::new(Arc::clone(file))),
                channels: Arc::new(SqliteChannelBook::new(Arc::clone(file))),
                audit: Arc::new(SqliteAuditLog::new(Arc::clone(file))),
                notices: Arc::new(SqliteNotices::new(Arc::clone(file))),
                issue_fields: Arc::new(SqliteIssueFields::new(Arc::clone(file))),
                jira_polls: Arc::new(SqliteJiraPolls::new(Arc::clone(file))),
                freshness: Arc::new(SqliteFreshness::new(Arc::clone(file))),
                webhooks: Arc::new(SqliteWebhookQueue::new(file)),
                database,
            },
            Database::Postgres(pool) => Self {
                tracker: Arc::new(PostgresTracker::new(Arc::clone(pool))),
                intents: Arc::new(PostgresIntents::new(Arc::clone(pool))),
                plugin_storage: Arc::new(PostgresPluginStorage::new(Arc::clone(pool))),
                plugin_switches: Arc::new(PostgresPluginSwitches::new(Arc::clone(pool))),
                claimed_notices: Arc::new(PostgresNoticeClaims::new(Arc::clone(pool))),
                workspace: Arc::new(PostgresWorkspaceMemory::new(Arc::clone(pool))),
                channels: Arc::new(PostgresChannelBook::new(Arc::clone(pool))),
                audit: Arc::new(PostgresAuditLog::new(Arc::clone(pool))),
                notices: Arc::new(PostgresNotices::new(Arc::clone(pool))),
                issue_fields: Arc::new(PostgresIssueFields::new(Arc::clone(pool))),
                jira_polls: Arc::new(PostgresJiraPolls::new(Arc::clone(pool))),
                freshness: Arc::new(PostgresFreshness::new(Arc::clone(pool))),
                webhooks: Arc::new(PostgresWebhookQueue::new(Arc::clone(pool))),
                database,
            },
        }
    }

    /// The same tables, with somebody who watches their calls.
    #[must_use]
    pub fn observed_by(&self, observer: &Arc<dyn CallObserver>) -> Self {
        Self {
            tracker: Arc::new(Observed { table: self.tracker.clone(), observer: observer.clone() }),
            intents: Arc::new(Observed { table: self.intents.clone(), observer: observer.clone() }),
            plugin_storage: Arc::new(Observed {
                table: self.plugin_storage.clone(),
                observer: observer.clone(),
            }),
            plugin_switches: Arc::new(Observed {
                table: self.plugin_switches.clone(),
                observer: observer.clone(),
            }),
            claimed_notices: Arc::new(Observed {
                table: self.claimed_notices.clone(),
                observer: observer.clone(),
            }),
            workspace: Arc::new(Observed { table: self.workspace.clone(), observer: observer.clone() }),
            channels: Arc::new(Observed { table: self.channels.clone(), observer: observer.clone() }),
            audit: Arc::new(Observed { table: self.audit.clone(), observer: observer.clone() }),
            notices: Arc::new(Observed { table: self.notices.clone(), observer: observer.clone() }),
            issue_fields: Arc::new(Observed { table: self.issue_fields.clone(), observer: observer.clone() }),
            jira_polls: Arc::new(Observed { table: self.jira_polls.clone(), observer: observer.clone() }),
            freshness: Arc::new(Observed { table: self.freshness.clone(), observer: observer.clone() }),
            webhooks: Arc::new(Observed { table: self.webhooks.clone(), observer: observer.clone() }),
            database: self.database.clone(),
        }
    }

    /// The connections of this replica. `None` for SQLite, which has no pool.
    pub fn connections(&self) -> Option<PoolStatus> {
        self.database.connections()
    }

    /// Finishes running calls and closes the connections. Later calls fail as unavailable.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
