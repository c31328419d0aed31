//! The connections of the simulated site. Faults happen here, before a request reaches a route.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    response::Response,
};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, service::Service as _};
use hyper_util::service::TowerToHyperService;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    breakable_connection,
    jira::{
        api::{
            answers::json_answer,
            routes::{refuse_strangers, router},
            shapes::{self, Api},
        },
        faults::{JiraFault, answers},
        received::ReceivedRequest,
        state::SiteState,
    },
};

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Ends the exchange without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulated site resets the connection")]
struct Reset;

/// Accepts connections until `stop` is cancelled.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<SiteState>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let router = router(shared.clone());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        // If a connection fails before it is accepted, the client handles that.
        let Ok((stream, _)) = accepted else { continue };
        tasks.spawn(serve(stream, router.clone(), shared.clone(), stop.clone()));
    }
}

async fn serve(stream: TcpStream, router: Router, shared: Arc<SiteState>, stop: CancellationToken) {
    let answer = |request| exchange(request, router.clone(), shared.clone(), stop.clone());
    breakable_connection::serve(stream, answer, &stop).await;
}

async fn exchange(
    request: Request<Incoming>,
    router: Router,
    shared: Arc<SiteState>,
    stop: CancellationToken,
) -> Result<Response, Reset> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        let errors = shapes::errors("The request is too large.");
        return Ok(json_answer(StatusCode::PAYLOAD_TOO_LARGE, &errors));
    };
    let body = body.to_bytes();
    let mut after = None;
    let _under_way;
    let api = Api::of_path(parts.uri.path());
    if api.is_some() || Api::is_agile(parts.uri.path()) {
        let received = ReceivedRequest::new(&parts.method, &parts.uri, &parts.headers, &body);
        shared.received().push(received);
        _under_way = UnderWay(shared.clone());
        after = shared.faults().next(parts.uri.path(), &body);
        if let Some(fault) = &after
            && let Some(response) = fail(fault, parts.uri.path(), &stop).await?
        {
            return Ok(response);
        }
        if let Some(refusal) = refuse_strangers(api, &parts.headers) {
            return Ok(refusal);
        }
    }
    let routed = route(router, Request::from_parts(parts, body));
    let response = match after {
        Some(JiraFault::DoneLate(delay)) => late(delay, routed, stop.clone()).await.map_err(|_| Reset)?,
        Some(JiraFault::GivenUpThenDone(delay)) => {
            late(delay, routed, stop);
            return Ok(answers::answer_after(504));
        }
        _ => routed.await,
    };
    match after {
        Some(fault) => fail_after(&fault, response, &stop).await,
        None => Ok(response),
    }
}

/// A request that has not been answered, until dropped.
struct UnderWay(Arc<SiteState>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.received().end();
    }
}

/// Acts out a fault: answers, never answers, or returns `None` to continue as usual.
async fn fail(fault: &JiraFault, path: &str, stop: &CancellationToken) -> Result<Option<Response>, Reset> {
    match fault {
        JiraFault::Reset => Err(Reset),
        JiraFault::Hang => {
            stop.cancelled().await;
            Err(Reset)
        }
        JiraFault::Slow(delay) => {
            stop.run_until_cancelled(tokio::time::sleep(*delay)).await;
            Ok(None)
        }
        other => Ok(answers::answer(other, path)),
    }
}

/// Acts out a fault after the request was carried out: the right answer gets lost.
async fn fail_after(
    fault: &JiraFault,
    response: Response,
    stop: &CancellationToken,
) -> Result<Response, Reset> {
    match fault {
        JiraFault::DoneThenReset => Err(Reset),
        JiraFault::DoneThenHang => {
            stop.cancelled().await;
            Err(Reset)
        }
        JiraFault::OddErrors => Ok(answers::with_odd_errors(response).await),
        JiraFault::DoneThenStatus(status) => Ok(answers::answer_after(*status)),
        _ => Ok(response),
    }
}

/// Carries out a request later, whatever becomes of its connection.
fn late(
    delay: Duration,
    routed: impl Future<Output = Response> + Send + 'static,
    stop: CancellationToken,
) -> JoinHandle<Response> {
    tokio::spawn(async move {
        stop.run_until_cancelled(tokio::time::sleep(delay)).await;
        routed.await
    })
}

async fn route(router: Router, request: Request<Bytes>) -> Response {
    let result: Result<_, Infallible> = TowerToHyperService::new(router).call(request.map(Body::from)).await;
    match result {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
