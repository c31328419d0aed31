//! Socket Mode against a Slack on loopback: requests are handled once, whatever happens to connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::{SinkExt, StreamExt};
use maro_process::{http::retry::Backoff, secret::Secret};
use maro_slack::{
    command::{self, CommandRequest},
    config::{SOCKET_MODE_OFF, SlackConfig},
    interaction::{Interaction, Received, answer::SubmissionResponse},
    outgoing::response_url::ResponseUrlPolicy,
    socket::{NoAppToken, SocketMode, request::SocketRequest},
    web_api::{SlackWebApi, error::ApiError},
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use url::Url;

use crate::support::{config, serve};

const APP_TOKEN: &str = "xapp-1-simulation";

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Slack that hands out addresses and accepts connections.
struct FakeSlack {
    api_url: Url,
    sockets: TcpListener,
    /// How many addresses it has handed out.
    opened: Arc<AtomicUsize>,
}

struct Connection(WebSocketStream<TcpStream>);

async fn open(
    State((socket_url, opened)): State<(String, Arc<AtomicUsize>)>,
    headers: HeaderMap,
) -> Response {
    let answer = if headers["authorization"] == format!("Bearer {APP_TOKEN}") {
        opened.fetch_add(1, Ordering::AcqRel);
        json!({ "ok": true, "url": socket_url })
    } else {
        json!({ "ok": false, "error": "invalid_auth" })
    };
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

impl FakeSlack {
    async fn start() -> Self {
        let sockets = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let socket_url = format!("ws://{}/link/?ticket=1234&app_id=5678", sockets.local_addr().unwrap());
        let opened = Arc::default();
        let router = Router::new()
            .route("/api/apps.connections.open", post(open))
            .with_state((socket_url, Arc::clone(&opened)));
        let api_url = serve(router).await.join("api").unwrap();
        Self { api_url, sockets, opened }
    }

    fn config(&self) -> SlackConfig {
        self.asking_again_after(SOCKET_MODE_OFF.first)
    }

    /// With this pause while Socket Mode is turned off.
    fn asking_again_after(&self, pause: Duration) -> SlackConfig {
        SlackConfig {
            app_token: Some(Secret::new(APP_TOKEN)),
            socket_mode_off: Backoff { first: pause, longest: pause, certain: 1.0 },
            ..config(self.api_url.clone())
        }
    }

    /// The next connection, not yet greeted.
    async fn accept(&self) -> Connection {
        let accepted = async {
            let (stream, _) = self.sockets.accept().await.unwrap();
            tokio_tungstenite::accept_async(stream).await.unwrap()
        };
        Connection(timeout(PATIENCE, accepted).await.expect("a connection"))
    }

    async fn accept_and_greet(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.greet().await;
        connection
    }
}

impl Connection {
    async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn greet(&mut self) {
        self.send(json!({
            "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A1" },
            "debug_info": { "host": "applink-1", "approximate_connection_time": 18060 },
        }))
        .await;
    }

    async fn disconnect(&mut self, reason: &str) {
        self.send(json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } }))
            .await;
    }

    /// The next frame, or `None` at the end.
    async fn receive(&mut self) -> Option<Value> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        };
        timeout(PATIENCE, next).await.expect("a frame or the end")
    }

    /// Sends an envelope and returns its acknowledgement.
    async fn ask(&mut self, envelope: Value) -> Value {
        self.send(envelope).await;
        self.receive().await.expect("an acknowledgement")
    }
}

fn envelope(id: &str, kind: &str, payload: &Value) -> Value {
    json!({ "envelope_id": id, "type": kind, "accepts_response_payload": true, "payload": payload })
}

fn command_fields() -> Value {
    json!({
        "token": "x", "team_id": "T1", "team_domain": "acme", "channel_id": "C1", "channel_name": "general",
        "user_id": "U1", "user_name": "ada", "command": "/maro", "text": "track SCRUM-1 & more",
        "api_app_id": "A1", "is_enterprise_install": "false", "trigger_id": "1.2.3",
        "response_url": "https://hooks.slack.com/commands/T1/2/3",
    })
}

fn command(id: &str) -> Value {
    envelope(id, "slash_commands", &command_fields())
}

/// A bot that answers each request with `{"n": 1}`, `{"n": 2}` and so on.
fn start_counting(slack: &FakeSlack) -> (SocketMode, mpsc::UnboundedReceiver<SocketRequest>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    let socket_mode = SocketMode::start(&slack.config(), move |request, _| {
        let number = count.fetch_add(1, Ordering::AcqRel) + 1;
        let _ = sender.send(request);
        async move { json!({ "n": number }).to_string().into_bytes() }
    });
    (socket_mode.unwrap(), requests)
}

