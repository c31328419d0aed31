#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

//! What `maro dev` offers besides the bot.

mod say;

#[path = "../../../slack/tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests of Slack use more of it")]
mod support;
