//! What people write to MARO and to one another.

pub(super) mod named_keys;
pub(super) mod to_maro;
pub(super) mod unfurls;
