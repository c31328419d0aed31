//! The clock for guests' CPU time. What a guest has used is compared with its limit at each tick, in
//! `runtime/src/running/invoke.rs`.

use std::thread;

use anyhow::Context as _;
use wasmtime::Engine;

use crate::policy::limits::EPOCH_TICK;

/// Advances the epoch from a thread of its own, so that a guest that never waits is still interrupted
/// when it holds every thread of the runtime. The thread ends with the engine.
pub(super) fn start_clock(engine: &Engine) -> anyhow::Result<()> {
    let weak = engine.weak();
    thread::Builder::new()
        .name("maro-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(EPOCH_TICK);
            }
        })
        .context("can't start the thread that limits CPU time")?;
    Ok(())
}
