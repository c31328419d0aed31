//! What a channel has of its own: what it is told of changes, and its list, shown to everybody.

pub(super) mod notify;
pub(super) mod share_list_button;
