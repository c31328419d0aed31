//! What MARO keeps, on SQLite and PostgreSQL: one module a table.

pub mod config;
pub mod database;
pub mod intents;
pub mod plugin_storage;
pub mod plugin_switches;
pub mod tracker;
