//! What commands asked of the host and were answered: recorded, redacted, played back.

pub(super) mod bodies;
pub mod cases;
pub mod recorder;
pub mod redact;
pub mod tape;
