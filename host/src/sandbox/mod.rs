//! Stand-ins for Slack and Jira, in real HTTP on loopback, for `maro dev` and the tests.

pub mod slack;
