//! `clock`: the time of day.

use crate::{
    capabilities::call::Call, interface::bindings::maro::plugin::clock::Host, invocation::Invocation,
    policy::grants::Grant,
};

impl Host for Invocation {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        let Ok(call) = Call::begin(self, Grant::Clock) else { return Ok(0) };
        Ok(u64::try_from(call.capabilities.clock.now().as_second()).unwrap_or(0))
    }
}
