//! The command line.

pub mod dev_session;
pub mod say;
pub mod terminal;
