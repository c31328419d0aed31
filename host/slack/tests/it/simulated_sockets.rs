//! Socket Mode in the simulated workspace: envelopes, acknowledgements, and connections that end.

use futures_util::{SinkExt as _, StreamExt as _};
use maro_process::clock::Clock;
use maro_simulation::slack::{
    SimulatedSlack, people::act_error::SubmitOutcome, sockets::DisconnectReason, to_bot::parcel::NoAnswer,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use url::Url;

use crate::support::{
    forms::{call, call_at, client, duplicates, form},
    start_slack,
};

/// The bot's end of a socket.
struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens one as documented, and reads its greeting.
    async fn open(slack: &SimulatedSlack) -> Self {
        let mut socket = Self::at(&address(slack).await).await.unwrap();
        let hello = socket.next().await.unwrap();
        assert_eq!(hello["type"], "hello");
        socket
    }

    async fn at(address: &Url) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", address.port().unwrap())).await.unwrap();
        let opened = tokio_tungstenite::client_async(address.as_str(), stream).await;
        opened.ok().map(|(socket, _)| Self(socket))
    }

    /// The next message that isn't a ping; `None` if the connection ends.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).unwrap());
                }
                Ok(Message::Ping(_)) => {}
                _ => return None,
            }
        }
    }

    async fn acknowledge(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut answer = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(payload) = payload {
            answer["payload"] = payload;
        }
        self.0.send(Message::text(answer.to_string())).await.unwrap();
    }
}

/// An event as Slack wraps it.
fn event() -> Value {
    json!({
        "type": "event_callback",
        "token": "x",
        "team_id": "T0SIMULATED",
        "api_app_id": "A0MAROAPP01",
        "event_id": "Ev1",
        "event_time": 1_700_000_000,
        "event": { "type": "app_mention", "user": "U0ADA000001", "text": "hello", "ts": "1700000000.000001",
                   "channel": "C0GENERAL01", "event_ts": "1700000000.000001" },
    })
}

