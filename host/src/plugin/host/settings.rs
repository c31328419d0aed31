//! `settings`: what the operator sets for a plugin.

use crate::plugin::{bindings::maro::plugin::settings::Host, instance::Invocation};

impl Host for Invocation {
    async fn get(&mut self, _name: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(None)
    }

    async fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_host_call()?;
        Ok(Vec::new())
    }
}
