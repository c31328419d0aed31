//! What to tell the operator if the file can't be used.

use std::{io, path::Path};

use sqlx::migrate::MigrateError;

use crate::database::{
    migrations,
    sqlite::{connect::extended_code, paths::folder_of},
};

/// SQLite itself only says "unable to open database file".
pub(super) fn check_folder(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        anyhow::bail!(
            "DATABASE_URL names the file {}, but the folder {} doesn't exist.",
            path.display(),
            folder.display()
        );
    }
    if path.is_dir() {
        anyhow::bail!("DATABASE_URL must name a file, but {} is a folder.", path.display());
    }
    Ok(())
}

/// What to tell the operator if the file can't be opened.
pub(super) fn describe(error: sqlx::Error, path: &Path) -> anyhow::Error {
    let sentence = sentence(extended_code(&error), path);
    anyhow::Error::new(error).context(sentence)
}

/// The sentence for one of SQLite's result codes, https://sqlite.org/rescode.html.
fn sentence(extended: Option<i32>, path: &Path) -> String {
    let name = path.display();
    match (extended.map(|code| code & 0xff), extended) {
        (Some(5 | 6), _) => format!("The database {name} is locked by another process."),
        (Some(8), _) => {
            format!("MARO can't write to the database {name}: check who owns the file and its folder.")
        }
        // SQLITE_IOERR_SHMSIZE: the file of the log's shared memory can't grow.
        (Some(13), _) | (_, Some(4874)) => no_space(path),
        // The locks and the shared memory of the log, which network folders often don't have.
        (Some(15 | 22), _) | (_, Some(2058 | 2314 | 3594 | 3850 | 4618 | 5130 | 5386)) => {
            in_network_folder(path)
        }
        (Some(10), _) => format!(
            "MARO can't read or write the database {name}: its disk fails, or it's in a network folder, and SQLite \
             needs a local disk."
        ),
        (Some(11), _) => is_damaged(path),
        (Some(14), _) => cannot_open(path),
        (Some(26), _) => format!("{name} isn't a SQLite database."),
        _ => format!("MARO can't open the database {name}."),
    }
}

/// As [`describe`], if the tables can't be brought to the current schema.
pub(super) fn describe_migration(error: MigrateError, path: &Path) -> anyhow::Error {
    match error {
        MigrateError::Execute(error) => describe(error, path),
        error => {
            let sentence = migrations::sentence(&error, &migrations::SQLITE);
            anyhow::Error::new(error).context(sentence)
        }
    }
}

/// As [`describe`], if no file can be written beside the database.
pub(super) fn describe_folder(error: io::Error, path: &Path) -> anyhow::Error {
    let sentence = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => no_space(path),
        _ => format!(
            "MARO can't write into the folder {}, where SQLite keeps the log of the database {}: check who owns the \
             folder, and that it isn't read-only.",
            folder_of(path).display(),
            path.display()
        ),
    };
    anyhow::Error::new(error).context(sentence)
}

fn no_space(path: &Path) -> String {
    format!("There's no disk space left for the database {}.", path.display())
}

pub(super) fn is_damaged(path: &Path) -> String {
    format!("The database {} is damaged: restore a backup with `maro restore FILE`.", path.display())
}

pub(super) fn cannot_open(path: &Path) -> String {
    format!(
        "MARO can't open or create the database {}: check who owns the file and its folder.",
        path.display()
    )
}

pub(super) fn in_network_folder(path: &Path) -> String {
    format!(
        "MARO can't lock the database {}: it's probably in a network folder, and SQLite needs a local disk.",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_locks_is_traced_to_the_network_folder() {
        let sentence = |code| sentence(Some(code), Path::new("lists.db"));
        // SQLITE_PROTOCOL, and SQLITE_IOERR_LOCK, _SHMOPEN and _SHMMAP.
        for code in [15, 3850, 4618, 5386] {
            assert_eq!(
                sentence(code),
                "MARO can't lock the database lists.db: it's probably in a network folder, and SQLite needs a local \
                 disk."
            );
        }
        // SQLITE_IOERR_READ
        assert!(sentence(266).contains("its disk fails, or it's in a network folder"));
        for code in [13, 4874] {
            assert_eq!(sentence(code), "There's no disk space left for the database lists.db.");
        }
    }
}
