//! What plugins and the host say to one another: `maro:plugin` and WASI.

pub(crate) mod bindings;
pub(crate) mod versions;
pub(crate) mod wasi;
