//! What operators' machines ask.

use std::time::Duration;

pub(super) mod health;
pub(super) mod metrics;
pub(super) mod once_a_second;
pub(crate) mod routes;

/// How long the database may take before it counts as gone.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);
