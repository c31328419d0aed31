//! Copies of the file, made while the bot may be running on it.

use std::{
    fs::{self, File as OpenFile},
    io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use sqlx::Connection as _;

use crate::database::sqlite::{
    connect::{File, PATIENCE, primary_code},
    diagnosis::{check_folder, describe},
    paths::{beside, create_private, folder_of},
};

/// Copies the database into a new file that only its owner may open. The copy is of one moment, and appears under
/// its name once it's whole. Returns its size in bytes.
///
/// # Errors
/// One sentence for the operator.
pub(in crate::database) async fn backup(path: &Path, to: &Path) -> anyhow::Result<u64> {
    check_folder(path)?;
    if !path.exists() {
        anyhow::bail!("There's no database {}.", path.display());
    }
    let to = std::path::absolute(to).with_context(|| cannot_write(to))?;
    if to.symlink_metadata().is_ok() {
        anyhow::bail!(exists(&to));
    }
    if !folder_of(&to).is_dir() {
        anyhow::bail!("The folder {} doesn't exist.", folder_of(&to).display());
    }
    let partial = Partial::create(&to).with_context(|| cannot_write(&to))?;
    copy(path, &partial.0, &to).await?;
    let size = partial.finish(&to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow::anyhow!(exists(&to)),
        _ => anyhow::Error::new(error).context(cannot_write(&to)),
    })?;
    Ok(size)
}

async fn copy(path: &Path, partial: &Path, to: &Path) -> anyhow::Result<()> {
    let name = partial.to_str().with_context(|| format!("The name of {} must be UTF-8.", to.display()))?;
    let file = File { path: path.to_owned(), busy_timeout: PATIENCE };
    let mut connection = file.open_as_it_is().await.map_err(|error| describe(error, path))?;
    // One read of one moment: the bot writes on meanwhile.
    let copied = sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut connection).await;
    copied.map_err(|error| match primary_code(&error) {
        Some(13) => anyhow::Error::new(error)
            .context(format!("There's no disk space left in {}.", folder_of(to).display())),
        _ => describe(error, path),
    })?;
    connection.close().await.map_err(|error| describe(error, path))
}

fn exists(to: &Path) -> String {
    format!("{} exists already: name a file that doesn't.", to.display())
}

fn cannot_write(to: &Path) -> String {
    format!("MARO can't write {}: check who owns its folder.", to.display())
}

/// A backup that isn't whole yet. It's removed unless it's finished.
struct Partial(PathBuf);

impl Partial {
    fn create(to: &Path) -> io::Result<Self> {
        let path = beside(to, &format!(".partial-{}", std::process::id()));
        create_private(&path)?;
        Ok(Self(path))
    }

    /// Gives it its name, if no file has that by now. Returns its size.
    fn finish(self, to: &Path) -> io::Result<u64> {
        let file = OpenFile::open(&self.0)?;
        file.sync_all()?;
        match fs::hard_link(&self.0, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Not every file system has links.
            Err(_) => fs::rename(&self.0, to)?,
            Ok(()) => {}
        }
        OpenFile::open(folder_of(to))?.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It may have been renamed.
        let _ = fs::remove_file(&self.0);
    }
}
