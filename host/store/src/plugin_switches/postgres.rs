//! The switches in PostgreSQL. Other replicas may write to them at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::{
        author_and_request::Stamp,
        postgres::replay_guard::{note_one, outcome, stamped},
    },
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    },
    plugin_switches::{
        PluginSwitches, RollBack, Switch,
        stored::{parse_all, parse_roll_backs},
    },
};
use maro_domain::author::Author;

const DISABLE: &str = concat!(
    "WITH switched AS (
        INSERT INTO plugin_switches AS switch (plugin_name, disabled_by, disabled_at)
        SELECT $10, $6, $3::text::timestamptz WHERE ",
    in_time!("$11"),
    " ON CONFLICT (plugin_name, team_id, site_id) DO UPDATE
        SET disabled_by = excluded.disabled_by, disabled_at = excluded.disabled_at,
            enabled_by = NULL, enabled_at = NULL
        WHERE switch.enabled_at IS NOT NULL
        RETURNING plugin_name), noted AS (",
    note_one!("'plugin disable'", "plugin_name", "'done'", "switched"),
    ")",
    outcome!()
);

const ENABLE: &str = concat!(
    "WITH switched AS (
        UPDATE plugin_switches SET enabled_by = $6, enabled_at = $3::text::timestamptz
        WHERE plugin_name = $10 AND enabled_at IS NULL AND ",
    in_time!("$11"),
    " RETURNING plugin_name), noted AS (",
    note_one!("'plugin enable'", "plugin_name", "'done'", "switched"),
    ")",
    outcome!()
);

const DISABLED: &str = "
    SELECT coalesce(json_agg(json_build_array(plugin_name, disabled_by,
        (extract(epoch FROM disabled_at) * 1000000)::bigint) ORDER BY plugin_name), '[]')::text
    FROM plugin_switches WHERE enabled_at IS NULL";

const ROLL_BACK: &str = concat!(
    "WITH rolled_back AS (
        INSERT INTO plugin_rollbacks AS row
            (plugin_name, file_content, kept_content, rolled_back_by, rolled_back_at)
        SELECT $10, $11, $12, $6, $3::text::timestamptz WHERE ",
    in_time!("$13"),
    " ON CONFLICT (plugin_name, team_id, site_id) DO UPDATE
        SET file_content = excluded.file_content, kept_content = excluded.kept_content,
            rolled_back_by = excluded.rolled_back_by, rolled_back_at = excluded.rolled_back_at
        RETURNING plugin_name), noted AS (",
    note_one!("'plugin rollback'", "plugin_name", "'done'", "rolled_back"),
    ")",
    outcome!()
);

const RUN_FILE: &str = concat!(
    "WITH undone AS (
        UPDATE plugin_rollbacks
        SET kept_content = file_content, rolled_back_by = $6, rolled_back_at = $3::text::timestamptz
        WHERE plugin_name = $10 AND kept_content <> file_content AND ",
    in_time!("$11"),
    " RETURNING plugin_name), noted AS (",
    note_one!("'plugin reload'", "plugin_name", "'done'", "undone"),
    ")",
    outcome!()
);

const LIFT: &str =
    concat!("DELETE FROM plugin_rollbacks WHERE plugin_name = $1 AND file_content = $2 AND ", in_time!("$3"));

const ROLLED_BACK: &str = "
    SELECT coalesce(json_agg(json_build_array(plugin_name, file_content, kept_content) ORDER BY plugin_name), '[]')
        ::text
    FROM plugin_rollbacks";

pub(crate) struct PostgresPluginSwitches {
    database: Arc<PostgresDatabase>,
}

impl PostgresPluginSwitches {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }

    /// Whether a switch was turned.
    async fn turn(
        &self,
        sql: &'static str,
        plugin: &str,
        by: &Author,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = &Stamp::new(by, now);
        // A retry would find the work of the first attempt, and report that nothing changed.
        let statement = || stamped(sql, stamp).bind(plugin);
        Ok(!self.database.change(stamp.claim(), Effect::Once, statement).await?.is_empty())
    }
}

#[async_trait]
impl PluginSwitches for PostgresPluginSwitches {
    async fn disable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(DISABLE, plugin, by, now).await
    }

    async fn enable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(ENABLE, plugin, by, now).await
    }

    async fn disabled(&self) -> Result<Vec<Switch>, DatabaseError> {
        parse_all(&self.database.read(|| sqlx::query(DISABLED)).await?)
    }

    async fn roll_back(
        &self,
        roll_back: &RollBack,
        by: &Author,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let RollBack { plugin, file_content, kept_content } = roll_back;
        let stamp = &Stamp::new(by, now);
        let statement = || stamped(ROLL_BACK, stamp).bind(plugin).bind(file_content).bind(kept_content);
        self.database.change(stamp.claim(), Effect::Once, statement).await.map(drop)
    }

    async fn run_file(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(RUN_FILE, plugin, by, now).await
    }

    async fn lift_roll_back(&self, plugin: &str, file_content: &str) -> Result<(), DatabaseError> {
        // Once more would do no harm, but a rollback may have been made again in between.
        let statement = || sqlx::query(LIFT).bind(plugin).bind(file_content);
        self.database.execute(Effect::Once, statement).await.map(drop)
    }

    async fn rolled_back(&self) -> Result<Vec<RollBack>, DatabaseError> {
        parse_roll_backs(&self.database.read(|| sqlx::query(ROLLED_BACK)).await?)
    }
}
