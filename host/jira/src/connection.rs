//! The way to Jira: where it is, who MARO is there, and when it's left alone.

mod allowed_hosts;
pub(crate) mod authorization;
pub(crate) mod cache;
pub(crate) mod credentials;
pub mod edition_mix_up;
pub mod location;
pub(crate) mod overload_gate;
pub(crate) mod request;
pub(crate) mod service_account_tokens;
pub(crate) mod site;
pub(crate) mod status;
pub mod token_scopes;
pub(crate) mod transport;
