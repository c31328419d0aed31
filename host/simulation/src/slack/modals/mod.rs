//! Modals: the open ones, what a person finds in them, and filling in and submitting them.

pub(super) mod filling;
pub mod form;
pub mod modal;
pub mod submission;
pub(super) mod triggers;
pub(super) mod views;
