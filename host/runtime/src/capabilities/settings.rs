//! `settings`: what the operator sets for a plugin.

use crate::{
    capabilities::permitted_call::Call,
    interface::bindings::maro::plugin::{settings::Host, types::HostError},
    invocation::Invocation,
    policy::functions::Function,
};

impl Host for Invocation {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<Option<String>, HostError>> {
        let granted = Call::begin(self, Function::GET_SETTING);
        let value = granted.map(|_| self.authority.manifest.settings.get(&name).cloned());
        Ok(value.map_err(HostError::from))
    }

    async fn all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, HostError>> {
        let granted = Call::begin(self, Function::ALL_SETTINGS);
        let settings = &self.authority.manifest.settings;
        let pairs = || settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(granted.map(|_| pairs()).map_err(HostError::from))
    }
}
