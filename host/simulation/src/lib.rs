//! Stand-ins for Slack and Jira, in real HTTP on loopback, for `maro dev` and the tests.
//!
//! The bot that talks to them is the production bot with other base URLs.

pub mod jira;
pub mod slack;
