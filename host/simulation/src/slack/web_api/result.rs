//! How a call of the Web API ends.

use serde_json::Value;

/// Why a call is refused, in Slack's words.
#[derive(Debug)]
pub(super) struct Refused {
    /// Slack's word, such as `channel_not_found`.
    pub(super) word: String,
    /// What exactly is wrong, for `response_metadata.messages`.
    pub(super) messages: Vec<String>,
    /// The scope that is needed, if that is the reason.
    pub(super) needed: Option<&'static str>,
}

impl From<&str> for Refused {
    fn from(word: &str) -> Self {
        Self { word: word.to_owned(), messages: Vec::new(), needed: None }
    }
}

/// The fields of a successful answer, without `ok`.
pub(super) type ApiResult = Result<Value, Refused>;
