//! What people type and press, and what they read.

pub(super) mod buttons;
pub(super) mod channels;
pub(super) mod command_names;
pub(super) mod home;
pub(super) mod typed;
pub(super) mod words;