/// A new address for opening a socket.
async fn address(slack: &SimulatedSlack) -> Url {
    let request = client()
        .post(format!("{}/apps.connections.open", slack.api_url()))
        .bearer_auth(slack.app_token().expose());
    let answer: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    Url::parse(answer["url"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_address_opens_one_socket_and_wants_the_apps_token() {
    let slack = start_slack(Clock::system()).await;
    let refused = call(&slack, "apps.connections.open", &json!({})).await;
    assert_eq!(refused["error"], "not_allowed_token_type");
    let address = address(&slack).await;
    assert!(Socket::at(&address).await.is_some());
    assert!(Socket::at(&address).await.is_none());
    assert_eq!(slack.problems()[1], "A socket was opened without a fresh ticket.");
}

#[tokio::test]
async fn commands_and_interactions_go_through_the_socket_and_are_answered_in_it() {
    let slack = start_slack(Clock::system()).await;
    let mut socket = Socket::open(&slack).await;
    let api = slack.api_url();
    let bot = tokio::spawn(async move {
        let envelope = socket.next().await.unwrap();
        assert_eq!(envelope["type"], "slash_commands");
        assert_eq!(envelope["accepts_response_payload"], true);
        assert_eq!(envelope["payload"]["command"], "/maro");
        let text = json!({ "response_type": "ephemeral", "text": "opening" });
        let open = json!({ "trigger_id": envelope["payload"]["trigger_id"], "view": form() });
        call_at(&api, "views.open", &open).await;
        socket.acknowledge(&envelope, Some(text)).await;
        let envelope = socket.next().await.unwrap();
        assert_eq!(envelope["type"], "interactive");
        assert_eq!(envelope["payload"]["type"], "view_submission");
        let update = json!({ "response_action": "update", "view": duplicates() });
        socket.acknowledge(&envelope, Some(update)).await;
        let envelope = socket.next().await.unwrap();
        assert_eq!(envelope["payload"]["actions"][0]["value"], "SCRUM-5");
        socket.acknowledge(&envelope, None).await;
        let envelope = socket.next().await.unwrap();
        assert_eq!(envelope["type"], "events_api");
        assert_eq!(envelope["accepts_response_payload"], false);
        socket.acknowledge(&envelope, None).await;
    });
    let shown = slack.send_command("general", "ada", "/maro create").await.unwrap().immediate;
    assert_eq!(shown[0].text, "opening");
    slack.fill("ada", &[("issue_type", "Bug"), ("summary", "x")]).await.unwrap();
    assert!(matches!(slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let first = maro_simulation::slack::people::pressing::Press::button("Link this one").nth(1);
    slack.press("ada", first).await.unwrap();
    slack.send_event(&event()).await.unwrap();
    bot.await.unwrap();
    assert_eq!(slack.problems(), [""; 0]);
}

#[tokio::test]
async fn what_a_broken_connection_carried_comes_through_another() {
    let slack = start_slack(Clock::system()).await;
    let (mut one, mut two) = (Socket::open(&slack).await, Socket::open(&slack).await);
    assert!(slack.wait_for_sockets(2).await);
    slack.drop_socket_after_next_envelope();
    let bot = async {
        let first = one.next().await.unwrap();
        assert!(first.get("retry_attempt").is_none());
        assert_eq!(one.next().await, None);
        let second = two.next().await.unwrap();
        assert_eq!(second["envelope_id"], first["envelope_id"]);
        assert_eq!(second["payload"], first["payload"]);
        assert_eq!((&second["retry_attempt"], &second["retry_reason"]), (&json!(1), &json!("socket_closed")));
        two.acknowledge(&second, Some(json!({ "text": "answered" }))).await;
    };
    let (shown, ()) = tokio::join!(slack.send_command("general", "ada", "/maro help"), bot);
    assert_eq!(shown.unwrap().immediate[0].text, "answered");
    assert_eq!(slack.sockets(), 1);
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_comes_again() {
    let slack = start_slack(Clock::system()).await;
    let mut socket = Socket::open(&slack).await;
    let bot = async {
        let first = socket.next().await.unwrap();
        let second = socket.next().await.unwrap();
        assert_ne!(first["envelope_id"], second["envelope_id"]);
        assert_eq!(first["payload"]["event_id"], second["payload"]["event_id"]);
        assert_eq!((&second["retry_attempt"], &second["retry_reason"]), (&json!(1), &json!("timeout")));
        socket.acknowledge(&second, None).await;
    };
    let event = event();
    let (answer, ()) = tokio::join!(slack.send_event(&event), bot);
    assert!(answer.unwrap().is_empty());
}

#[tokio::test]
async fn slack_takes_connections_away_with_and_without_a_word() {
    let slack = start_slack(Clock::system()).await;
    let mut socket = Socket::open(&slack).await;
    slack.disconnect_sockets(DisconnectReason::Warning);
    let warning = socket.next().await.unwrap();
    assert_eq!((&warning["type"], &warning["reason"]), (&json!("disconnect"), &json!("warning")));
    assert_eq!(slack.sockets(), 1);
    slack.disconnect_sockets(DisconnectReason::RefreshRequested);
    assert_eq!(socket.next().await.unwrap()["reason"], "refresh_requested");
    assert_eq!(socket.next().await, None);
    assert!(slack.wait_for_sockets(0).await);
    let mut socket = Socket::open(&slack).await;
    slack.drop_sockets();
    assert_eq!(socket.next().await, None);
    // Nobody is there, and HTTP isn't tried instead.
    assert_eq!(slack.send_interaction(&json!({})).await, Err(NoAnswer::Unreachable));
}

#[tokio::test]
async fn the_eleventh_socket_is_one_too_many() {
    let slack = start_slack(Clock::system()).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(Socket::open(&slack).await);
    }
    let mut eleventh = Socket::at(&address(&slack).await).await.unwrap();
    assert_eq!(eleventh.next().await.unwrap()["reason"], "too_many_websockets");
    assert_eq!(eleventh.next().await, None);
}
