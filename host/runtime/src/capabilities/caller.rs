//! `caller`: who typed the command.

use std::sync::Arc;

use crate::{
    capabilities::permitted_call::Call,
    interface::bindings::maro::plugin::{
        caller::Host,
        types::{HostError, HostErrorKind},
    },
    invocation::Invocation,
    policy::functions::Function,
};
use maro_texts as texts;

impl Host for Invocation {
    async fn id(&mut self) -> wasmtime::Result<Result<String, HostError>> {
        Ok(self.caller_id().await)
    }

    async fn is_admin(&mut self) -> wasmtime::Result<Result<bool, HostError>> {
        let call = Call::begin(self, Function::IS_ADMIN);
        let is_admin = call.map(|call| call.caller.is_among(&call.capabilities.admins.get()));
        Ok(is_admin.map_err(HostError::from))
    }

    async fn time_zone(&mut self) -> wasmtime::Result<Result<Option<String>, HostError>> {
        Ok(self.caller_zone().await)
    }
}

impl Invocation {
    async fn caller_id(&mut self) -> Result<String, HostError> {
        let Call { caller, capabilities, .. } = Call::begin(self, Function::CALLER_ID)?;
        let plugin = Arc::clone(&self.authority.plugin);
        let id = capabilities.caller_ids.of(&plugin, &caller, &*capabilities.storage, &capabilities.clock);
        self.timed(id).await.map_err(|error| {
            self.authority.note_outage("the database");
            unavailable(texts::failures::database::storage_failed(&error))
        })
    }

    async fn caller_zone(&mut self) -> Result<Option<String>, HostError> {
        let Call { caller, capabilities, .. } = Call::begin(self, Function::TIME_ZONE)?;
        // Slack tells the bot of its own workspace's people.
        if caller.foreign_team.is_some() {
            return Ok(None);
        }
        let zone = self.timed(capabilities.access.time_zone(&caller.user)).await;
        zone.map_err(|_| unavailable(texts::failures::services::SLACK_IS_AWAY.to_owned()))
    }
}

fn unavailable(message: String) -> HostError {
    HostError { kind: HostErrorKind::Unavailable, message }
}
