//! `http`: requests to services that the operator lists.

use crate::{
    capabilities::{
        author_of_writes,
        permitted_call::{Call, CallError},
    },
    interface::bindings::maro::plugin::http::{
        Header, Host, HttpError, HttpErrorKind, Method, Request, Response,
    },
    invocation::Invocation,
    outbound::{
        request::{OutboundRequest, Parts},
        response::{OutboundError, OutboundResponse},
    },
    policy::{
        denials::Denial,
        functions::Function,
        grants::Grant,
        secrets::{Unfilled, UnreadableSecret},
    },
};
use maro_domain::issue::one_line;
use maro_process::telemetry::error_chain;
use maro_texts as texts;

/// The most requests of one invocation.
const MAX_REQUESTS: u32 = 10;

/// The longest host that is shown to people.
const MAX_SHOWN_HOST: usize = 100;

impl Host for Invocation {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, HttpError>> {
        let method = method_name(request.method);
        let changes = !matches!(method, "GET" | "HEAD");
        let function = if changes { Function::SEND_WRITING } else { Function::SEND_READING };
        let (call, request) = match self.outbound_request(function, method, request) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let host = one_line(&request.host(), MAX_SHOWN_HOST);
        let what = format!("{method} {host}");
        let author = author_of_writes::author(self, &call.caller);
        if changes && self.timed(call.capabilities.audit.begin(&author, "http", &what)).await.is_err() {
            self.authority.note_outage("the database");
            let sentence = texts::failures::database::NOTHING_WRITTEN.to_owned();
            return Ok(Err(error(HttpErrorKind::Unreachable, sentence)));
        }
        if changes {
            self.changes.note_begun();
        }
        let answer = self.timed(call.capabilities.outbound.send(request)).await;
        if changes {
            let outcome = match &answer {
                Ok(response) => response.status.to_string(),
                Err(error) => error.to_string(),
            };
            author_of_writes::note(self, "http", &what, &outcome);
            self.timed(call.capabilities.audit.ended(&author, "http", &what, &outcome)).await;
        }
        Ok(answer.map(guest_response).map_err(|error| self.outbound_failed(&error, host)))
    }
}

impl Invocation {
    /// Checks the grant, the request and its host, or says why it isn't sent.
    fn outbound_request(
        &mut self,
        function: Function,
        method: &str,
        request: Request,
    ) -> Result<(Call, OutboundRequest), HttpError> {
        let call = Call::begin(self, function)?;
        let invalid = |sentence: String| error(HttpErrorKind::InvalidRequest, sentence);
        let headers: Vec<_> = request.headers.into_iter().map(|header| (header.name, header.value)).collect();
        let parts = Parts { method, url: &request.url, headers: &headers, body: request.body };
        let mut request = OutboundRequest::new(parts, call.capabilities.outbound.reach()).map_err(invalid)?;
        let manifest = &self.authority.manifest;
        if !request.is_allowed(&manifest.hosts, &manifest.private_hosts) {
            let host = one_line(&request.host(), MAX_SHOWN_HOST);
            return Err(error(
                HttpErrorKind::Denied,
                self.authority.deny(Grant::Http, Denial::OtherHost(host)),
            ));
        }
        let secrets = &manifest.secrets;
        if let Err(unfilled) = request.fill_in(secrets) {
            let host = one_line(&request.host(), MAX_SHOWN_HOST);
            let denial = match unfilled {
                Unfilled::TooLarge => return Err(invalid(texts::plugins::requests::headers_too_large(16))),
                Unfilled::Unreadable(UnreadableSecret { name, file, problem }) => {
                    let (plugin, file) = (&*self.authority.plugin, file.display());
                    tracing::warn!(plugin, secret = name, %file, problem, "the file of a plugin's secret can't be used");
                    let sentence = texts::failures::services::secret_unreadable(&host);
                    return Err(error(HttpErrorKind::Unreachable, sentence));
                }
                Unfilled::Unknown(secret) => Denial::NoSecret(secret),
                Unfilled::OtherHost(secret) => Denial::SecretForOtherHost { secret, host },
            };
            return Err(error(HttpErrorKind::Denied, self.authority.deny(Grant::Http, denial)));
        }
        if !self.budget.takes_http_request(MAX_REQUESTS) {
            return Err(invalid(texts::plugins::requests::too_many_requests(MAX_REQUESTS)));
        }
        Ok((call, request))
    }

    /// Tells the operator why there is no response, and the guest what to tell the person.
    fn outbound_failed(&mut self, failure: &OutboundError, host: String) -> HttpError {
        if !matches!(failure, OutboundError::Private) {
            let (plugin, error) = (&*self.authority.plugin, error_chain(failure));
            tracing::warn!(plugin, host, error, "an outbound request failed");
        }
        match failure {
            OutboundError::Unreachable(_) => {
                error(HttpErrorKind::Unreachable, texts::failures::services::unreachable(&host))
            }
            OutboundError::Private => {
                error(HttpErrorKind::Denied, self.authority.deny(Grant::Http, Denial::PrivateHost(host)))
            }
            OutboundError::TimedOut => {
                error(HttpErrorKind::TimedOut, texts::failures::services::timed_out(&host))
            }
            OutboundError::TooLarge => {
                error(HttpErrorKind::TooLarge, texts::failures::services::response_too_large(&host))
            }
        }
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

fn guest_response(response: OutboundResponse) -> Response {
    let headers = response.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    Response { status: response.status, headers, body: response.body }
}

impl From<CallError> for HttpError {
    fn from(error: CallError) -> Self {
        let (kind, message) = match error {
            CallError::Denied(message) => (HttpErrorKind::Denied, message),
            CallError::InvalidArgument(message) => (HttpErrorKind::InvalidRequest, message),
        };
        Self { kind, message }
    }
}

fn error(kind: HttpErrorKind, message: String) -> HttpError {
    HttpError { kind, message }
}
