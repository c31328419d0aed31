//! The bot's own workspace, remembered. Each claim runs on SQLite and on PostgreSQL.

use maro_domain::ids::TeamId;
use maro_store::workspace::OwnWorkspace;

use crate::support::given::{Given, at, on_both_databases};

on_both_databases! {
    the_workspace_that_was_learned_last_is_recalled,
}

fn scopes() -> Vec<String> {
    vec!["chat:write".to_owned(), "channels:read".to_owned()]
}

fn team(id: &str) -> TeamId {
    TeamId::parse(id).unwrap()
}

async fn the_workspace_that_was_learned_last_is_recalled(given: &Given) {
    let memory = &given.workspace;
    assert_eq!(memory.recall().await.unwrap(), None);
    let alone =
        OwnWorkspace { team: team("T1"), enterprise: None, is_enterprise_install: false, scopes: scopes() };
    memory.remember(&alone, at(1)).await.unwrap();
    assert_eq!(memory.recall().await.unwrap(), Some(alone));
    let joined = OwnWorkspace {
        team: team("T1"),
        enterprise: Some(team("E1")),
        is_enterprise_install: true,
        scopes: scopes(),
    };
    memory.remember(&joined, at(2)).await.unwrap();
    assert_eq!(given.replica().await.workspace.recall().await.unwrap(), Some(joined));
    assert_eq!(given.query("SELECT team_id FROM slack_workspace").await, ["T1"]);
}
