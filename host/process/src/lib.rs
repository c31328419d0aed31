//! What every part of the process stands on: time, secrets, logs, metrics, and work that is waited for.

pub mod clock;
pub mod metrics;
pub mod secret;
pub mod stop_signal;
pub mod telemetry;
pub mod wait;
