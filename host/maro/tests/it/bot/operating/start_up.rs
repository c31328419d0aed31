//! What keeps the bot from starting: one sentence, which names the setting.

use std::{fs, net::TcpListener};

use maro_bot::{bot::Bot, config::Config};
use maro_process::{clock::Clock, secret::Secret, telemetry::error_chain};
use maro_store::config::DatabaseConfig;

use crate::{bot::TestBot, built_components::PluginsFolder};

/// Why a bot does not start with settings that `change` made wrong.
async fn refusal(change: impl FnOnce(&mut Config)) -> String {
    let bot = TestBot::with_plugins(PluginsFolder::empty()).await;
    let mut config = bot.config.clone();
    change(&mut config);
    match Bot::start(config, Clock::system()).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error_chain(error.as_ref()),
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_told_once_and_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.db");
    fs::write(&file, "no database ".repeat(100)).unwrap();
    let said = refusal(|config| config.database = DatabaseConfig::Sqlite { path: file.clone() }).await;
    let named = file.display();
    assert!(
        said.starts_with(&format!(
            "the database that DATABASE_URL names can't be used: {named} isn't a SQLite database. ("
        )),
        "{said}"
    );
    assert_eq!(said.matches("file is not a database").count(), 1, "{said}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Secret::new(format!("postgres://maro:pass-word@{nobody}/maro"));
    let said = refusal(|config| config.database = DatabaseConfig::postgres(url)).await;
    assert!(
        said.starts_with(&format!(
            "the database that DATABASE_URL names can't be used: MARO can't reach PostgreSQL at {nobody}: "
        )),
        "{said}"
    );
    assert!(!said.contains("pass-word"), "{said}");
}

#[tokio::test]
async fn a_taken_port_is_told_by_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let said = refusal(|config| config.listen = address).await;
    assert!(said.starts_with(&format!("MARO_LISTEN: can't listen on {address}: ")), "{said}");
}
