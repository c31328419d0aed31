//! What commands asked of the host, and the answers: recorded, redacted, played back.

pub(crate) mod bodies;
pub mod cases;
pub mod recorder;
pub mod redact;
pub mod tape;
