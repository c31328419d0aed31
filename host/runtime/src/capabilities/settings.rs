//! `settings`: what the operator sets for a plugin.

use crate::{
    interface::bindings::maro::plugin::settings::Host, invocation::Invocation, policy::grants::Grant,
};

impl Host for Invocation {
    async fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        let granted = self.authorised(Grant::Settings).is_ok();
        Ok(self.manifest.settings.get(&name).filter(|_| granted).cloned())
    }

    async fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_host_call()?;
        if self.authorised(Grant::Settings).is_err() {
            return Ok(Vec::new());
        }
        let settings = &self.manifest.settings;
        Ok(settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}
