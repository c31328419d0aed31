//! The requests that the simulated site received, for tests to check.

use std::collections::VecDeque;

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Uri},
};

/// How many requests are remembered. Limited because the site may run for days.
const MAX_REMEMBERED: usize = 1_000;

/// A request to the REST API, whether or not it was answered.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    pub method: String,
    /// Includes the query.
    pub path: String,
    /// The names are lower case. Values that aren't text are left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl ReceivedRequest {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Self {
        let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self {
            method: method.to_string(),
            path: uri.to_string(),
            headers: headers.iter().filter_map(text).collect(),
            body: body.to_vec(),
        }
    }

    /// The first value of a header. The name must be lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The latest requests, oldest first, and how many there were at once.
#[derive(Debug, Default)]
pub(crate) struct Received {
    latest: VecDeque<ReceivedRequest>,
    under_way: usize,
    most_at_once: usize,
}

impl Received {
    pub(crate) fn push(&mut self, request: ReceivedRequest) {
        if self.latest.len() == MAX_REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(request);
        self.under_way += 1;
        self.most_at_once = self.most_at_once.max(self.under_way);
    }

    /// Notes that a request is over.
    pub(crate) fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once
    }

    pub(crate) fn to_vec(&self) -> Vec<ReceivedRequest> {
        self.latest.iter().cloned().collect()
    }

    pub(crate) fn take(&mut self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut self.latest).into()
    }
}
