//! Posting late answers: what is retried, what isn't, and which hosts it may reach.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use maro_slack::{
    outgoing::message::Message,
    outgoing::response_url::{PostError, ResponseUrl, ResponseUrlClient, ResponseUrlPolicy},
};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{caller, channel, config, lines, renderer, serve, text};
use maro_domain::reply::Visibility;

type Answer = (StatusCode, &'static [(&'static str, &'static str)], &'static str);

/// Answers from a list, repeating the last one, and keeps what it was sent.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    received: Arc<Mutex<Vec<Bytes>>>,
}

async fn play(State(script): State<Script>, body: Bytes) -> Response {
    script.received.lock().unwrap().push(body);
    let mut answers = script.answers.lock().unwrap();
    let (status, headers, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn message() -> Message {
    renderer().render(&lines(Visibility::Caller, vec![vec![text("later")]]), &channel(), &caller())
}

fn admit(base: &Url) -> ResponseUrl {
    let policy = ResponseUrlPolicy::new(&config(base.join("api").unwrap()));
    policy.admit(base.join("commands/T1/2/3").unwrap().as_str()).unwrap()
}

/// Posts one message to a Slack that gives these answers, and returns how many times it was asked.
async fn post_to(answers: Vec<Answer>) -> (Result<(), PostError>, usize) {
    let script = Script { answers: Arc::new(Mutex::new(answers)), received: Arc::default() };
    let router = Router::new().fallback(post(play)).with_state(script.clone());
    let base = serve(router).await;
    let outcome = ResponseUrlClient::default().post(&admit(&base), &message()).await;
    let received = script.received.lock().unwrap();
    assert!(received.iter().all(|body| *body == message().to_follow_up()));
    (outcome, received.len())
}

const OK: Answer = (StatusCode::OK, &[], "ok");

#[tokio::test]
async fn a_message_is_posted_once_if_slack_takes_it() {
    assert!(matches!(post_to(vec![OK]).await, (Ok(()), 1)));
}

#[tokio::test]
async fn failures_of_slack_and_rate_limits_are_retried() {
    let failed = (StatusCode::SERVICE_UNAVAILABLE, &[][..], "");
    let limited = (StatusCode::TOO_MANY_REQUESTS, &[("retry-after", "0")][..], "");
    assert!(matches!(post_to(vec![failed, limited, OK]).await, (Ok(()), 3)));
}

#[tokio::test]
async fn what_a_proxy_gave_up_on_may_have_been_shown() {
    for status in [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT] {
        let (outcome, attempts) = post_to(vec![(status, &[], ""), OK]).await;
        assert!(matches!(outcome, Err(PostError::Failed { .. })), "{outcome:?}");
        assert_eq!(attempts, 1);
    }
}

#[tokio::test]
async fn four_attempts_are_all() {
    let (outcome, attempts) = post_to(vec![(StatusCode::INTERNAL_SERVER_ERROR, &[], "")]).await;
    assert!(matches!(outcome, Err(PostError::Failed { status: 500 })), "{outcome:?}");
    assert_eq!(attempts, 4);
}

#[tokio::test]
async fn a_message_that_may_have_been_shown_is_not_posted_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let silent = move || {
        count.fetch_add(1, Ordering::AcqRel);
        std::future::pending::<StatusCode>()
    };
    let base = serve(Router::new().fallback(post(silent))).await;
    let outcome = ResponseUrlClient::default().post(&admit(&base), &message()).await;
    assert!(matches!(outcome, Err(PostError::TimedOut(_))), "{outcome:?}");
    assert_eq!(asked.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn a_wait_that_nobody_would_sit_out_is_not_begun() {
    let limited = (StatusCode::TOO_MANY_REQUESTS, &[("retry-after", "3600")][..], "");
    let (outcome, attempts) = post_to(vec![limited]).await;
    assert!(matches!(outcome, Err(PostError::RateLimited { retry_after }) if retry_after.as_secs() == 3600));
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn an_expired_address_and_a_refused_message_are_not_retried() {
    for gone in [StatusCode::NOT_FOUND, StatusCode::GONE] {
        assert!(matches!(post_to(vec![(gone, &[], "expired_url")]).await, (Err(PostError::Expired), 1)));
    }
    let used = (StatusCode::OK, &[][..], r#"{"ok":false,"error":"used_url"}"#);
    assert!(matches!(post_to(vec![used]).await, (Err(PostError::Expired), 1)));
    let (outcome, attempts) = post_to(vec![(StatusCode::BAD_REQUEST, &[], "invalid_blocks")]).await;
    assert!(
        matches!(&outcome, Err(PostError::Refused { status: 400, reason }) if reason == "invalid_blocks"),
        "{outcome:?}"
    );
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = (StatusCode::TEMPORARY_REDIRECT, &[("location", "/elsewhere")][..], "");
    let (outcome, attempts) = post_to(vec![elsewhere]).await;
    assert!(matches!(outcome, Err(PostError::Refused { status: 307, .. })), "{outcome:?}");
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn five_posts_are_all_that_slack_takes() {
    let script = Script { answers: Arc::new(Mutex::new(vec![OK])), received: Arc::default() };
    let base = serve(Router::new().fallback(post(play)).with_state(script.clone())).await;
    let (client, url) = (ResponseUrlClient::default(), admit(&base));
    for _ in 0..5 {
        client.post(&url, &message()).await.unwrap();
    }
    assert!(matches!(client.post(&url, &message()).await, Err(PostError::Expired)));
    assert_eq!(script.received.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn an_unreachable_slack_is_named_without_the_address_and_spends_no_use() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let (client, url) = (ResponseUrlClient::default(), admit(&base));
    for _ in 0..2 {
        let error = client.post(&url, &message()).await.unwrap_err();
        assert!(matches!(error, PostError::Unreachable(_)), "{error:?}");
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains("/commands/"), "{printed}");
    }
}
