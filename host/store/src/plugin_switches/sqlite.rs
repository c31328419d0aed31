//! The switches in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    audit::{Entry, author_and_request::Stamp},
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
    },
    plugin_switches::{
        PluginSwitches, RollBack, Switch,
        stored::{parse_all, parse_roll_backs},
    },
};
use maro_domain::author::Author;

const DISABLE: &str = "
    INSERT INTO plugin_switches (plugin_name, disabled_by, disabled_at)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)
    ON CONFLICT (plugin_name, team_id, site_id) DO UPDATE
    SET disabled_by = excluded.disabled_by, disabled_at = excluded.disabled_at,
        enabled_by = NULL, enabled_at = NULL
    WHERE enabled_at IS NOT NULL
    RETURNING plugin_name";

const ENABLE: &str = "
    UPDATE plugin_switches SET enabled_by = ?1 ->> 1, enabled_at = ?1 ->> 2
    WHERE plugin_name = ?1 ->> 0 AND enabled_at IS NULL
    RETURNING plugin_name";

/// `ask.value` isn't used.
const DISABLED: &str = for_each_ask!(
    "SELECT json_group_array(json_array(plugin_name, disabled_by, disabled_at))
     FROM (SELECT * FROM plugin_switches WHERE enabled_at IS NULL ORDER BY plugin_name)"
);

const ROLL_BACK: &str = "
    INSERT INTO plugin_rollbacks (plugin_name, file_content, kept_content, rolled_back_by, rolled_back_at)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2, ?1 ->> 3, ?1 ->> 4)
    ON CONFLICT (plugin_name, team_id, site_id) DO UPDATE
    SET file_content = excluded.file_content, kept_content = excluded.kept_content,
        rolled_back_by = excluded.rolled_back_by, rolled_back_at = excluded.rolled_back_at
    RETURNING plugin_name";

const RUN_FILE: &str = "
    UPDATE plugin_rollbacks SET kept_content = file_content, rolled_back_by = ?1 ->> 1, rolled_back_at = ?1 ->> 2
    WHERE plugin_name = ?1 ->> 0 AND kept_content <> file_content
    RETURNING plugin_name";

const LIFT: &str = "
    DELETE FROM plugin_rollbacks WHERE plugin_name = ?1 ->> 0 AND file_content = ?1 ->> 1
    RETURNING plugin_name";

/// `ask.value` isn't used.
const ROLLED_BACK: &str = for_each_ask!(
    "SELECT json_group_array(json_array(plugin_name, file_content, kept_content))
     FROM (SELECT * FROM plugin_rollbacks ORDER BY plugin_name)"
);

pub(crate) struct SqlitePluginSwitches {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqlitePluginSwitches {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }

    /// Whether a switch was turned.
    async fn turn(
        &self,
        statement: &'static [&'static str; 1],
        action: &str,
        plugin: &str,
        by: &Author,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = Stamp::new(by, now);
        let arguments = vec![json!(plugin), json!(stamp.user), json!(stamp.at())];
        let entry = Entry { action, subject: plugin, outcome: "done" };
        let statements = Statements::new(statement, arguments).noting(&stamp, &[entry]);
        Ok(!self.writer.ask(statements).await?.is_empty())
    }
}

#[async_trait]
impl PluginSwitches for SqlitePluginSwitches {
    async fn disable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(&[DISABLE], "plugin disable", plugin, by, now).await
    }

    async fn enable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(&[ENABLE], "plugin enable", plugin, by, now).await
    }

    async fn disabled(&self) -> Result<Vec<Switch>, DatabaseError> {
        parse_all(&self.database.read(Question::of(DISABLED, Value::Null)).await?)
    }

    async fn roll_back(
        &self,
        roll_back: &RollBack,
        by: &Author,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let RollBack { plugin, file_content, kept_content } = roll_back;
        let stamp = Stamp::new(by, now);
        let arguments = vec![
            json!(plugin),
            json!(file_content),
            json!(kept_content),
            json!(stamp.user),
            json!(stamp.at()),
        ];
        let entry = Entry { action: "plugin rollback", subject: plugin, outcome: "done" };
        let statements = Statements::new(&[ROLL_BACK], arguments).noting(&stamp, &[entry]);
        self.writer.ask(statements).await.map(drop)
    }

    async fn run_file(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.turn(&[RUN_FILE], "plugin reload", plugin, by, now).await
    }

    async fn lift_roll_back(&self, plugin: &str, file_content: &str) -> Result<(), DatabaseError> {
        let arguments = vec![json!(plugin), json!(file_content)];
        self.writer.ask(Statements::new(&[LIFT], arguments)).await.map(drop)
    }

    async fn rolled_back(&self) -> Result<Vec<RollBack>, DatabaseError> {
        parse_roll_backs(&self.database.read(Question::of(ROLLED_BACK, Value::Null)).await?)
    }
}
