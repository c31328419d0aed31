//! Reads stored switches. Both databases return them as JSON, as they do the lists.

use serde::Deserialize;

use crate::{
    database::{
        error::{self, DatabaseError},
        time::StoredTime,
    },
    plugin_switches::{RollBack, Switch},
};
use maro_domain::ids::UserId;

/// One switch, with its columns in the order of both databases' statements.
#[derive(Deserialize)]
struct StoredSwitch(String, String, StoredTime);

/// Reads an array of switches. Invalid ones are skipped and logged.
pub(super) fn parse_all(json: &str) -> Result<Vec<Switch>, DatabaseError> {
    let rows: Vec<StoredSwitch> = error::parse(json)?;
    Ok(rows.into_iter().filter_map(switch).collect())
}

/// Reads an array of rollbacks.
pub(super) fn parse_roll_backs(json: &str) -> Result<Vec<RollBack>, DatabaseError> {
    let rows: Vec<(String, String, String)> = error::parse(json)?;
    let roll_back = |(plugin, file_content, kept_content)| RollBack { plugin, file_content, kept_content };
    Ok(rows.into_iter().map(roll_back).collect())
}

fn switch(StoredSwitch(plugin, disabled_by, disabled_at): StoredSwitch) -> Option<Switch> {
    let (Ok(disabled_by), Some(disabled_at)) = (UserId::parse(&disabled_by), disabled_at.0) else {
        tracing::warn!(plugin, "skipped a switch with an invalid user or time");
        return None;
    };
    Some(Switch { plugin, disabled_by, disabled_at })
}
