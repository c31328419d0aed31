//! The turns, with somebody who watches the calls.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    database::error::DatabaseError,
    jira_polls::{Coverage, JiraPolls, Turn},
    observer::Observed,
};

#[async_trait]
impl JiraPolls for Observed<dyn JiraPolls> {
    fn is_shared(&self) -> bool {
        self.table.is_shared()
    }

    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError> {
        self.watch("poll_turn", self.table.take_turn(interval)).await
    }

    async fn end_turn(&self, turn: Turn, is_gapless: bool) -> Result<(), DatabaseError> {
        self.watch("poll_end", self.table.end_turn(turn, is_gapless)).await
    }

    async fn coverage(&self) -> Result<Option<Coverage>, DatabaseError> {
        self.watch("poll_coverage", self.table.coverage()).await
    }

    async fn lead(&self, holder: i64, time: Duration) -> Result<bool, DatabaseError> {
        self.watch("poll_lead", self.table.lead(holder, time)).await
    }

    async fn resign(&self, holder: i64) -> Result<(), DatabaseError> {
        self.watch("poll_resign", self.table.resign(holder)).await
    }

    async fn may_sweep(&self, pace: Duration) -> Result<bool, DatabaseError> {
        self.watch("poll_sweep", self.table.may_sweep(pace)).await
    }
}
