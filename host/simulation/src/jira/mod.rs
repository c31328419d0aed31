//! A simulated Jira site that answers over HTTP as Jira Cloud (v3) and Jira Data Center (v2) do.
//!
//! It is as strict as Jira about credentials, content types, request shapes and limits. It can be told to
//! fail in every way that Jira does, and remembers the requests it received.

mod accounts;
mod adf_check;
mod agile;
mod answers;
mod api;
mod browse;
mod connection;
pub mod controls;
mod create;
pub mod credentials;
mod edits;
mod epic_fields;
mod fault_answers;
pub mod faults;
pub mod fields;
mod history;
pub mod issue;
mod jql;
mod permissions;
pub mod project;
mod projects;
pub mod received;
mod remote_links;
mod reports;
mod search;
mod seed;
pub mod server;
mod shapes;
mod site;
mod state;
pub mod user_actions;
mod viewers;
mod webhooks;
mod words;
mod workflow;
