//! Whether an invocation has begun to change something, also for those who have stopped it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Shared by its clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangesBegun(Arc<AtomicBool>);

impl ChangesBegun {
    pub(crate) fn note_begun(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
