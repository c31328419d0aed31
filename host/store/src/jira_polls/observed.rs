//! The turns, with somebody who watches the calls.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    database::error::DatabaseError,
    jira_polls::{JiraPolls, Turn},
    observer::Observed,
};

#[async_trait]
impl JiraPolls for Observed<dyn JiraPolls> {
    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError> {
        self.watch("poll_turn", self.table.take_turn(interval)).await
    }

    async fn end_turn(&self, turn: Turn) -> Result<(), DatabaseError> {
        self.watch("poll_end", self.table.end_turn(turn)).await
    }
}
