//! `storage`: texts that a plugin keeps.

use crate::{
    plugin::{
        bindings::maro::plugin::storage::{Host, Scope, StorageError, StorageErrorKind},
        grants::Grant,
        instance::Invocation,
    },
    texts,
};

impl Host for Invocation {
    async fn get(
        &mut self,
        _scope: Scope,
        _key: String,
    ) -> wasmtime::Result<Result<Option<String>, StorageError>> {
        self.refuse_storage()
    }

    async fn set(
        &mut self,
        _scope: Scope,
        _key: String,
        _value: String,
    ) -> wasmtime::Result<Result<(), StorageError>> {
        self.refuse_storage()
    }

    async fn delete(&mut self, _scope: Scope, _key: String) -> wasmtime::Result<Result<bool, StorageError>> {
        self.refuse_storage()
    }

    async fn swap(
        &mut self,
        _scope: Scope,
        _key: String,
        _expected: Option<String>,
        _new: Option<String>,
    ) -> wasmtime::Result<Result<bool, StorageError>> {
        self.refuse_storage()
    }

    async fn list_keys(
        &mut self,
        _scope: Scope,
        _prefix: String,
    ) -> wasmtime::Result<Result<Vec<String>, StorageError>> {
        self.refuse_storage()
    }
}

impl Invocation {
    fn refuse_storage<T>(&mut self) -> wasmtime::Result<Result<T, StorageError>> {
        self.count_host_call()?;
        let message = texts::denied(Grant::Storage.as_str());
        Ok(Err(StorageError { kind: StorageErrorKind::Denied, message }))
    }
}
