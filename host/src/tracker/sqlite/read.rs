//! Reading the SQLite file. Questions of one form that wait at the same time become one statement.

use std::sync::Arc;

use sqlx::{Row, SqliteConnection};

use crate::tracker::sqlite::{
    connect::{File, Reopening},
    queue::{Inbox, Queue, Request, queue},
    tracker_error,
};

/// Two, so that a long list does not hold up the short ones; more bring nothing.
const WORKERS: usize = 2;

/// What a form starts with: for each element of a JSON array one row, in order, with one JSON text.
macro_rules! for_each_ask {
    ($select:literal) => {
        concat!("SELECT (", $select, ") FROM json_each(?1) AS ask")
    };
}

/// One more row than asked for tells whether the list goes on. `ask.value` is the channel.
const PAGE: &str = for_each_ask!(
    "SELECT json_group_array(json_array(issue_key, issue_id, tracked_at, tracked_by, source,
         last_synced_at, last_jira_status, last_jira_summary))
     FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = ask.value
           ORDER BY tracked_at, id LIMIT ?2 + 1 OFFSET ?3)"
);

/// `ask.value` is the channel.
const COUNT: &str =
    for_each_ask!("SELECT cast(count(*) AS TEXT) FROM channel_tracked_issues WHERE channel_id = ask.value");

/// `ask.value` is the channel and the keys.
const PRESENT: &str = for_each_ask!(
    "SELECT json_group_array(issue_key) FROM channel_tracked_issues
     WHERE channel_id = ask.value ->> 0
         AND issue_key IN (SELECT value FROM json_each(ask.value, '$[1]'))"
);

/// `ask.value` is the time.
const STALE: &str = for_each_ask!(
    "SELECT json_group_array(json_array(channel_id, issue_key))
     FROM (SELECT channel_id, issue_key FROM channel_tracked_issues
           WHERE coalesce(last_synced_at, '') < ask.value
           ORDER BY coalesce(last_synced_at, ''), id LIMIT ?2)"
);

/// `ask.value` is the key and id.
const PLACES: &str = for_each_ask!(
    "SELECT json_group_array(json_array(channel_id, issue_key))
     FROM (SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_key = ask.value ->> 0
           UNION
           SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_id = ask.value ->> 1
           ORDER BY channel_id, issue_key)"
);

/// A look at the file itself, not only at the connection.
const PING: &str =
    for_each_ask!("SELECT json_group_array(id) FROM (SELECT id FROM channel_tracked_issues LIMIT 1)");

/// A question to the file. Those that differ only in `ask` are answered together.
#[derive(Debug)]
pub(super) struct Question {
    form: &'static str,
    ask: serde_json::Value,
    limit: u32,
    offset: u32,
}

impl Question {
    pub(super) fn page(channel: &str, limit: u32, offset: u32) -> Self {
        Self { form: PAGE, ask: channel.into(), limit, offset }
    }

    pub(super) fn count(channel: &str) -> Self {
        Self { form: COUNT, ask: channel.into(), limit: 0, offset: 0 }
    }

    pub(super) fn present(channel: &str, keys: &[&str]) -> Self {
        Self { form: PRESENT, ask: serde_json::json!([channel, keys]), limit: 0, offset: 0 }
    }

    pub(super) fn stale(before: &str, limit: u32) -> Self {
        Self { form: STALE, ask: before.into(), limit, offset: 0 }
    }

    pub(super) fn places(key: &str, id: &str) -> Self {
        Self { form: PLACES, ask: serde_json::json!([key, id]), limit: 0, offset: 0 }
    }

    pub(super) fn ping() -> Self {
        Self { form: PING, ask: serde_json::Value::Null, limit: 0, offset: 0 }
    }

    fn may_join(&self, other: &Self) -> bool {
        self.form == other.form && self.limit == other.limit && self.offset == other.offset
    }
}

/// The readers' queue. Answers are JSON.
pub(super) type Readers = Queue<Question, String>;

/// Starts the readers.
pub(super) fn start(file: &File) -> Readers {
    let (readers, inbox) = queue(file.busy_timeout);
    let inbox = Arc::new(inbox);
    for _ in 0..WORKERS {
        readers.add_worker(tokio::spawn(work(Arc::clone(&inbox), Reopening::new(file.clone()))));
    }
    readers
}

async fn work(inbox: Arc<Inbox<Question, String>>, mut connection: Reopening) {
    while let Some(mut waiting) = inbox.next().await {
        while let Some(first) = waiting.pop() {
            let alike: Vec<_> =
                waiting.extract_if(.., |other| first.question.may_join(&other.question)).collect();
            answer(&mut connection, first, alike).await;
        }
    }
    connection.close().await;
}

async fn answer(
    connection: &mut Reopening,
    first: Request<Question, String>,
    alike: Vec<Request<Question, String>>,
) {
    let asks: Vec<_> = std::iter::once(&first).chain(&alike).map(|request| &request.question.ask).collect();
    let answers = match connection.get().await {
        Ok(open) => fetch(open, &first.question, &asks).await,
        Err(error) => Err(error),
    };
    let requests = std::iter::once(first).chain(alike);
    match answers {
        Ok(answers) => requests.zip(answers).for_each(|(request, answer)| request.answer(Ok(answer))),
        Err(error) => {
            connection.failed(&error);
            let error = tracker_error(error);
            requests.for_each(|request| request.answer(Err(error.clone())));
        }
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
