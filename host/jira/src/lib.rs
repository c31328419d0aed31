//! Jira's REST API: Jira Cloud (v3) and Jira Data Center (v2), behind one client.
//!
//! Owns every request to Jira, the shapes of its answers, the meaning of its failures, the text formats that
//! Jira accepts, and reading its webhooks. Knows neither the lists nor Slack.
//!
//! `client.rs` lists what can be asked of Jira, and `connection/site.rs` is where every request passes. Each folder
//! has one kind of question, and each file one subject.

pub mod accounts;
pub mod client;
pub mod config;
pub mod connection;
pub mod creating;
pub mod editing;
pub mod error;
mod formats;
pub mod reading;
pub mod searching;
pub mod webhooks;
mod wire;
