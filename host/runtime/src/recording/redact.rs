//! Removing from a recorded case what says who and where: ids, email addresses, names of people, tokens.
//!
//! Each is replaced by the same stand-in throughout the case, also within base64 and percent-encoding, so that the case
//! still plays back: what a plugin makes of a stand-in is what is recorded. What people wrote in summaries and comments
//! stays, so read a case before you share it.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::recording::{cases::Case, standins::Standins};

/// The case without ids of people and channels, email addresses, names of Jira accounts, and tokens.
///
/// # Errors
/// No recorded case can cause one; an error is a bug.
pub fn redact(case: &Case) -> Result<Case, serde_json::Error> {
    let mut value = serde_json::to_value(case)?;
    let mut standins = Standins::default();
    // A case that is accepted anew has stand-ins already.
    standins.note_standins(&value);
    // What the operator sets comes first: a plugin puts it into other texts, which are secret only for that.
    for call in calls(&value) {
        standins.collect_settings(call);
    }
    standins.collect_names(&value);
    standins.collect_words_in(&value);
    standins.add_spellings();
    // The subcommand and the names of calls are words of the interface.
    for part in ["arguments", "ending"] {
        standins.replace(&mut value[part]);
    }
    for call in value["calls"].as_array_mut().into_iter().flatten() {
        standins.replace(&mut call["arguments"]);
        standins.replace(&mut call["answer"]);
    }
    serde_json::from_value(value)
}

fn calls(case: &Value) -> impl Iterator<Item = &Value> {
    case["calls"].as_array().into_iter().flatten()
}
