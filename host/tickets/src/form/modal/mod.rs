//! What all modals have in common: opening, replacing and closing them, and what they carry.

pub(crate) mod answer_in_time;
pub(crate) mod buttons;
pub(super) mod cancelling;
pub(crate) mod latest_change;
pub(crate) mod modal_calls;
pub mod open;
pub(super) mod outcome;
pub(super) mod permission;
pub(super) mod state;
