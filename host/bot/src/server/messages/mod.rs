//! What people write: messages to MARO, and links and keys of issues in messages to one another.

pub(super) mod named_keys;
pub(super) mod shared_links;
pub(super) mod shown_once;
pub(super) mod to_maro;
pub(super) mod unfurled_buttons;
