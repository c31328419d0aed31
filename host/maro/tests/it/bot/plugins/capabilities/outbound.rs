//! `http`: real exchanges with a service on this machine, which the test's own reach allows.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get},
};
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_runtime::outbound::addresses::Reach;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpListener;

use crate::{
    bot::{TestBot, plugins::capabilities::with_capable},
    log::Log,
    raw::execute,
};

/// A service, and how many requests it has had.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    requests: Arc<AtomicU32>,
}

impl Service {
    async fn start() -> Self {
        Self::with_routes(Router::new()).await
    }

    /// With routes beside the usual ones.
    pub(super) async fn with_routes(routes: Router) -> Self {
        let requests = Arc::new(AtomicU32::new(0));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/echo", any(echo))
            .route("/elsewhere", get(|| async { Redirect::temporary("https://elsewhere.example/") }))
            .route("/cookie", get(cookie))
            .route("/large/{kib}", get(large))
            .route("/endless", get(endless))
            .route("/silent", get(std::future::pending::<()>))
            .merge(routes)
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&requests), count));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, requests }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}/{path}", self.address.port())
    }

    pub(super) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn count(
    State(requests): State<Arc<AtomicU32>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    requests.fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}

async fn echo(method: Method, headers: HeaderMap, body: Bytes) -> String {
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    format!("{method} {} {}", lines.join(" "), String::from_utf8_lossy(&body))
}

async fn cookie(headers: HeaderMap) -> Response {
    let sent = headers.contains_key("cookie");
    ([("set-cookie", "session=1")], format!("sent: {sent}")).into_response()
}

async fn large(axum::extract::Path(kib): axum::extract::Path<usize>) -> Vec<u8> {
    vec![b'x'; kib * 1024]
}

/// A body without end and without a length.
async fn endless() -> Response {
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 4096])));
    (StatusCode::OK, Body::from_stream(chunks)).into_response()
}

/// A bot whose plugin may reach the service.
async fn bot_beside(service: &Service, limits: &str) -> TestBot {
    bot_reaching(service.address, Reach { plain_http: true, ..Reach::INTERNET }, limits).await
}

pub(super) async fn bot_reaching(service: SocketAddr, reach: Reach, limits: &str) -> TestBot {
    bot_with_hosts(&format!("private-hosts = [\"localhost:{}\"]\n{limits}", service.port()), reach).await
}

/// A bot with these hosts under `[http]`.
pub(super) async fn bot_with_hosts(hosts: &str, reach: Reach) -> TestBot {
    let hosts = format!("[http]\n{hosts}");
    let surroundings = Surroundings { reach, ..Clock::system().into() };
    TestBot::in_surroundings(with_capable(&hosts), surroundings, |_, _| {}).await
}

/// An authority, and a service on this machine that it vouches for.
struct TrustedService {
    authority: &'static [u8],
    address: SocketAddr,
}

impl TrustedService {
    /// A service that answers `hello` to everything, over TLS.
    fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        #[expect(clippy::disallowed_methods, reason = "it is the service's, not MARO's")]
        let provider = rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that doesn't trust the certificate hangs up.
                let _ = answer_hello(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            }
        });
        Self { authority: certificate.leak(), address }
    }

    async fn fetch(&self, authority: Option<&'static [u8]>, what: &str) -> String {
        let reach = Reach { authority, ..Reach::INTERNET };
        let bot = bot_reaching(self.address, reach, "").await;
        bot.say(&format!("/maro capable {what} https://localhost:{}/", self.address.port())).await
    }
}

