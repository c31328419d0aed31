//! A simulated world for `maro dev` and tests: real HTTP on loopback, no accounts, no network.
//!
//! The bot that talks to it is the production bot with other base URLs.

pub mod jira;
