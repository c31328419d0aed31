//! `storage`: texts that a plugin keeps.

use std::sync::Arc;

use crate::{
    capabilities::{
        author_of_writes, panicked,
        permitted_call::{Call, CallError},
    },
    interface::bindings::maro::plugin::storage::{Host, Scope, StorageError, StorageErrorKind},
    invocation::{Invocation, authority::Authority},
    policy::functions::Function,
};
use jiff::Timestamp;
use maro_domain::{caller::Caller, issue::one_line};
use maro_store::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
    plugin_storage::{Change, Changed, Condition, Owner, Space},
};
use maro_texts as texts;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 200;

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// The longest time after which a value is gone, in seconds: ten years.
const MAX_LIFETIME: i64 = 315_360_000;

/// The most keys that one call lists.
const MAX_LISTED: u32 = 1_000;

impl Host for Invocation {
    async fn get(
        &mut self,
        scope: Scope,
        key: String,
    ) -> wasmtime::Result<Result<Option<String>, StorageError>> {
        Ok(self.stored(scope, &key).await)
    }

    async fn set(
        &mut self,
        scope: Scope,
        key: String,
        value: String,
    ) -> wasmtime::Result<Result<(), StorageError>> {
        let change = Change { key: &key, condition: Condition::Any, new: Some(&value), expires_at: None };
        Ok(self.change(scope, Function::SET_VALUE, "storage set", change).await.map(|_| ()))
    }

    async fn set_expiring(
        &mut self,
        scope: Scope,
        key: String,
        value: String,
        seconds: u64,
    ) -> wasmtime::Result<Result<(), StorageError>> {
        Ok(self.set_for(scope, &key, &value, seconds).await)
    }

    async fn add(
        &mut self,
        scope: Scope,
        key: String,
        amount: i64,
    ) -> wasmtime::Result<Result<i64, StorageError>> {
        Ok(self.add_to(scope, &key, amount).await)
    }

    async fn delete(&mut self, scope: Scope, key: String) -> wasmtime::Result<Result<bool, StorageError>> {
        let change = Change { key: &key, condition: Condition::Any, new: None, expires_at: None };
        let changed = self.change(scope, Function::DELETE_VALUE, "storage delete", change).await;
        Ok(changed.map(|changed| changed == Changed::Yes { had_value: true }))
    }

    async fn swap(
        &mut self,
        scope: Scope,
        key: String,
        expected: Option<String>,
        new: Option<String>,
    ) -> wasmtime::Result<Result<bool, StorageError>> {
        let condition = Condition::Is(expected.as_deref());
        let change = Change { key: &key, condition, new: new.as_deref(), expires_at: None };
        let changed = self.change(scope, Function::SWAP, "storage swap", change).await;
        Ok(changed.map(|changed| changed != Changed::ConditionFails))
    }

    async fn list_keys(
        &mut self,
        scope: Scope,
        prefix: String,
    ) -> wasmtime::Result<Result<Vec<String>, StorageError>> {
        Ok(self.stored_keys(scope, &prefix).await)
    }
}

/// The texts of `plugin` in a scope, for the caller.
fn space<'a>(caller: &'a Caller, plugin: &'a str, scope: Scope, now: Timestamp) -> Space<'a> {
    let owner = match scope {
        Scope::Channel => Owner::Channel(&caller.channel),
        Scope::Plugin => Owner::Plugin,
        Scope::Person => Owner::Person(&caller.user, caller.foreign_team.as_ref()),
    };
    Space { plugin, owner, now }
}

/// A change that outlives the guest's call.
struct OwnedChange {
    key: String,
    condition: Option<Option<String>>,
    new: Option<String>,
    expires_at: Option<i64>,
}

impl OwnedChange {
    fn of(change: Change<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let condition = match change.condition {
            Condition::Any => None,
            Condition::Is(expected) => Some(owned(expected)),
        };
        Self { key: change.key.to_owned(), condition, new: owned(change.new), expires_at: change.expires_at }
    }

    fn change(&self) -> Change<'_> {
        let condition = self.condition.as_ref().map_or(Condition::Any, |is| Condition::Is(is.as_deref()));
        Change { key: &self.key, condition, new: self.new.as_deref(), expires_at: self.expires_at }
    }
}

