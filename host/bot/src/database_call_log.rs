//! Every call of the database: counted, and an outage logged once.

use std::{sync::Arc, time::Duration};

use maro_process::{metrics::Metrics, outage_log::Outage, telemetry::error_chain};
use maro_store::{database::error::DatabaseError, observer::CallObserver};

/// The one place that logs failures of the database. The caller logs at most what follows for people.
pub(crate) struct DatabaseCallLog {
    metrics: Arc<Metrics>,
    outage: Outage,
}

impl DatabaseCallLog {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, outage: Outage::default() }
    }
}

impl CallObserver for DatabaseCallLog {
    fn ended(&self, call: &'static str, error: Option<&DatabaseError>, took: Duration) {
        self.metrics.database.ended(call, error.map_or("ok", DatabaseError::as_str), took);
        match error {
            Some(error) => {
                if self.outage.failed() {
                    tracing::error!(call, error = error_chain(error), "the database doesn't answer");
                }
            }
            None => {
                if let Some(over) = self.outage.answered() {
                    let (failures, seconds) = (over.failures, over.lasted.as_secs());
                    tracing::info!(failures, seconds, "the database answers again");
                }
            }
        }
    }
}
