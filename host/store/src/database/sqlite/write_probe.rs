//! Tries whether the file could be changed, and leaves nothing behind.

use std::{io::Write as _, path::Path, sync::Arc};

use sqlx::{Connection as _, SqliteConnection};

use crate::database::{
    error::DatabaseError,
    sqlite::{connect::touch, paths::folder_of, write::Change},
};

/// What must fit beside the file: some changes in SQLite's log.
const ROOM: usize = 64 * 1024;

/// Why a change wouldn't find room.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be written into the folder of the database")]
pub(super) struct NoRoom(#[source] pub(super) std::io::Error);

/// A change that is made and taken back.
#[derive(Debug)]
pub(super) struct Trial;

impl Change for Trial {
    type Outcome = ();

    const IS_KEPT: bool = false;

    async fn apply(changes: &[&Self], connection: &mut SqliteConnection) -> Result<Vec<()>, sqlx::Error> {
        touch(connection).await?;
        Ok(vec![(); changes.len()])
    }
}

/// As [`Trial`], on a connection that nobody else uses.
pub(super) async fn try_change(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    touch(&mut transaction).await?;
    transaction.rollback().await
}

/// SQLite writes what it takes back nowhere, so a full disk shows only here. The file that this writes has no
/// name, or loses it at once.
pub(super) fn try_room(path: &Path) -> Result<(), NoRoom> {
    let mut file = tempfile::tempfile_in(folder_of(path)).map_err(NoRoom)?;
    file.write_all(&[0; ROOM]).map_err(NoRoom)
}

/// As [`try_room`], for callers that mustn't wait for the disk on a thread of the runtime.
pub(super) async fn try_room_elsewhere(path: &Path) -> Result<(), DatabaseError> {
    let path = path.to_owned();
    match tokio::task::spawn_blocking(move || try_room(&path)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(no_room)) => Err(DatabaseError::Unavailable(Arc::new(no_room))),
        Err(error) => Err(DatabaseError::Unavailable(Arc::new(error))),
    }
}
