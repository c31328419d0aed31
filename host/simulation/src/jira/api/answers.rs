//! What the routes share: reading a request, and answering it as Jira does.

use std::sync::Arc;

use axum::{
    RequestExt as _, RequestPartsExt as _,
    body::{Body, Bytes},
    extract::{FromRequest, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::jira::{
    api::shapes::{self, Api, Links},
    data::issue::SimulatedIssue,
    state::SiteState,
};

/// A parsed request to change an existing issue.
pub(crate) struct ChangeRequest<T> {
    shared: Arc<SiteState>,
    uri: Uri,
    key: String,
    asked: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<SiteState>> for ChangeRequest<T> {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Arc<SiteState>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let key = parts.extract::<Path<String>>().await.map_err(IntoResponse::into_response)?;
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let body = Request::from_parts(parts, body).extract::<Bytes, _>().await;
        let asked =
            read_json(&headers, &body.map_err(IntoResponse::into_response)?).map_err(BadBody::answer)?;
        let request = Self { shared: Arc::clone(shared), uri, key: key.0, asked };
        match shared.site().find(&request.key) {
            Some(_) => Ok(request),
            None => Err(no_issue(request.links().api)),
        }
    }
}

impl<T> ChangeRequest<T> {
    fn links(&self) -> Links<'_> {
        links(&self.shared, &self.uri)
    }

    /// Changes the issue. `change` receives what the request asks for.
    pub(crate) fn perform(
        self,
        change: impl FnOnce(&mut SimulatedIssue, T, Links<'_>) -> Response,
    ) -> Response {
        let links = links(&self.shared, &self.uri);
        match self.shared.site().find_to_change(&self.key) {
            Some(issue) => change(issue, self.asked, links),
            None => no_issue(links.api),
        }
    }
}

/// Why the body of a request can't be used.
pub(crate) enum BadBody {
    /// Its header doesn't say that it is JSON.
    Type,
    /// It isn't JSON of the right shape.
    Shape,
}

impl BadBody {
    /// Jira's refusal.
    pub(crate) fn answer(self) -> Response {
        let (status, message) = match self {
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            Self::Shape => (
                StatusCode::BAD_REQUEST,
                "Invalid request payload. Refer to the REST API documentation and try again.",
            ),
        };
        json_answer(status, &shapes::errors(message))
    }
}

pub(crate) fn json_answer(status: StatusCode, value: &Value) -> Response {
    answer(status, "application/json;charset=UTF-8", value.to_string())
}

pub(crate) fn html(status: StatusCode, page: &str) -> Response {
    answer(status, "text/html;charset=UTF-8", page.to_owned())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// There is no such issue, or it isn't visible.
pub(crate) fn no_issue(api: Api) -> Response {
    let message = match api {
        Api::Cloud => "Issue does not exist or you do not have permission to see it.",
        Api::DataCenter => "Issue Does Not Exist",
    };
    json_answer(StatusCode::NOT_FOUND, &shapes::errors(message))
}

/// The body of a request, if it is JSON of this shape.
pub(crate) fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, BadBody> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/json")) {
        return Err(BadBody::Type);
    }
    serde_json::from_slice(body).map_err(|_| BadBody::Shape)
}

/// The first value of a query parameter.
pub(crate) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn links<'a>(shared: &'a SiteState, uri: &Uri) -> Links<'a> {
    Links { site: &shared.base_url, api: Api::of_path(uri.path()).unwrap_or(Api::Cloud) }
}
