//! Work on what this replica has claimed in the database.

use std::pin::pin;

use futures_util::future::{Either, select};
use tokio::time::sleep;

use crate::{database::error::DatabaseError, freshness::CLAIM};
use maro_process::telemetry::error_chain;

/// Renews a claim for as long as the work lasts. A claim that can't be renewed ends, and somebody else may do the same
/// work: what is written is in order anyway.
pub async fn while_renewing<T, Renewed: Future<Output = Result<(), DatabaseError>>>(
    work: impl Future<Output = T>,
    renew: impl Fn() -> Renewed,
) -> T {
    let renewing = async {
        loop {
            sleep(CLAIM / 3).await;
            if let Err(error) = renew().await {
                tracing::debug!(error = error_chain(&error), "couldn't renew a claim");
            }
        }
    };
    match select(pin!(work), pin!(renewing)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}
