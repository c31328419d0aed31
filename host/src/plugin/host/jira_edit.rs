//! `jira-edit`: changing Jira.

use crate::{
    plugin::{
        bindings::maro::plugin::{
            jira_edit::{AvailableTransition, EditError, EditErrorKind, Host, NewIssue},
            types::{Issue, JiraErrorKind, JiraUser},
        },
        grants::Grant,
        instance::Invocation,
    },
    texts,
};

impl Host for Invocation {
    async fn comment(&mut self, _key: String, _text: String) -> wasmtime::Result<Result<(), EditError>> {
        self.refuse_edit()
    }

    async fn list_transitions(
        &mut self,
        _key: String,
    ) -> wasmtime::Result<Result<Vec<AvailableTransition>, EditError>> {
        self.refuse_edit()
    }

    async fn transition(
        &mut self,
        _key: String,
        _transition_id: String,
    ) -> wasmtime::Result<Result<(), EditError>> {
        self.refuse_edit()
    }

    async fn find_assignable(
        &mut self,
        _key: String,
        _words: String,
    ) -> wasmtime::Result<Result<Vec<JiraUser>, EditError>> {
        self.refuse_edit()
    }

    async fn assign(
        &mut self,
        _key: String,
        _user_id: Option<String>,
    ) -> wasmtime::Result<Result<(), EditError>> {
        self.refuse_edit()
    }

    async fn create(&mut self, _issue: NewIssue) -> wasmtime::Result<Result<Issue, EditError>> {
        self.refuse_edit()
    }
}

impl Invocation {
    fn refuse_edit<T>(&mut self) -> wasmtime::Result<Result<T, EditError>> {
        self.count_host_call()?;
        let message = texts::denied(Grant::JiraEdit.as_str());
        Ok(Err(EditError { kind: EditErrorKind::Jira(JiraErrorKind::Denied), message }))
    }
}
