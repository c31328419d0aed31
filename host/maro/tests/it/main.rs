#![expect(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]

// The store's own helpers, for the tests that need a bot on its databases.
#[path = "../../../store/tests/it/support/lossy_route.rs"]
mod lossy_route;
#[allow(dead_code, reason = "the store's tests need more of it")]
#[path = "../../../store/tests/it/support/postgres.rs"]
mod postgres;
#[path = "../../../store/tests/it/support/raw.rs"]
mod raw;

mod bot;
mod built_components;
mod example_settings;
mod fuzz;
mod handwritten_components;
mod imports;
mod log;
mod playground;
mod plugin_builds;
mod plugin_changes;
mod plugin_examples;
mod plugin_grants;
mod plugin_kit;
mod plugin_loading;
mod plugin_registry;
mod plugin_stale_builds;
mod plugin_tryouts;
mod process;
mod slack_app_manifest;
mod structure;
mod unit_graphs;
