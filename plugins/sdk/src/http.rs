//! Requests to other services: those that the operator lists in `[http] hosts`. Grant: `http`.
//!
//! ```no_run
//! use maro_plugin::{RunError, http};
//!
//! fn on_call() -> Result<String, RunError> {
//!     let response = http::get("https://rota.example.com/today").header("accept", "text/plain").send()?;
//!     if response.status != 200 {
//!         return Err(RunError::failed("The rota doesn't say who is on call."));
//!     }
//!     Ok(response.text())
//! }
//! ```

pub use crate::bindings::maro::plugin::http::{Header, HttpError, HttpErrorKind, Method, Request, Response};
use crate::{bindings::maro::plugin::http, host::host};

/// A `GET` request for a URL, ready to be sent.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// A `POST` request with a body, ready to be sent. Set the body's type with [`Request::header`].
pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
    Request { body: Some(body.into()), ..Request::new(Method::Post, url) }
}

impl Request {
    /// A request without headers or a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: None }
    }

    /// Adds a header. A request can have up to 50.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Sends it and waits at most 10 seconds for the whole response, whatever its status. One command can
    /// send up to 10 requests.
    ///
    /// # Errors
    /// There's no response. Unless the request was rejected, the service may still have acted on it.
    pub fn send(&self) -> Result<Response, HttpError> {
        host!(http::send(self))
    }
}

impl Response {
    /// The body as text. Bytes that aren't UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of the first header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&header.value)
    }
}