#[tokio::test]
async fn a_command_is_the_same_as_over_http() {
    let slack = FakeSlack::start().await;
    let (_bot, mut requests) = start_counting(&slack);
    let mut connection = slack.accept_and_greet().await;
    let acknowledgement = connection.ask(command("e1")).await;
    assert_eq!(acknowledgement, json!({ "envelope_id": "e1", "payload": { "n": 1 } }));

    let Some(SocketRequest::Command(over_socket)) = requests.recv().await else { panic!("no command") };
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(
            command_fields().as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap())),
        )
        .finish();
    let over_http = command::parse(form.as_bytes(), &ResponseUrlPolicy::new(&slack.config())).unwrap();
    let CommandRequest::Command(over_http) = over_http else { panic!("no command") };
    assert_eq!(format!("{over_socket:?}"), format!("{over_http:?}"));
    assert_eq!(over_socket.channel_name.as_deref(), Some("general"));
}

#[tokio::test]
async fn a_submission_is_acknowledged_with_what_becomes_of_the_view() {
    let slack = FakeSlack::start().await;
    let _bot = SocketMode::start(&slack.config(), |request, _| async move {
        match request {
            SocketRequest::Interaction(Received {
                interaction: Interaction::ViewSubmitted(submitted),
                ..
            }) => {
                let summary = submitted.view.values.text("summary").unwrap();
                SubmissionResponse::error("summary", format!("not {summary}")).to_json()
            }
            _ => SubmissionResponse::Close.to_json(),
        }
    })
    .unwrap();
    let mut connection = slack.accept_and_greet().await;
    let summary = json!({ "summary": { "summary": { "type": "plain_text_input", "value": "this" } } });
    let submission = json!({
        "type": "view_submission", "user": { "id": "U1" },
        "view": { "id": "V1", "hash": "1", "callback_id": "create_issue", "private_metadata": "", "state": { "values": summary } },
    });
    let acknowledgement = connection.ask(envelope("e1", "interactive", &submission)).await;
    let errors = json!({ "response_action": "errors", "errors": { "summary": "not this" } });
    assert_eq!(acknowledgement, json!({ "envelope_id": "e1", "payload": errors }));

    let shortcut = json!({ "type": "shortcut", "user": { "id": "U1" }, "callback_id": "create_issue", "trigger_id": "1.2.3" });
    let acknowledgement = connection.ask(envelope("e2", "interactive", &shortcut)).await;
    assert_eq!(acknowledgement, json!({ "envelope_id": "e2" }));
}

#[tokio::test]
async fn what_comes_again_is_acknowledged_again_and_handled_once() {
    let slack = FakeSlack::start().await;
    let (_bot, mut requests) = start_counting(&slack);
    let (mut first, mut second) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    let acknowledgement = first.ask(command("e1")).await;
    assert_eq!(second.ask(command("e1")).await, acknowledgement);

    let event =
        json!({ "type": "event_callback", "event_id": "Ev1", "event": { "type": "channel_archive" } });
    assert_eq!(first.ask(envelope("e2", "events_api", &event)).await["payload"], json!({ "n": 2 }));
    let mut again = envelope("e3", "events_api", &event);
    again["retry_attempt"] = json!(1);
    again["accepts_response_payload"] = json!(false);
    assert_eq!(second.ask(again).await, json!({ "envelope_id": "e3" }));

    assert!(matches!(requests.recv().await, Some(SocketRequest::Command(_))));
    assert!(
        matches!(requests.recv().await, Some(SocketRequest::Event(event)) if event.kind == "channel_archive")
    );
    assert!(requests.try_recv().is_err());
}

/// How many requests are remembered.
const REMEMBERED: usize = 2_048;

#[tokio::test]
async fn what_comes_again_after_many_others_is_handled_once_too() {
    let slack = FakeSlack::start().await;
    let (_bot, mut requests) = start_counting(&slack);
    let (mut first, mut second) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    let acknowledgement = first.ask(command("e1")).await;
    for number in 2..=REMEMBERED {
        first.send(command(&format!("e{number}"))).await;
        first.receive().await.unwrap();
        // A request that isn't remembered must not be confused with one that is.
        if number % 500 == 0 {
            assert_eq!(second.ask(command("e1")).await, acknowledgement);
        }
    }
    assert_eq!(second.ask(command("e1")).await, acknowledgement);
    let handled = std::iter::from_fn(|| requests.try_recv().ok()).count();
    assert_eq!(handled, REMEMBERED);

    // Memory is limited: a request is forgotten after that many others.
    for number in 1..=REMEMBERED {
        first.ask(command(&format!("f{number}"))).await;
    }
    assert_ne!(second.ask(command("e1")).await, acknowledgement);
}

