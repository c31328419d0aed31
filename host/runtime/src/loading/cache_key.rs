//! The names of compiled components in the cache: by their content, and by what the engine makes of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::anyhow;
use wasmtime::Engine;

use crate::engine::{self, target_processor::Cpu};

/// What distinguishes the code of an engine that compiles for `cpu`, or for the processor at hand.
///
/// # Errors
/// Code for it can't be made here.
pub(super) fn compatibility(cpu: Option<Cpu>) -> anyhow::Result<u64> {
    let engine = engine::compiling_engine(true, cpu);
    engine
        .map(|engine| own_compatibility(&engine))
        .map_err(|error| anyhow!("can't compile for this processor: {error:#}"))
}

/// What distinguishes the code of this engine.
pub(super) fn own_compatibility(engine: &Engine) -> u64 {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    compatibility.finish()
}

/// The name of a component in the cache. It depends on the engine, since engines produce different code.
pub(super) fn entry(digest: &[u8; 32], compatibility: u64) -> String {
    format!("{}-{compatibility:016x}", hex::encode(digest))
}
