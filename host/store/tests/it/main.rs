#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

mod support;

mod audit;
mod channels;
mod claimed_notices;
mod database;
mod freshness;
mod intents;
mod issue_field_times;
mod issue_fields;
mod jira_polls;
mod longest_wait;
mod notice_queue;
mod notices;
mod paused_channels;
mod plugin_storage;
mod plugin_switches;
mod tracker;
mod webhooks;
mod workspace;
