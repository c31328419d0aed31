//! A simulated Jira site that answers over HTTP as Jira Cloud (v3) and Jira Data Center (v2) do.
//!
//! It is as strict as Jira about credentials, content types, request shapes and limits. It can be told to
//! fail in every way that Jira does, and remembers the requests it received.

mod api;
pub mod controls;
pub mod credentials;
pub mod data;
pub mod faults;
pub mod people;
pub mod received;
mod searching;
pub mod server;
mod state;
