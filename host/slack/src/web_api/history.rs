//! What MARO itself has written in a channel, found by its marks.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;

use crate::web_api::{SlackWebApi, calling::Method, error::ApiError, posting_once::MARK};
use maro_domain::ids::ChannelId;

/// They have to fit into the caller's claim of a channel.
const HISTORY: Method =
    Method { name: "conversations.history", deadline: Duration::from_secs(4), repeatable: true };
const REPLIES: Method =
    Method { name: "conversations.replies", deadline: Duration::from_secs(4), repeatable: true };

/// The most messages of a page, and the most pages that are read.
const PAGE_SIZE: &str = "200";
const MAX_PAGES: usize = 25;

/// What a mark says of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Marked {
    /// It tells the notice with this id.
    Notice(i64),
    /// It begins the thread of the issue with this id.
    Head(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    found: HashMap<Marked, String>,
    /// Since when none is missing.
    whole_since: Timestamp,
}

impl Marks {
    /// The timestamp of the message with this mark.
    pub fn of(&self, marked: &Marked) -> Option<&str> {
        self.found.get(marked).map(String::as_str)
    }

    /// Whether no message since that time is missing, so that one without a mark isn't there.
    pub fn reach(&self, since: Timestamp) -> bool {
        self.whole_since <= since
    }

    pub fn extend(&mut self, more: Self) {
        self.found.extend(more.found);
        self.whole_since = self.whole_since.max(more.whole_since);
    }

    fn none_since(whole_since: Timestamp) -> Self {
        Self { found: HashMap::new(), whole_since }
    }

    fn have(&self, wanted: &[Marked]) -> bool {
        wanted.iter().all(|marked| self.found.contains_key(marked))
    }

    fn add(&mut self, message: Found) {
        let Some(Metadata { event_type, event_payload: Payload { notices, head_of } }) = message.metadata
        else {
            return;
        };
        if event_type != MARK {
            return;
        }
        let notices = notices.into_iter().map(Marked::Notice);
        for marked in notices.chain(head_of.map(Marked::Head)) {
            self.found.entry(marked).or_insert_with(|| message.ts.clone());
        }
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Found>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Default, Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct Found {
    ts: String,
    metadata: Option<Metadata>,
}

impl Found {
    /// The second after it.
    fn after(&self) -> Option<Timestamp> {
        let second = self.ts.split_once('.')?.0.parse::<i64>().ok()?;
        Timestamp::from_second(second.checked_add(1)?).ok()
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    event_payload: Payload,
}

/// Other apps' payloads hold other things.
#[derive(Default)]
struct Payload {
    notices: Vec<i64>,
    head_of: Option<String>,
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = serde_json::Value::deserialize(deserializer)?;
        let notices = payload["notices"].as_array().into_iter().flatten();
        Ok(Self {
            notices: notices.filter_map(serde_json::Value::as_i64).collect(),
            head_of: payload["head_of"].as_str().map(str::to_owned),
        })
    }
}

impl SlackWebApi {
    /// The marks of messages in a channel, or in the thread of a message there, since a time, until those `wanted` are
    /// found. Each page takes up to 4 s. Of more than 5,000 messages, only the latest are read, and of more in a thread
    /// none counts as not there.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::MissingScope`] without `channels:history` or `groups:history`.
    pub async fn marks_in(
        &self,
        channel: &ChannelId,
        thread: Option<&str>,
        since: Timestamp,
        wanted: &[Marked],
    ) -> Result<Marks, ApiError> {
        let method = if thread.is_some() { REPLIES } else { HISTORY };
        let oldest = format!("{}.000000", since.as_second().max(0));
        let (mut marks, mut cursor) = (Marks::none_since(Timestamp::MAX), String::new());
        for _ in 0..MAX_PAGES {
            let params = vec![
                ("channel", Some(channel.as_str())),
                ("ts", thread),
                ("oldest", Some(oldest.as_str())),
                ("include_all_metadata", Some("true")),
                ("limit", Some(PAGE_SIZE)),
                ("cursor", Some(cursor.as_str()).filter(|cursor| !cursor.is_empty())),
            ];
            let params: Vec<_> = params.into_iter().filter(|(_, value)| value.is_some()).collect();
            let page = self.caller.get(method, &params).await;
            let page: Page = match page {
                // Of some apps Slack takes one request a minute, so the rest can't be read.
                Err(ApiError::RateLimited { .. }) if !cursor.is_empty() => return Ok(marks),
                page => page?,
            };
            // A channel's messages come in the order of the latest first, a thread's of the oldest.
            let last = page.messages.last().filter(|_| thread.is_none()).and_then(Found::after);
            page.messages.into_iter().for_each(|message| marks.add(message));
            marks.whole_since = last.unwrap_or(marks.whole_since);
            cursor = page.response_metadata.unwrap_or_default().next_cursor;
            if cursor.is_empty() {
                marks.whole_since = since;
            }
            if cursor.is_empty() || marks.have(wanted) {
                return Ok(marks);
            }
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_maros_own_marks_count() {
        let page = serde_json::json!({ "messages": [
            { "ts": "5.0", "metadata": { "event_type": "maro_notice", "event_payload": { "notices": [7, 8] } } },
            { "ts": "4.0", "metadata": { "event_type": "maro_notice", "event_payload": { "head_of": "10001" } } },
            { "ts": "3.0", "metadata": { "event_type": "poll", "event_payload": { "notices": [9], "x": {} } } },
            { "ts": "2.0", "text": "hello" },
            { "ts": "1.0", "metadata": { "event_type": "poll", "event_payload": { "notices": "all" } } },
        ], "has_more": false });
        let page: Page = serde_json::from_value(page).unwrap();
        assert_eq!(page.messages[0].after(), Timestamp::from_second(6).ok());
        let mut marks = Marks::none_since(Timestamp::MAX);
        page.messages.into_iter().for_each(|message| marks.add(message));
        assert_eq!((marks.of(&Marked::Notice(7)), marks.of(&Marked::Notice(8))), (Some("5.0"), Some("5.0")));
        assert_eq!(marks.of(&Marked::Head("10001".to_owned())), Some("4.0"));
        assert_eq!(marks.of(&Marked::Notice(9)), None);
        assert!(marks.have(&[Marked::Notice(7)]) && !marks.have(&[Marked::Notice(7), Marked::Notice(9)]));
        let whole = Marks::none_since(Timestamp::UNIX_EPOCH);
        assert!(whole.reach(Timestamp::UNIX_EPOCH) && !marks.reach(Timestamp::UNIX_EPOCH));
        let mut both = whole;
        both.extend(marks);
        assert!(!both.reach(Timestamp::UNIX_EPOCH));
    }
}
