//! The journal as the flows of people use it.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Tickets, record::Origin, texts};
use maro_store::intents::{
    Begun, IntentKind, IntentState, NewIntent,
    work::{Stop, Work, to_json},
};

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
            Begun::New(intent) => Start::Ours(Work::read(intent)?),
            Begun::Known(intent) => Start::Known(intent.state, Work::read(intent)?),
        })
    }

    /// As [`Work::save`].
    pub(super) async fn save<Record: Serialize>(
        &self,
        work: &mut Work<Record>,
        state: IntentState,
    ) -> Result<(), Stop> {
        work.save(&*self.journal, state, self.clock.now()).await
    }

    /// Ends an intention of which all is done. What is not tracked yet stays open, and is tried again.
    pub(super) async fn close<Record: Serialize>(&self, work: &mut Work<Record>, is_tracked: bool) {
        let state = if is_tracked { IntentState::Finished } else { IntentState::Confirmed };
        if let Err(stop) = self.save(work, state).await {
            tracing::warn!(intent = work.id, reason = sentence(&stop), "a finished flow could not be closed");
        }
    }
}

/// What a person is told of work that can't go on.
pub(super) fn sentence(stop: &Stop) -> &'static str {
    match stop {
        Stop::Lost => texts::forms::WORKING,
        Stop::Store(_) => texts::database::UNAVAILABLE,
        Stop::Unreadable => texts::forms::SOMETHING_WRONG,
    }
}
