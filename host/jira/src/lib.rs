//! Jira's REST API: Jira Cloud (v3) and Jira Data Center (v2), behind one client.
//!
//! Owns every request to Jira, the shapes of its answers, the meaning of its failures, the text formats that
//! Jira accepts, and reading its webhooks. Knows neither the lists nor Slack.
//!
//! `client.rs` lists what can be asked of Jira, `site.rs` is where every request passes, and the other files
//! have one subject each.

pub mod account;
mod adf;
mod assign;
mod authorization;
mod cache;
pub mod changed;
mod choosing;
pub mod client;
mod cloud;
mod comments;
pub mod config;
pub mod create;
mod credentials;
mod data_center;
mod details;
pub mod each;
pub mod edit;
pub mod edition;
pub mod epic;
mod epic_fields;
mod epic_link;
pub mod error;
pub mod field_edits;
pub mod find;
mod gate;
pub mod issue_types;
mod jql;
pub mod location;
mod look_up;
mod newest;
pub mod newest_comments;
mod old_createmeta;
mod outside;
mod parents;
pub mod people;
pub mod permissions;
pub mod person_permissions;
mod plain;
mod project_list;
mod projects;
pub mod read;
pub mod remote_link;
mod request;
mod scope;
mod screen;
pub mod search;
mod single_issue;
mod site;
mod status;
pub mod stories;
mod transitions;
mod transport;
pub mod trial;
pub mod viewers;
pub mod watched_fields;
pub mod webhook;
mod wiki;
mod wire;