fn answer_hello(connection: ServerConnection, stream: std::net::TcpStream) -> io::Result<()> {
    let mut stream = StreamOwned::new(connection, stream);
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        read.extend(byte);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[tokio::test]
async fn a_service_is_believed_if_a_trusted_authority_vouches_for_it() {
    let service = TrustedService::start();
    assert_eq!(service.fetch(Some(service.authority), "fetch GET").await, "200 hello");
    let stranger = TrustedService::start();
    for authority in [None, Some(stranger.authority)] {
        assert_eq!(service.fetch(authority, "fetch-kind").await, "Some(HttpErrorKind::Unreachable)");
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    let url = service.url("echo");
    execute(&bot.config.database, "ALTER TABLE audit_log RENAME TO elsewhere").await;
    let answer = bot.say(&format!("/maro capable fetch POST {url}")).await;
    assert_eq!(answer, maro_texts::failures::database::NOTHING_WRITTEN);
    assert_eq!(service.requests(), 0);
    // What changes nothing needs no entry.
    assert!(bot.say(&format!("/maro capable fetch GET {url}")).await.starts_with("200"));
    execute(&bot.config.database, "ALTER TABLE elsewhere RENAME TO audit_log").await;
    assert!(bot.say(&format!("/maro capable fetch POST {url}")).await.starts_with("200"));
}

#[tokio::test]
async fn a_request_ends_with_its_own_time_and_the_command_goes_on() {
    let service = Service::start().await;
    let patience = Duration::from_millis(100);
    let reach = Reach { plain_http: true, patience, ..Reach::INTERNET };
    let bot = bot_reaching(service.address, reach, "").await;
    let url = service.url("silent");
    assert_eq!(bot.say(&format!("/maro capable fetch-kind {url}")).await, "Some(HttpErrorKind::TimedOut)");
    assert_eq!(
        bot.say(&format!("/maro capable fetch GET {url}")).await,
        format!("localhost:{} took too long to respond. Try again in a few minutes.", service.address.port())
    );
}

#[test]
fn production_waits_ten_seconds_and_believes_the_systems_authorities() {
    assert_eq!(Reach::INTERNET.patience, Duration::from_secs(10));
    assert_eq!(Reach::INTERNET.authority, None);
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made_and_so_does_the_answer() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    let url = service.url("echo");
    assert_eq!(
        bot.say(&format!("/maro capable fetch POST {url} x-team=blue body=hello")).await,
        "200 POST accept=*/* content-length=5 user-agent=maro x-team=blue hello"
    );
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let shown = bot.say(&format!("/maro capable fetch {method} {url}")).await;
        assert!(shown.starts_with(&format!("200 {method} ")), "{shown}");
    }
    assert_eq!(bot.say(&format!("/maro capable fetch HEAD {url}")).await.trim(), "200");
    assert_eq!(bot.say(&format!("/maro capable fetch GET {}", service.url("nothing"))).await.trim(), "404");
}

#[tokio::test]
async fn a_recorded_exchange_is_text_and_plays_without_the_service() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    let mut recordings = bot.bot().recorder().listen().unwrap();
    bot.say(&format!("/maro capable fetch POST {} body=hello", service.url("echo"))).await;
    let case = recordings.recv().await.unwrap().case;
    let [call] = &*case.calls else { panic!("{:?}", case.calls) };
    assert_eq!(call.arguments["request"]["body"], "hello");
    let answer = call.answer["Ok"]["body"].as_str().unwrap();
    assert!(answer.starts_with("POST ") && answer.ends_with(" hello"), "{answer}");
    let plugin = bot.bot().registry().plugins().get("capable").cloned().unwrap();
    let replayed = case.replay(&plugin).await;
    assert!(!replayed.differs(&case), "{replayed:?}");
    assert_eq!(service.requests(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed_and_cookies_not_kept() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    assert_eq!(
        bot.say(&format!("/maro capable fetch GET {}", service.url("elsewhere"))).await,
        "307 to https://elsewhere.example/ "
    );
    for _ in 0..2 {
        assert_eq!(
            bot.say(&format!("/maro capable fetch GET {}", service.url("cookie"))).await,
            "200 sent: false"
        );
    }
}

#[tokio::test]
async fn answers_are_bounded_while_they_are_read() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    for path in ["large/257", "endless"] {
        assert_eq!(
            bot.say(&format!("/maro capable fetch-kind {}", service.url(path))).await,
            "Some(HttpErrorKind::TooLarge)",
            "{path}"
        );
    }
    let shown = bot.say(&format!("/maro capable fetch-often {} 1", service.url("large/256"))).await;
    assert_eq!(shown, "200");
}

#[tokio::test]
async fn an_invocation_has_ten_requests() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    let shown = bot.say(&format!("/maro capable fetch-often {} 12", service.url("echo"))).await;
    let (answered, refused) =
        ("200 ".repeat(10), "HttpErrorKind::InvalidRequest HttpErrorKind::InvalidRequest");
    assert_eq!(shown, format!("{answered}{refused}"));
    assert_eq!(service.requests(), 10);
}

#[tokio::test]
async fn a_silent_service_holds_no_command_beyond_its_time() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "[limits]\nwall-ms = 1500").await;
    let shown = bot.say(&format!("/maro capable fetch GET {}", service.url("silent"))).await;
    assert!(shown.contains("took too long and was stopped"), "{shown}");
}

