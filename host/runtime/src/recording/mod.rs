//! What commands asked of the host, and the answers: recorded, redacted, played back.

pub(crate) mod bodies;
pub mod cases;
mod matching;
pub mod recorder;
pub mod redact;
mod secret_names;
pub(crate) mod standins;
pub mod tape;
