//! Jira's REST API: Jira Cloud (v3) and Jira Data Center (v2), behind one client.
//!
//! Owns every request to Jira, the shapes of its answers and what its failures mean, and the reading of
//! what Jira sends by itself. Knows neither the lists nor Slack.

pub mod client;
mod cloud;
mod data_center;
pub mod error;
mod model;
mod retry;
mod single_issue;
mod transport;
pub mod webhook;
