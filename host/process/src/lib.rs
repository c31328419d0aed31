//! What every part of the process stands on: time, secrets, memory, logs, traces, metrics, work that is waited for, and
//! outgoing HTTP.

pub mod bounded_file;
pub mod breaker;
pub mod clock;
pub mod container_memory;
pub mod descriptors;
pub mod http;
pub mod in_time_or_late;
pub mod metrics;
pub mod outage_log;
pub mod replaceable;
pub mod secret;
pub mod spans;
pub mod stop_signal;
pub mod telemetry;
pub mod toml_depth;
pub mod toml_problem;
pub mod traces;
pub mod ttl_cache;
