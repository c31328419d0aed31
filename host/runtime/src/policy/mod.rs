//! What an operator allows a plugin: its grants, how far they reach, its limits.

pub mod grants;
pub mod limits;
pub mod manifest;
