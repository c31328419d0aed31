//! Reads the SQLite file. Questions of the same form that wait at the same time become one statement.

use std::sync::Arc;

use sqlx::{Row, SqliteConnection};

use crate::database::sqlite::{
    error::database_error,
    queue::{Inbox, Queue, Request},
    reopening::Reopening,
};

/// A question's form: one row with one JSON text for each element of a JSON array, in order. The element is
/// `ask.value`.
macro_rules! for_each_ask {
    ($($select:expr),+ $(,)?) => {
        concat!("SELECT (", $($select,)+ ") FROM json_each(?1) AS ask")
    };
}

pub(crate) use for_each_ask;

/// A question to the file. Questions that differ only in `ask` are answered together.
#[derive(Debug)]
pub(crate) struct Question {
    form: &'static str,
    ask: serde_json::Value,
    limit: u32,
    offset: u32,
}

impl Question {
    /// `form` is made with [`for_each_ask`], and gets `ask` as one of the elements.
    pub(crate) fn of(form: &'static str, ask: impl Into<serde_json::Value>) -> Self {
        Self { form, ask: ask.into(), limit: 0, offset: 0 }
    }

    /// Sets `?2`.
    pub(crate) fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// Sets `?3`.
    pub(crate) fn offset(self, offset: u32) -> Self {
        Self { offset, ..self }
    }

    fn may_join(&self, other: &Self) -> bool {
        self.form == other.form && self.limit == other.limit && self.offset == other.offset
    }
}

/// The readers' queue. Answers are JSON.
pub(super) type Readers = Queue<Question, String>;

/// Answers questions until the queue is closed.
pub(super) async fn work(inbox: Arc<Inbox<Question, String>>, mut connection: Reopening) {
    while let Some(mut waiting) = inbox.next().await {
        while let Some(first) = waiting.pop() {
            let alike: Vec<_> =
                waiting.extract_if(.., |other| first.question.may_join(&other.question)).collect();
            answer(&mut connection, first, alike).await;
        }
    }
    connection.close().await;
}

/// Several may ask the very same, as when a crowd looks at one list: it's read once.
async fn answer(
    connection: &mut Reopening,
    first: Request<Question, String>,
    alike: Vec<Request<Question, String>>,
) {
    let mut asks: Vec<&serde_json::Value> = Vec::with_capacity(1 + alike.len());
    let places: Vec<usize> = std::iter::once(&first)
        .chain(&alike)
        .map(|request| {
            let ask = &request.question.ask;
            asks.iter().position(|known| *known == ask).unwrap_or_else(|| {
                asks.push(ask);
                asks.len() - 1
            })
        })
        .collect();
    let answers = match connection.get().await {
        Ok(open) => {
            let fetched = fetch(open, &first.question, &asks).await;
            if let Err(error) = &fetched {
                connection.failed(error);
            }
            fetched.map_err(database_error)
        }
        Err(error) => Err(error),
    };
    let requests = std::iter::once(first).chain(alike).zip(places);
    match answers {
        Ok(answers) => requests.for_each(|(request, place)| {
            if let Some(answer) = answers.get(place) {
                request.answer(Ok(answer.clone()));
            }
        }),
        Err(error) => requests.for_each(|(request, _)| request.answer(Err(error.clone()))),
    }
}

async fn fetch(
    connection: &mut SqliteConnection,
    question: &Question,
    asks: &[&serde_json::Value],
) -> Result<Vec<String>, sqlx::Error> {
    let asks = serde_json::to_string(asks).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows = sqlx::query(question.form)
        .bind(asks)
        .bind(question.limit)
        .bind(question.offset)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