#[tokio::test]
async fn a_listed_name_that_leads_to_a_private_network_is_denied_and_not_away() {
    const HERE: fn(&str) -> Vec<IpAddr> = |_| vec![Ipv4Addr::LOCALHOST.into()];
    let service = Service::start().await;
    let reach = Reach { plain_http: true, look_up: Some(HERE), ..Reach::INTERNET };
    let host = format!("rota.harbor.example:{}", service.address.port());
    let url = format!("http://{host}/echo");
    let bot = bot_with_hosts(&format!("hosts = [{host:?}]"), reach).await;
    for method in ["GET", "POST"] {
        assert_eq!(
            bot.say(&format!("/maro capable fetch {method} {url}")).await,
            format!(
                "{host} is on a private network, which this command isn't allowed to contact. Your MARO admin can \
                 allow it."
            )
        );
    }
    let kind = bot.say(&format!("/maro capable fetch-kind {url}")).await;
    assert_eq!(kind, "Some(HttpErrorKind::Denied)");
    assert_eq!(service.requests(), 0);
    let bot = bot_with_hosts(&format!("private-hosts = [{host:?}]"), reach).await;
    assert_eq!(bot.say(&format!("/maro capable fetch HEAD {url}")).await.trim(), "200");
    for near in ["169.254.169.254", "0.0.0.0"] {
        let look_up: fn(&str) -> Vec<IpAddr> = match near {
            "0.0.0.0" => |_| vec![Ipv4Addr::UNSPECIFIED.into()],
            _ => |_| vec![Ipv4Addr::new(169, 254, 169, 254).into()],
        };
        let reach = Reach { look_up: Some(look_up), ..reach };
        let bot = bot_with_hosts(&format!("private-hosts = [{host:?}]"), reach).await;
        let kind = bot.say(&format!("/maro capable fetch-kind {url}")).await;
        assert_eq!(kind, "Some(HttpErrorKind::Denied)", "{near}");
    }
}

#[tokio::test]
async fn a_secret_reaches_its_host_and_never_the_plugin() {
    const SECRET: &str = "hunter2-and-more";
    let (log, _guard) = Log::start_at(tracing::Level::DEBUG);
    let service = Service::start().await;
    let port = service.address.port();
    let hosts = |tied: &str| {
        format!(
            "private-hosts = [\"localhost:{port}\"]\n[secrets]\n\
             rota-token = {{ value = {SECRET:?}, hosts = [\"{tied}\"] }}"
        )
    };
    let reach = Reach { plain_http: true, ..Reach::INTERNET };
    let bot = bot_with_hosts(&hosts(&format!("localhost:{port}")), reach).await;
    let mut recordings = bot.bot().recorder().listen().unwrap();
    let typed = format!("/maro capable fetch GET {} x-key=${{secret:rota-token}}", service.url("echo"));
    let shown = bot.say(&typed).await;
    assert_eq!(shown, "200 GET accept=*/* user-agent=maro x-key=${secret:rota-token} ");
    let case = recordings.recv().await.unwrap().case;
    assert!(!format!("{case:?}").contains(SECRET), "{case:?}");
    assert_eq!(
        bot.say(&typed.replace("rota-token", "other")).await,
        "This command needs the secret other, which isn't set. Your MARO admin can set it."
    );
    let bot = bot_with_hosts(&hosts("rota.example.com"), reach).await;
    assert_eq!(
        bot.say(&typed).await,
        format!("This command isn't allowed to send the secret rota-token to localhost:{port}.")
    );
    assert_eq!(service.requests(), 1);
    log.assert_without(&[SECRET]);
}

#[tokio::test]
async fn only_listed_hosts_are_reached() {
    let service = Service::start().await;
    let bot = bot_beside(&service, "").await;
    for url in ["https://elsewhere.example/", "http://localhost:1/", "https://localhost/"] {
        assert_eq!(
            bot.say(&format!("/maro capable fetch-kind {url}")).await,
            "Some(HttpErrorKind::Denied)",
            "{url}"
        );
    }
    assert_eq!(
        bot.say("/maro capable fetch GET https://elsewhere.example/").await,
        "This command isn't allowed to contact elsewhere.example."
    );
    let by_address = format!("http://127.0.0.1:{}/echo", service.address.port());
    for url in [&by_address, "ftp://localhost/", "http://user@localhost/", "nonsense"] {
        assert_eq!(
            bot.say(&format!("/maro capable fetch-kind {url}")).await,
            "Some(HttpErrorKind::InvalidRequest)",
            "{url}"
        );
    }
    assert_eq!(service.requests(), 0);
}

#[tokio::test]
async fn production_speaks_https_alone_and_never_to_this_machine() {
    let service = Service::start().await;
    let port = service.address.port();
    const HERE: fn(&str) -> Vec<IpAddr> = |_| vec![Ipv4Addr::LOCALHOST.into()];
    let reach = Reach { look_up: Some(HERE), ..Reach::INTERNET };
    let bot = bot_with_hosts(&format!("hosts = [\"service.example:{port}\"]"), reach).await;
    assert_eq!(
        bot.say(&format!("/maro capable fetch-kind http://service.example:{port}/echo")).await,
        "Some(HttpErrorKind::InvalidRequest)"
    );
    assert_eq!(
        bot.say(&format!("/maro capable fetch-kind https://service.example:{port}/echo")).await,
        "Some(HttpErrorKind::Denied)"
    );
    assert_eq!(service.requests(), 0);
}
