//! The Web API: what MARO sends, how it reads Slack's refusals, and what it tries again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use maro_domain::{ids::UserId, reply::Visibility};
use maro_slack::{
    outgoing::message::Message,
    view::{View, home::HomeView},
    web_api::{MessageTs, SlackWebApi, error::ApiError},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{caller, channel, config, lines, renderer, serve, text};

type Answer = (StatusCode, &'static [(&'static str, &'static str)], &'static str);

const OK: StatusCode = StatusCode::OK;
const POSTED: Answer =
    (OK, &[], r#"{"ok":true,"channel":"C0GENERAL01","ts":"1503435956.000247","message":{}}"#);

/// A Slack that answers from a list, repeating the last one, and keeps what it was asked.
#[derive(Clone)]
struct FakeSlack {
    answers: Arc<Mutex<Vec<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    url: Url,
}

struct Asked {
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl FakeSlack {
    async fn start<const N: usize>(answers: [Answer; N]) -> Self {
        let (answers, asked) = (Arc::new(Mutex::new(Vec::from(answers))), Arc::default());
        let slack = Self { answers, asked, url: Url::parse("http://unknown").unwrap() };
        let url = serve(Router::new().fallback(play).with_state(slack.clone())).await;
        Self { url, ..slack }
    }

    fn api(&self) -> SlackWebApi {
        SlackWebApi::new(&config(self.url.join("api").unwrap()))
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// What the only request asked for.
    fn target(&self) -> String {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].headers["authorization"], "Bearer xoxb-simulation");
        asked[0].target.clone()
    }

    fn body(&self) -> Value {
        serde_json::from_slice(&self.asked.lock().unwrap()[0].body).unwrap()
    }
}

async fn play(State(slack): State<FakeSlack>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let target = parts.uri.path_and_query().unwrap().to_string();
    slack.asked.lock().unwrap().push(Asked { target, headers: parts.headers, body });
    let mut answers = slack.answers.lock().unwrap();
    let (status, headers, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
    let mut response = (status, [("content-type", "application/json; charset=utf-8")], body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn message() -> Message {
    renderer().render(
        &lines(Visibility::Channel, vec![vec![text("Created <SCRUM-5>")]]),
        &channel(),
        &caller(),
    )
}

async fn post_to<const N: usize>(answers: [Answer; N]) -> (Result<MessageTs, ApiError>, usize) {
    let slack = FakeSlack::start(answers).await;
    let outcome = slack.api().post_message(&channel(), None, &message()).await;
    (outcome, slack.times_asked())
}

/// The outcome of an update if Slack rejects it with these words.
async fn refused(body: &'static str) -> ApiError {
    let slack = FakeSlack::start([(OK, &[][..], body)]).await;
    let error = slack.api().update_view("V1", &View::modal("x", "x")).await.unwrap_err();
    assert_eq!(slack.times_asked(), 1, "{error}");
    error
}

#[tokio::test]
async fn a_view_is_opened_with_its_trigger_and_updated_by_its_id() {
    const OPENED: &str = r#"{"ok":true,"view":{"id":"VMHU10V25","hash":"156772938.1827394","type":"modal","blocks":[{"type":"brand_new"}]}}"#;
    let view = View::modal("create_issue", "Create");

    let slack = FakeSlack::start([(OK, &[][..], OPENED)]).await;
    let opened = slack.api().open_view("12466734323.1395872398.0", &view).await.unwrap();
    assert_eq!((opened.id.as_str(), opened.hash.as_str()), ("VMHU10V25", "156772938.1827394"));
    assert_eq!(slack.target(), "/api/views.open");
    assert_eq!(slack.body(), json!({ "trigger_id": "12466734323.1395872398.0", "view": view.to_json() }));

    let slack = FakeSlack::start([(OK, &[][..], OPENED)]).await;
    slack.api().update_view("VMHU10V25", &view).await.unwrap();
    assert_eq!(slack.target(), "/api/views.update");
    assert_eq!(slack.body(), json!({ "view_id": "VMHU10V25", "view": view.to_json() }));
}

#[tokio::test]
async fn a_message_is_posted_to_its_thread() {
    let slack = FakeSlack::start([POSTED]).await;
    let ts = slack.api().post_message(&channel(), Some("1494377399.8"), &message()).await.unwrap();
    assert_eq!(ts, MessageTs("1503435956.000247".to_owned()));
    assert_eq!(slack.target(), "/api/chat.postMessage");
    insta::assert_snapshot!(slack.body(), @r#"{"blocks":[{"text":{"text":"Created &lt;SCRUM-5&gt;","type":"mrkdwn","verbatim":true},"type":"section"}],"channel":"C0GENERAL01","text":"Created &lt;SCRUM-5&gt;","thread_ts":"1494377399.8","unfurl_links":false}"#);
}

#[tokio::test]
async fn a_permalink_is_asked_for_with_a_query() {
    let answer =
        r#"{"ok":true,"channel":"C0GENERAL01","permalink":"https://x.slack.com/archives/C0GENERAL01/p1"}"#;
    let slack = FakeSlack::start([(OK, &[][..], answer)]).await;
    let permalink = slack.api().get_permalink(&channel(), "1494377399.862463").await.unwrap();
    assert_eq!(permalink, "https://x.slack.com/archives/C0GENERAL01/p1");
    assert_eq!(slack.target(), "/api/chat.getPermalink?channel=C0GENERAL01&message_ts=1494377399.862463");
}

#[tokio::test]
async fn the_identity_comes_with_the_scopes_of_the_token() {
    let answer = r#"{"ok":true,"url":"https://x.slack.com/","team":"Acme","user":"maro","team_id":"T1","user_id":"U0MARO","bot_id":"B1"}"#;
    let slack = FakeSlack::start([(OK, &[("x-oauth-scopes", "commands,chat:write, ")][..], answer)]).await;
    let identity = slack.api().auth_test().await.unwrap();
    assert_eq!((identity.team_id.as_str(), identity.team.as_str()), ("T1", "Acme"));
    assert_eq!(identity.user_id.as_str(), "U0MARO");
    assert_eq!(identity.scopes, ["commands", "chat:write"]);
    assert_eq!(slack.target(), "/api/auth.test");

    let slack = FakeSlack::start([(OK, &[][..], r#"{"ok":false,"error":"invalid_auth"}"#)]).await;
    assert!(matches!(slack.api().auth_test().await, Err(ApiError::InvalidAuth)));
    let slack = FakeSlack::start([(StatusCode::BAD_GATEWAY, &[][..], "")]).await;
    assert!(matches!(slack.api().auth_test().await, Err(ApiError::Unreachable(_))));
}

#[tokio::test]
async fn slacks_refusals_are_told_apart_and_not_repeated() {
    assert!(matches!(refused(r#"{"ok":false,"error":"not_in_channel"}"#).await, ApiError::NotInChannel));
    assert!(matches!(refused(r#"{"ok":false,"error":"not_found"}"#).await, ApiError::ViewGone));
    assert!(matches!(
        refused(r#"{"ok":false,"error":"expired_trigger_id"}"#).await,
        ApiError::TriggerExpired
    ));
    let scope =
        refused(r#"{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"commands"}"#).await;
    assert!(matches!(&scope, ApiError::MissingScope { needed } if needed == "chat:write"), "{scope}");
    let other = refused(
        r#"{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] must provide a string"]}}"#,
    )
    .await;
    assert_eq!(
        other.to_string(),
        "Slack rejected the call: invalid_arguments ([ERROR] must provide a string)"
    );
    for nonsense in ["<html>", "[]", r#"{"ok":true}"#] {
        assert!(matches!(refused(nonsense).await, ApiError::InvalidResponse { .. }), "{nonsense}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_if_it_is_short() {
    let limited =
        |wait: &'static [_]| (StatusCode::TOO_MANY_REQUESTS, wait, r#"{"ok":false,"error":"ratelimited"}"#);
    let (outcome, attempts) = post_to([limited(&[("retry-after", "0")]), POSTED]).await;
    assert!(outcome.is_ok());
    assert_eq!(attempts, 2);

    let (outcome, attempts) = post_to([limited(&[("retry-after", "3600")])]).await;
    assert!(matches!(outcome, Err(ApiError::RateLimited { retry_after }) if retry_after.as_secs() == 3600));
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn a_message_that_may_be_there_is_not_posted_again() {
    let (outcome, attempts) = post_to([(StatusCode::INTERNAL_SERVER_ERROR, &[][..], "")]).await;
    assert!(matches!(outcome, Err(ApiError::Unreachable(_))), "{outcome:?}");
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn an_update_does_no_harm_twice() {
    let updated = (OK, &[][..], r#"{"ok":true,"view":{"id":"V1"}}"#);
    let slack = FakeSlack::start([(StatusCode::SERVICE_UNAVAILABLE, &[][..], ""), updated]).await;
    slack.api().update_view("V1", &View::modal("x", "x")).await.unwrap();
    assert_eq!(slack.times_asked(), 2);
}

#[tokio::test]
async fn a_slack_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = Url::parse(&format!("http://{}/api", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = SlackWebApi::new(&config(url)).open_view("1.2.3", &View::modal("x", "x")).await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("xoxb"));
}

#[tokio::test]
async fn while_slack_is_away_one_question_at_a_time_is_asked() {
    const CHANNEL: &str = r#"{"ok":true,"channel":{"id":"C0GENERAL01"}}"#;
    let slack = FakeSlack::start([(StatusCode::SERVICE_UNAVAILABLE, &[][..], "")]).await;
    let api = slack.api();
    let channel = channel();
    for outcome in join_all((0..5).map(|_| api.get_conversation(&channel))).await {
        assert!(matches!(outcome, Err(ApiError::Unreachable(_))), "{outcome:?}");
    }
    let asked = slack.times_asked();
    let held_back = api.get_conversation(&channel).await.unwrap_err();
    assert!(format!("{held_back:?}").contains("HeldBack"), "{held_back:?}");
    assert_eq!(slack.times_asked(), asked);

    // What nobody waits for is tried nevertheless.
    api.post_message(&channel, None, &message()).await.unwrap_err();
    assert_eq!(slack.times_asked(), asked + 1);

    *slack.answers.lock().unwrap() = vec![(OK, &[][..], CHANNEL)];
    let mut tries = 0;
    while api.get_conversation(&channel).await.is_err() {
        tries += 1;
        assert!(tries < 300, "Slack has answered for 30 s, and isn't asked");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn of_an_edit_or_a_home_tab_nothing_but_slacks_yes_is_needed() {
    let slack = FakeSlack::start([(OK, &[], r#"{"ok":true}"#)]).await;
    let api = slack.api();
    api.update_message(&channel(), "1503435956.000247", &message()).await.unwrap();
    api.delete_message(&channel(), "1503435956.000247").await.unwrap();
    api.publish_home(&UserId::parse("U1").unwrap(), &HomeView::default()).await.unwrap();
    assert_eq!(slack.asked.lock().unwrap().len(), 3, "none is asked again");
}
