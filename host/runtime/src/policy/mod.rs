//! What an operator allows a plugin: its grants, how far they reach, its limits, the hosts it may contact.

pub mod admission;
pub mod denials;
pub mod functions;
pub mod grants;
pub mod hosts;
pub mod limits;
pub mod manifest;
pub mod scopes;
pub mod secrets;
