//! What people do: write, press, use shortcuts, and act from a terminal.

pub mod act_error;
pub mod acts;
pub mod interactions;
pub(super) mod messages;
pub mod pressing;
