//! `maro migrate`, `maro backup` and `maro restore`: the database without the bot.

use std::{path::Path, process::ExitCode};

use maro_bot::config::load;
use maro_process::clock::Clock;
use maro_store::{
    Stores,
    database::{Database, inspection::Condition},
};

pub(super) async fn migrate() -> anyhow::Result<ExitCode> {
    let config = load::database()?;
    let missing = match Database::inspect(&config).await? {
        Condition::Absent => None,
        Condition::Present { missing_migrations } => Some(missing_migrations),
    };
    Stores::open(&config).await?.close().await;
    print(&match missing {
        None => "Created the database and its tables.".to_owned(),
        Some(0) => "The database's tables were already up to date.".to_owned(),
        Some(1) => "Applied one migration; the database's tables are now up to date.".to_owned(),
        Some(missing) => {
            format!("Applied {missing} migrations; the database's tables are now up to date.")
        }
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn backup(file: &Path) -> anyhow::Result<ExitCode> {
    let size = Database::backup(&load::database()?, file, &load::database_url_in_shell()).await?;
    print(&format!("Saved the database in {} ({} KiB).", file.display(), size.div_ceil(1024)));
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(file: &Path) -> anyhow::Result<ExitCode> {
    let kept =
        Database::restore(&load::database()?, file, &load::database_url_in_shell(), Clock::system().now())
            .await?;
    print(&format!("Restored the database from {}.", file.display()));
    if let Some(kept) = kept {
        print(&format!("The previous one is kept as {}.", kept.display()));
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "this is the command line's own output")]
fn print(line: &str) {
    println!("{line}");
}
