//! A simulated Jira site that answers over HTTP as Jira Cloud (v3) and Jira Data Center (v2) do.
//!
//! It is as strict as Jira about credentials, content types, request shapes and limits. It can be told to
//! fail in every way that Jira does, and remembers the requests it received.

mod accounts;
mod adf_check;
mod api;
mod browse;
mod connection;
pub mod controls;
mod create;
mod edits;
pub mod faults;
pub mod fields;
mod jql;
pub mod people;
mod permissions;
pub mod projects;
pub mod received;
pub mod remote_links;
mod search;
mod seed;
pub mod server;
mod shapes;
mod site;
mod webhooks;
mod words;
mod workflow;
