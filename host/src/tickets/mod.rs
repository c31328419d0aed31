//! Tickets that people create or link from Slack, and what follows from it.

mod similarity;
