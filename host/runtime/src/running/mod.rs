//! Running one plugin: each command in a fresh instance, within every limit.

pub mod breaker;
pub(super) mod lanes;
pub(super) mod places;
pub mod plugin;
pub mod priority;
mod reply;
