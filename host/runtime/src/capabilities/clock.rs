//! `clock`: the time of day.

use crate::{interface::bindings::maro::plugin::clock::Host, invocation::Invocation, policy::grants::Grant};

impl Host for Invocation {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        let Ok((_, capabilities)) = self.authorised(Grant::Clock) else { return Ok(0) };
        Ok(u64::try_from(capabilities.clock.now().as_second()).unwrap_or(0))
    }
}
