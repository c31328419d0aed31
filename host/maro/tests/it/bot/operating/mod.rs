//! What operators meet: starting, stopping, outages, replicas, logs and figures.

pub(super) mod breaker_faults;
pub(super) mod credentials;
pub(super) mod faults;
pub(super) mod lost_answers;
pub(super) mod metrics;
pub(super) mod outages;
pub(super) mod replicas;
pub(super) mod secrets;
pub(super) mod start_up;
pub(super) mod stopping;
pub(super) mod surroundings;
