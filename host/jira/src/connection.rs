//! The way to Jira: where it is, who MARO is there, and when it's left alone.

pub(crate) mod authorization;
pub(crate) mod cache;
pub(crate) mod credentials;
pub mod edition;
pub(crate) mod gate;
pub mod location;
mod places;
pub(crate) mod request;
pub mod scope_check;
pub(crate) mod site;
pub(crate) mod status;
pub(crate) mod tokens;
pub(crate) mod transport;
