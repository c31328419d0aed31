//! `settings`: what the operator sets for a plugin.

use crate::{
    capabilities::call::Call, interface::bindings::maro::plugin::settings::Host, invocation::Invocation,
    policy::grants::Grant,
};

impl Host for Invocation {
    async fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let granted = Call::begin(self, Grant::Settings).is_ok();
        Ok(self.authority.manifest.settings.get(&name).filter(|_| granted).cloned())
    }

    async fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        if Call::begin(self, Grant::Settings).is_err() {
            return Ok(Vec::new());
        }
        let settings = &self.authority.manifest.settings;
        Ok(settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}