#[tokio::test]
async fn events_are_told_apart_after_others_and_in_other_envelopes() {
    let slack = FakeSlack::start().await;
    let (_bot, mut requests) = start_counting(&slack);
    let mut connection = slack.accept_and_greet().await;
    let event = |id: &str| json!({ "type": "event_callback", "event_id": id, "event": { "type": "app_home_opened" } });
    for round in 0..3 {
        for number in 1..=20 {
            let id = format!("round {round} envelope {number}");
            let sent = envelope(&id, "events_api", &event(&format!("Ev{number}")));
            assert_eq!(connection.ask(sent).await["payload"], json!({ "n": number }), "{id}");
        }
    }
    assert_eq!(std::iter::from_fn(|| requests.try_recv().ok()).count(), 20);
}

#[tokio::test]
async fn a_connection_that_is_answered_slowly_holds_up_no_other() {
    let slack = FakeSlack::start().await;
    let release = Arc::new(Notify::new());
    let _bot = {
        let (release, count) = (Arc::clone(&release), AtomicUsize::new(0));
        SocketMode::start(&slack.config(), move |_, _| {
            let (release, is_first) = (Arc::clone(&release), count.fetch_add(1, Ordering::AcqRel) == 0);
            async move {
                if is_first {
                    release.notified().await;
                }
                b"{}".to_vec()
            }
        })
    };
    let mut connection = slack.accept_and_greet().await;
    connection.send(command("slow")).await;
    assert_eq!(connection.ask(command("quick")).await["envelope_id"], "quick");
    release.notify_one();
    assert_eq!(connection.receive().await.unwrap()["envelope_id"], "slow");
}

