//! Jira's REST API: Jira Cloud (v3) and Jira Data Center (v2), behind one client.
//!
//! Owns every request to Jira, the shapes of its answers and what its failures mean, the forms of text that
//! Jira takes, and the reading of what Jira sends by itself. Knows neither the lists nor Slack.

mod adf;
mod assign;
mod cache;
pub mod client;
mod cloud;
mod comments;
pub mod config;
pub mod create;
mod data_center;
pub mod edit;
pub mod epic;
mod epic_fields;
pub mod error;
pub mod find;
pub mod issue_types;
mod jql;
mod model;
pub mod people;
pub mod permissions;
mod plain;
mod projects;
pub mod remote_link;
mod scope;
mod search;
mod single_issue;
pub mod stories;
mod transitions;
mod transport;
pub mod webhook;
mod wiki;
mod wire;
