//! Requests to other services, those that the operator lists in `[http] hosts`. Grant: `http`.
//!
//! ```no_run
//! use maro_plugin::{RunError, http};
//!
//! fn on_call() -> Result<String, RunError> {
//!     let response = http::get("https://rota.example.com/today").header("accept", "text/plain").send()?;
//!     if response.status != 200 {
//!         return Err(RunError::failed("The rota does not say who is on call."));
//!     }
//!     Ok(response.text())
//! }
//! ```

pub use crate::bindings::maro::plugin::http::{Header, HttpError, HttpErrorKind, Method, Request, Response};
use crate::{bindings::maro::plugin::http, host::host};

/// A `GET` of a URL, to be sent.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// A `POST` of a body to a URL, to be sent. Give its type with [`Request::header`].
pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
    Request { body: Some(body.into()), ..Request::new(Method::Post, url) }
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: None }
    }

    /// Adds a header. At most 50.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Sends it and waits at most 10 seconds for the whole answer, of whatever status. At most 10 requests in
    /// one command.
    ///
    /// # Errors
    /// There is no answer. Unless it was refused, the service may have acted on the request all the same.
    pub fn send(&self) -> Result<Response, HttpError> {
        host!(http::send(self))
    }
}

impl Response {
    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&header.value)
    }
}
