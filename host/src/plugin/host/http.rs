//! `http`: requests to services that the operator lists.

use crate::{
    plugin::{
        bindings::maro::plugin::http::{Host, HttpError, HttpErrorKind, Request, Response},
        grants::Grant,
        instance::Invocation,
    },
    texts,
};

impl Host for Invocation {
    async fn send(&mut self, _request: Request) -> wasmtime::Result<Result<Response, HttpError>> {
        self.count_host_call()?;
        Ok(Err(HttpError { kind: HttpErrorKind::Denied, message: texts::denied(Grant::Http.as_str()) }))
    }
}
