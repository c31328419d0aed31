//! Changes in tasks of their own. Once one has begun, it is completed with everything that follows from it, even if its
//! command is cut off.

use tracing::Instrument as _;

use crate::{capabilities::permitted_call::Call, invocation::Invocation};
use maro_process::telemetry::error_chain;

impl Invocation {
    /// Runs a change to its end. `None` if it panicked, which the operator has been told: what it has done is unknown.
    pub(super) async fn run_to_its_end<T: Send + 'static>(
        &mut self,
        call: &Call,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.changes.note_begun();
        let task = call.capabilities.tasks.spawn(work.in_current_span());
        let done = self.timed(task).await;
        done.inspect_err(|panic| {
            let (plugin, error) = (&*self.authority.plugin, error_chain(panic));
            tracing::error!(plugin, error, "a change panicked");
        })
        .ok()
    }
}
