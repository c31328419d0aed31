#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

mod bot;

mod example_settings;
mod guests;
mod imports;
mod jira;
mod journal;
mod manifest;
mod playground;
mod plugin_changes;
mod plugin_grants;
mod plugin_kit;
mod plugin_loading;
mod plugin_records;
mod plugin_swaps;
mod plugins;
mod postgres;
mod process;
mod slack;
mod storage;
mod structure;
mod tracker;
mod unit_graphs;
