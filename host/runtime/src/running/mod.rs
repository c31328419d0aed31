//! Running one plugin: each command in a fresh instance, within every limit.

pub mod invoke;
mod left_out;
pub(crate) mod manifest_in_force;
pub mod plugin;
pub mod plugin_health;
mod plugin_pauses;
pub(crate) mod pool_places;
pub mod priority;
mod reply;
pub mod served_since;
pub(crate) mod slow_guest_threads;
mod trap;
pub mod version;

pub use left_out::MAX_COMMAND_LENGTH;
