//! What Slack waits for after a submission, or when a select asks for its options.
//!
//! An answer is a JSON body for HTTP, and the payload of the acknowledgement for Socket Mode. An empty one
//! just acknowledges, in both.

use std::collections::BTreeMap;

use serde_json::json;

use crate::view::{
    View,
    input::{self, Choice},
    plain_text::cut,
};

/// The longest error beside an input. Slack documents no limit; more than this would fill the modal.
const MAX_ERROR: usize = 300;

/// What happens to a submitted modal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionResponse {
    /// It closes, and the one below it appears.
    Close,
    /// It closes with all modals below it.
    CloseAll,
    /// Another modal replaces it.
    Update(Box<View>),
    /// It stays open, with an error beside each of these inputs, by block id. Never empty.
    Errors(BTreeMap<String, String>),
}

impl SubmissionResponse {
    pub fn update(view: View) -> Self {
        Self::Update(Box::new(view))
    }

    /// One error beside one input.
    pub fn error(block_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Errors(BTreeMap::from([(block_id.into(), text.into())]))
    }

    pub fn to_json(&self) -> Vec<u8> {
        let answer = match self {
            Self::Close => return Vec::new(),
            Self::CloseAll => json!({ "response_action": "clear" }),
            Self::Update(view) => json!({ "response_action": "update", "view": view.to_json() }),
            Self::Errors(errors) => {
                let errors: BTreeMap<_, _> =
                    errors.iter().map(|(block_id, text)| (block_id, cut(text, MAX_ERROR))).collect();
                json!({ "response_action": "errors", "errors": errors })
            }
        };
        answer.to_string().into_bytes()
    }
}

/// The answer to [`crate::interaction::OptionsWanted`]: the first 100 of `choices`.
pub fn options_json(choices: &[Choice]) -> Vec<u8> {
    json!({ "options": input::options(choices) }).to_string().into_bytes()
}