/// The word for what came of a change, if anything did.
fn outcome(changed: &Result<Changed, DatabaseError>, change: Change<'_>) -> Option<&'static str> {
    match changed {
        Ok(Changed::Yes { had_value: false }) if change.new.is_none() => None,
        Ok(Changed::Yes { .. } | Changed::Sum(_)) => Some("done"),
        Ok(Changed::ConditionFails | Changed::NoNumber) => None,
        Ok(Changed::Full) => Some("full"),
        Err(_) => Some("failed"),
    }
}

impl Invocation {
    async fn stored(&mut self, scope: Scope, key: &str) -> Result<Option<String>, StorageError> {
        let call = Call::begin(self, Function::GET_VALUE)?;
        check(key, &[])?;
        let plugin = Arc::clone(&self.authority.plugin);
        let space = space(&call.caller, &plugin, scope, call.capabilities.clock.now());
        let answer = self.timed(call.capabilities.storage.get(space, key)).await;
        answer.map_err(|error| failed(&self.authority, &error))
    }

    async fn stored_keys(&mut self, scope: Scope, prefix: &str) -> Result<Vec<String>, StorageError> {
        let call = Call::begin(self, Function::LIST_KEYS)?;
        if prefix.len() > MAX_KEY_BYTES {
            // No key can be that long.
            return Ok(Vec::new());
        }
        let plugin = Arc::clone(&self.authority.plugin);
        let space = space(&call.caller, &plugin, scope, call.capabilities.clock.now());
        let answer = self.timed(call.capabilities.storage.list_keys(space, prefix, MAX_LISTED)).await;
        answer.map_err(|error| failed(&self.authority, &error))
    }

    async fn set_for(
        &mut self,
        scope: Scope,
        key: &str,
        value: &str,
        seconds: u64,
    ) -> Result<(), StorageError> {
        let call = Call::begin(self, Function::SET_EXPIRING)?;
        let lifetime = i64::try_from(seconds).ok().filter(|seconds| (1..=MAX_LIFETIME).contains(seconds));
        let Some(lifetime) = lifetime else {
            return Err(
                CallError::InvalidArgument(texts::plugins::requests::storage_lifetime(MAX_LIFETIME)).into()
            );
        };
        let expires_at = Some(call.capabilities.clock.now().as_second().saturating_add(lifetime));
        let change = Change { key, condition: Condition::Any, new: Some(value), expires_at };
        self.change(scope, Function::SET_EXPIRING, "storage set", change).await.map(|_| ())
    }

    async fn add_to(&mut self, scope: Scope, key: &str, amount: i64) -> Result<i64, StorageError> {
        let change = Change { key, condition: Condition::Any, new: None, expires_at: None };
        match self.make(scope, Function::ADD, "storage add", change, Some(amount)).await? {
            Changed::Sum(sum) => Ok(sum),
            _ => Err(CallError::InvalidArgument(texts::plugins::requests::not_a_stored_number()).into()),
        }
    }

    async fn change(
        &mut self,
        scope: Scope,
        function: Function,
        action: &'static str,
        change: Change<'_>,
    ) -> Result<Changed, StorageError> {
        self.make(scope, function, action, change, None).await
    }

    /// Makes a change, or adds an amount instead, and notes it if anything changed.
    async fn make(
        &mut self,
        scope: Scope,
        function: Function,
        action: &'static str,
        change: Change<'_>,
        amount: Option<i64>,
    ) -> Result<Changed, StorageError> {
        let call = Call::begin(self, function)?;
        check(change.key, &[change.condition.expected(), change.new])?;
        let owner = match scope {
            Scope::Channel => "channel",
            Scope::Plugin => "plugin",
            Scope::Person => "person",
        };
        let what = format!("{owner} {}", one_line(change.key, MAX_KEY_BYTES));
        let writer = author_of_writes::writer(self, &call.caller);
        let (plugin, quota) = (Arc::clone(&self.authority.plugin), self.budget.limits.storage());
        let (capabilities, caller) = (Arc::clone(&call.capabilities), Arc::clone(&call.caller));
        let owned = OwnedChange::of(change);
        let work = async move {
            let (change, now) = (owned.change(), capabilities.clock.now());
            let space = space(&caller, &plugin, scope, now);
            let entry = Entry { action, subject: &what, outcome: "done" };
            let noted = Noted { author: &writer.author, entry, at: now };
            let changed = match amount {
                Some(amount) => capabilities.storage.add(space, change.key, amount, quota, noted).await,
                None => capabilities.storage.change(space, change, quota, noted).await,
            };
            if let Some(outcome) = outcome(&changed, change) {
                writer.note(action, &what, outcome);
            }
            changed
        };
        let changed = self.run_to_its_end(&call, work).await.unwrap_or_else(|| Err(panicked()));
        match changed.map_err(|error| failed(&self.authority, &error))? {
            Changed::Full => {
                Err(refused(StorageErrorKind::Full, texts::failures::database::STORAGE_FULL.to_owned()))
            }
            changed => Ok(changed),
        }
    }
}

/// Checks the length of a key and of values.
fn check(key: &str, values: &[Option<&str>]) -> Result<(), CallError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(CallError::InvalidArgument(texts::plugins::requests::storage_key_length(MAX_KEY_BYTES)));
    }
    if values.iter().flatten().any(|value| value.len() > MAX_VALUE_BYTES) {
        let sentence = texts::plugins::requests::stored_value_too_large(MAX_VALUE_BYTES / 1024);
        return Err(CallError::InvalidArgument(sentence));
    }
    Ok(())
}

impl From<CallError> for StorageError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Denied(message) => refused(StorageErrorKind::Denied, message),
            CallError::InvalidArgument(message) => refused(StorageErrorKind::InvalidArgument, message),
        }
    }
}

fn refused(kind: StorageErrorKind, message: String) -> StorageError {
    StorageError { kind, message }
}

/// Logs for the operator that the database failed, and returns the sentence for the person.
fn failed(authority: &Authority, error: &DatabaseError) -> StorageError {
    authority.note_outage("the database");
    refused(StorageErrorKind::Unavailable, texts::failures::database::storage_failed(error))
}
