//! The lists in one SQLite file: the embedded default.
//!
//! sqlx runs each connection on a thread of its own, and a trip there costs more than the statement. So
//! callers queue up before a few workers, and what waits at the same time makes one trip.

use std::{collections::HashSet, path::Path, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Connection, migrate::MigrateError};

use crate::{
    domain::{
        ids::ChannelId,
        issue::{Issue, IssueKey},
        tracked::{PageRequest, TrackOutcome, TrackedPage, UntrackOutcome},
    },
    tracker::{
        ChannelIssueTracker, TrackRequest, TrackerError, migrations,
        sqlite::{
            connect::{File, is_busy, primary_code},
            read::{Question, Readers},
            write::{Change, Writer},
        },
        stored::{parse_page, parse_places, time_text},
        unavailable, unreadable,
    },
};

mod connect;
mod queue;
mod read;
mod write;

/// How long the bot waits for another process's lock on the file.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The lists in one SQLite file.
pub struct SqliteTracker {
    readers: Readers,
    writer: Writer,
}

impl SqliteTracker {
    /// Opens the file, makes it if it is absent, and brings its tables to the present schema. Several
    /// processes may do so at once. Another process's lock on the file is waited for as long as `patience`,
    /// then and later.
    ///
    /// # Errors
    /// One sentence for the operator, which names the file.
    pub async fn open(path: &Path, patience: Duration) -> anyhow::Result<Self> {
        check_folder(path)?;
        let file = File { path: path.to_owned(), busy_timeout: patience };
        migrate(&file).await?;
        Ok(Self { readers: read::start(&file), writer: write::start(&file) })
    }

    async fn read(&self, question: Question) -> Result<String, TrackerError> {
        self.readers.ask(question).await
    }
}

#[async_trait]
impl ChannelIssueTracker for SqliteTracker {
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, TrackerError> {
        let change = Change::Track {
            channel: request.channel.as_str().to_owned(),
            tracked_by: request.tracked_by.as_str().to_owned(),
            source: request.source.as_str(),
            issues: issues.to_vec(),
            now: time_text(now),
        };
        Ok(self.writer.ask(change).await?.into_iter().map(TrackOutcome::new).collect())
    }

    async fn untrack(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
    ) -> Result<Vec<UntrackOutcome>, TrackerError> {
        let change = Change::Untrack { channel: channel.as_str().to_owned(), keys: keys.to_vec() };
        Ok(self.writer.ask(change).await?.into_iter().map(UntrackOutcome::new).collect())
    }

    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, TrackerError> {
        let json = self.read(Question::page(channel.as_str(), page.limit, page.offset)).await?;
        parse_page(&json, channel, page).map_err(unreadable)
    }

    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, TrackerError> {
        let json = self.read(Question::count(channel.as_str())).await?;
        serde_json::from_str(&json).map_err(unreadable)
    }

    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, TrackerError> {
        let texts: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let json = self.read(Question::present(channel.as_str(), &texts)).await?;
        let present: HashSet<String> = serde_json::from_str(&json).map_err(unreadable)?;
        Ok(texts.into_iter().map(|key| present.contains(key)).collect())
    }

    async fn update_sync_status(
        &self,
        channel: &ChannelId,
        updates: &[(IssueKey, Option<Issue>)],
        now: Timestamp,
    ) -> Result<(), TrackerError> {
        let channel = channel.as_str().to_owned();
        self.writer.ask(Change::Sync { channel, updates: updates.to_vec(), now: time_text(now) }).await?;
        Ok(())
    }

    async fn get_stale_issues(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ChannelId, IssueKey)>, TrackerError> {
        let json = self.read(Question::stale(&time_text(before), limit)).await?;
        parse_places(&json).map_err(unreadable)
    }

    async fn get_channels_tracking(&self, issue: &Issue) -> Result<Vec<(ChannelId, IssueKey)>, TrackerError> {
        let json = self.read(Question::places(issue.key.as_str(), issue.id.as_str())).await?;
        parse_places(&json).map_err(unreadable)
    }

    async fn ping(&self) -> Result<(), TrackerError> {
        self.read(Question::ping()).await?;
        Ok(())
    }

    async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

fn tracker_error(error: sqlx::Error) -> TrackerError {
    if is_busy(&error) { TrackerError::TimedOut } else { unavailable(error) }
}

/// SQLite itself says no more than "unable to open database file".
fn check_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        anyhow::bail!(
            "DATABASE_URL names the file {}, but there is no folder {}.",
            path.display(),
            folder.display()
        );
    }
    if path.is_dir() {
        anyhow::bail!("DATABASE_URL names {}, which is a folder and not a file.", path.display());
    }
    Ok(())
}

async fn migrate(file: &File) -> anyhow::Result<()> {
    let mut connection = file.create().await.map_err(|error| describe(error, file))?;
    // The write lock makes other processes wait, and all steps one change.
    let mut transaction =
        connection.begin_with("BEGIN IMMEDIATE").await.map_err(|error| describe(error, file))?;
    match migrations::apply_sqlite(&mut transaction).await {
        Ok(()) => {}
        Err(MigrateError::Execute(error)) => return Err(describe(error, file)),
        Err(error) => {
            let sentence = migrations::sentence(&error, &migrations::SQLITE);
            return Err(anyhow::Error::new(error).context(sentence));
        }
    }
    transaction.commit().await.map_err(|error| describe(error, file))?;
    connection.close().await.map_err(|error| describe(error, file))
}

/// The sentence for the operator whose file cannot be opened.
fn describe(error: sqlx::Error, file: &File) -> anyhow::Error {
    let path = file.path.display();
    // https://sqlite.org/rescode.html
    let sentence = match primary_code(&error) {
        Some(5 | 6) => format!("The database {path} is locked by another process."),
        Some(8) => format!("The database {path} cannot be written to: check who owns it and its folder."),
        Some(11) => format!("The database {path} is damaged. Restore it from a backup."),
        Some(13) => format!("There is no space left for the database {path}."),
        Some(14) => {
            format!("The database {path} cannot be opened or made: check who owns it and its folder.")
        }
        Some(26) => format!("{path} is no SQLite database."),
        _ => format!("The database {path} cannot be opened."),
    };
    anyhow::Error::new(error).context(sentence)
}
