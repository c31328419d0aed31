//! MARO: a Slack bot that keeps, for every channel, the Jira issues it tracks.
//!
//! The modules form one line, and each imports only from those before it; `tests/it/structure.rs` holds
//! them to it. `ARCHITECTURE.md` beside this folder has the picture.

pub mod domain;

pub mod secret;
pub mod stop_signal;

pub mod clock;
pub mod config;
pub mod handover;
pub mod metrics;
pub mod priority;
pub mod telemetry;

pub mod database;

pub mod tracker;

pub mod journal;

pub mod storage;

pub mod plugin_records;

pub mod jira;

pub mod slack;

pub mod sync;

pub mod hooks;

pub mod texts;

pub mod plugin;

pub mod tickets;

pub mod commands;

pub mod server;

pub mod sandbox;

pub mod cli;