#[tokio::test]
async fn a_socket_that_does_not_open_is_tried_again() {
    let slack = FakeSlack::start().await;
    let (_bot, _requests) = start_counting(&slack);
    for answer in ["HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "no HTTP\r\n\r\n", ""] {
        let (mut stream, _) = timeout(PATIENCE, slack.sockets.accept()).await.unwrap().unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    let mut connection = slack.accept_and_greet().await;
    assert_eq!(connection.ask(command("e1")).await["envelope_id"], "e1");
}

#[tokio::test]
async fn what_cannot_be_read_is_acknowledged_and_left_alone() {
    let slack = FakeSlack::start().await;
    let (_bot, mut requests) = start_counting(&slack);
    let mut connection = slack.accept_and_greet().await;
    for nonsense in [json!("hello?"), json!({ "type": "brand_new" }), json!([1])] {
        connection.send(nonsense).await;
    }
    for (kind, payload) in [
        ("slash_commands", json!({ "command": 7 })),
        ("interactive", json!(null)),
        ("events_api", json!({ "type": "event_callback" })),
        ("brand_new", json!({})),
    ] {
        let acknowledgement = connection.ask(envelope("e \"1\"", kind, &payload)).await;
        assert_eq!(acknowledgement, json!({ "envelope_id": "e \"1\"" }), "{kind}");
    }
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn a_handler_that_panics_is_acknowledged_for() {
    let slack = FakeSlack::start().await;
    let _bot = SocketMode::start(&slack.config(), |_, _| async { panic!("as the test wants") }).unwrap();
    let mut connection = slack.accept_and_greet().await;
    assert_eq!(connection.ask(command("e1")).await, json!({ "envelope_id": "e1" }));
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let slack = FakeSlack::start().await;
    let (_bot, _requests) = start_counting(&slack);
    let (first, second) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    drop(first);
    let mut third = slack.accept_and_greet().await;
    assert_eq!(third.ask(command("e1")).await["envelope_id"], "e1");
    drop((second, third));
    let mut fourth = slack.accept_and_greet().await;
    assert_eq!(fourth.ask(command("e2")).await["envelope_id"], "e2");
}

#[tokio::test]
async fn a_connection_that_is_refreshed_serves_until_the_next_one_does() {
    for reason in ["warning", "refresh_requested"] {
        let slack = FakeSlack::start().await;
        let (_bot, _requests) = start_counting(&slack);
        let (mut old, _other) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
        old.disconnect(reason).await;
        let mut new = slack.accept().await;
        assert_eq!(old.ask(command("e1")).await["envelope_id"], "e1");
        new.greet().await;
        assert_eq!(old.receive().await, None);
        assert_eq!(new.ask(command("e2")).await["envelope_id"], "e2");
    }
}

#[tokio::test]
async fn a_disabled_socket_mode_is_asked_for_again_after_a_long_pause() {
    assert!(SOCKET_MODE_OFF.first.mul_f64(SOCKET_MODE_OFF.certain) >= Duration::from_secs(60));
    assert_eq!(SOCKET_MODE_OFF.longest, Duration::from_secs(300));
    let slack = FakeSlack::start().await;
    let bot = SocketMode::start(&slack.config(), |_, _| async { b"{}".to_vec() }).unwrap();
    let (mut first, mut second) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    for connection in [&mut first, &mut second] {
        connection.disconnect("link_disabled").await;
        assert_eq!(connection.receive().await, None);
    }
    assert_eq!(bot.connected(), 0);
    // The pause doesn't keep it from stopping.
    bot.stop(PATIENCE).await;
    assert_eq!(slack.opened.load(Ordering::Acquire), 2);
}

#[tokio::test]
async fn once_turned_on_again_socket_mode_serves() {
    let slack = FakeSlack::start().await;
    let config = slack.asking_again_after(Duration::from_millis(10));
    let _bot = SocketMode::start(&config, |_, _| async { b"{}".to_vec() }).unwrap();
    let (mut first, mut second) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    for connection in [&mut first, &mut second] {
        connection.disconnect("link_disabled").await;
        assert_eq!(connection.receive().await, None);
    }
    // As long as it's off, Slack takes a connection and ends it at once.
    for _ in 0..4 {
        let mut refused = slack.accept().await;
        refused.disconnect("link_disabled").await;
        assert_eq!(refused.receive().await, None);
    }
    let (mut third, mut fourth) = (slack.accept_and_greet().await, slack.accept_and_greet().await);
    assert_eq!(third.ask(command("e1")).await["envelope_id"], "e1");
    assert_eq!(fourth.ask(command("e2")).await["envelope_id"], "e2");
}

/// The one that finds Socket Mode turned on wakes the other, which would sleep for minutes.
#[tokio::test]
async fn a_connection_that_works_again_ends_the_long_pause_of_the_other() {
    let slack = FakeSlack::start().await;
    let _bot = SocketMode::start(&slack.config(), |_, _| async { b"{}".to_vec() }).unwrap();
    let (mut refused, mut asking) = (slack.accept().await, slack.accept().await);
    refused.disconnect("link_disabled").await;
    assert_eq!(refused.receive().await, None);
    asking.greet().await;
    let mut woken = slack.accept_and_greet().await;
    assert_eq!(woken.ask(command("e1")).await["envelope_id"], "e1");
}

#[tokio::test]
async fn stopping_sends_what_is_under_way_and_finishes_the_work() {
    let slack = FakeSlack::start().await;
    let (begun, release, finished) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let (begun, release, finished) = (Arc::clone(&begun), Arc::clone(&release), Arc::clone(&finished));
        move |_, _| {
            let (begun, release, finished) =
                (Arc::clone(&begun), Arc::clone(&release), Arc::clone(&finished));
            async move {
                begun.notify_one();
                release.notified().await;
                finished.fetch_add(1, Ordering::AcqRel);
                b"{}".to_vec()
            }
        }
    };
    let bot = SocketMode::start(&slack.config(), handler).unwrap();
    let mut connection = slack.accept_and_greet().await;
    connection.send(command("e1")).await;
    begun.notified().await;
    let stopping = tokio::spawn(bot.stop(PATIENCE));
    release.notify_one();
    assert_eq!(connection.receive().await, Some(json!({ "envelope_id": "e1", "payload": {} })));
    assert_eq!(connection.receive().await, None);
    // The other connection is never greeted, so nothing must wait for it.
    drop(connection);
    stopping.await.unwrap();
    assert_eq!(finished.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn the_number_of_good_connections_is_known() {
    let slack = FakeSlack::start().await;
    let (bot, _requests) = start_counting(&slack);
    let (first, _not_greeted) = (slack.accept_and_greet().await, slack.accept().await);
    let reaches = async |count| {
        let reached = async {
            while bot.connected() != count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the number of connections");
    };
    reaches(1).await;
    drop(first);
    reaches(0).await;
}

#[tokio::test]
async fn a_wrong_app_token_is_named() {
    let slack = FakeSlack::start().await;
    let api = SlackWebApi::new(&slack.config());
    api.socket_address(&Secret::new(APP_TOKEN)).await.unwrap();
    let refused = api.socket_address(&Secret::new("xapp-wrong")).await;
    assert!(matches!(refused, Err(ApiError::InvalidAuth)), "{refused:?}");
    let without = SocketMode::start(&config(slack.api_url.clone()), |_, _| async { Vec::new() });
    assert_eq!(without.err(), Some(NoAppToken));
}
