//! One intention under way: its record, and the journal's word that it is ours.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    journal::{Begun, Intent, IntentKind, IntentState, JournalError, NewIntent, Saved, Version},
    telemetry::error_chain,
    texts,
    tickets::{Tickets, record::Origin},
};

/// An intention that this process works on.
#[derive(Debug)]
pub(super) struct Work<Record> {
    pub(super) id: String,
    pub(super) version: Version,
    pub(super) begun_at: jiff::Timestamp,
    pub(super) record: Record,
}

/// Why work cannot go on here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// Another process, or another click, has taken it over.
    #[error("somebody else works on it")]
    Lost,
    #[error("the journal fails")]
    Journal(#[from] JournalError),
    /// What the journal holds is of another shape, as after going back to an older version.
    #[error("the record cannot be read")]
    Unreadable,
}

impl Stop {
    /// What a person is told.
    pub(super) fn sentence(&self) -> &'static str {
        match self {
            Self::Lost => texts::IN_PROGRESS,
            Self::Journal(_) => texts::DATABASE_UNAVAILABLE,
            Self::Unreadable => texts::FLOW_BROKEN,
        }
    }
}

/// What the journal said to an intention.
#[derive(Debug)]
pub(super) enum Start<Record> {
    /// It is ours to do.
    Ours(Work<Record>),
    /// It is known already, in this state.
    Known(IntentState, Work<Record>),
}

impl Tickets {
    /// Writes down that something is wanted. Of many who want the same, one gets [`Start::Ours`].
    pub(super) async fn begin<Record: Serialize + DeserializeOwned>(
        &self,
        id: &str,
        kind: IntentKind,
        state: IntentState,
        origin: &Origin,
        record: Record,
    ) -> Result<Start<Record>, Stop> {
        let (Ok(channel), Ok(user)) = (origin.channel(), origin.user()) else { return Err(Stop::Unreadable) };
        let intent = NewIntent { id: id.to_owned(), kind, channel, user, state, data: to_json(&record) };
        Ok(match self.journal.begin(&intent, self.clock.now()).await? {
            Begun::New(intent) => Start::Ours(Work {
                id: intent.id,
                version: intent.version,
                begun_at: intent.created_at,
                record,
            }),
            Begun::Known(intent) => Start::Known(intent.state, work(intent)?),
        })
    }

    /// Writes down how far it has come, and that we are still at it.
    pub(super) async fn save<Record: Serialize>(
        &self,
        work: &mut Work<Record>,
        state: IntentState,
    ) -> Result<(), Stop> {
        let data = to_json(&work.record);
        let saved = self.journal.save(&work.id, work.version, state, &data, self.clock.now()).await;
        match saved.inspect_err(|error| {
            tracing::error!(intent = work.id, error = error_chain(error), "the journal fails");
        })? {
            Saved::Yes(version) => {
                work.version = version;
                Ok(())
            }
            Saved::Lost => Err(Stop::Lost),
        }
    }
}

/// What the journal holds, as work.
pub(super) fn work<Record: DeserializeOwned>(intent: Intent) -> Result<Work<Record>, Stop> {
    let record = serde_json::from_str(&intent.data).map_err(|error| {
        tracing::error!(intent = intent.id, %error, "a record of the journal cannot be read");
        Stop::Unreadable
    })?;
    Ok(Work { id: intent.id, version: intent.version, begun_at: intent.created_at, record })
}

fn to_json<Record: Serialize>(record: &Record) -> String {
    serde_json::to_string(record).expect("records have string keys only")
}
