#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

mod jira;
