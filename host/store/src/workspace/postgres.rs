//! The memory of the workspace in PostgreSQL. All replicas have the same bot, so the last one to write is right.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    },
    workspace::{OwnWorkspace, WorkspaceMemory, columns, parse},
};

const REMEMBER: &str = concat!(
    "INSERT INTO slack_workspace (number, team_id, enterprise_id, is_enterprise_install, scopes, learned_at)
    SELECT 1, $1, $2, $3::integer, $4, $5::timestamptz WHERE ",
    in_time!("$6"),
    " ON CONFLICT (number) DO UPDATE
    SET team_id = excluded.team_id, enterprise_id = excluded.enterprise_id,
        is_enterprise_install = excluded.is_enterprise_install, scopes = excluded.scopes,
        learned_at = excluded.learned_at"
);

const RECALL: &str = "
    SELECT coalesce(json_agg(json_build_array(team_id, enterprise_id, is_enterprise_install, scopes)), '[]')::text
    FROM slack_workspace";

pub(crate) struct PostgresWorkspaceMemory {
    database: Arc<PostgresDatabase>,
}

impl PostgresWorkspaceMemory {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl WorkspaceMemory for PostgresWorkspaceMemory {
    async fn remember(&self, workspace: &OwnWorkspace, now: Timestamp) -> Result<(), DatabaseError> {
        let columns = columns(workspace, now);
        let statement =
            || columns.iter().fold(sqlx::query(REMEMBER), |query, column| query.bind(column.clone()));
        self.database.execute(Effect::Once, statement).await.map(drop)
    }

    async fn recall(&self) -> Result<Option<OwnWorkspace>, DatabaseError> {
        parse(&self.database.read(|| sqlx::query(RECALL)).await?)
    }
}
